-- +goose Up

-- Where each kind of a source is that is asked for what changed. Never content. Who polls one puts
-- due_at to the end of its turn; nobody else takes it before.
CREATE TABLE polls (
    source    text COLLATE "C" NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    cursor    text             NOT NULL,  -- "" = none yet
    holder    text             NOT NULL,  -- the writer whose turn it was last
    due_at    timestamptz      NOT NULL,
    polled_at timestamptz,                -- null = no poll succeeded yet
    PRIMARY KEY (source, kind)
);
