-- +goose Up

-- What was decided about items of moderated kinds: their refs and the verdicts, and nothing of them.
CREATE TABLE verdicts (
    ref        text COLLATE "C" NOT NULL PRIMARY KEY,
    judgement  text             NOT NULL,    -- approved or rejected
    reason     text             NOT NULL,    -- '' = nobody said
    seen_at    timestamptz      NOT NULL,    -- an approval counts for the item as it was then
    created_by text             NOT NULL,    -- the id of a key
    created_at timestamptz      NOT NULL
);
