-- +goose Up

-- What was decided about items of moderated kinds: their refs and the verdicts, and nothing of them.
CREATE TABLE verdicts (
    ref        TEXT    NOT NULL PRIMARY KEY,
    judgement  TEXT    NOT NULL,             -- approved or rejected
    reason     TEXT    NOT NULL,             -- '' = nobody said
    seen_at    INTEGER NOT NULL,             -- an approval counts for the item as it was then
    created_by TEXT    NOT NULL,             -- the id of a key
    created_at INTEGER NOT NULL
) STRICT;
