-- +goose Up

-- Where each kind of a source is that is asked for what changed. Never content. Who polls one puts
-- due_at to the end of its turn; nobody else takes it before.
CREATE TABLE polls (
    source    TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    cursor    TEXT    NOT NULL,  -- "" = none yet
    holder    TEXT    NOT NULL,  -- the writer whose turn it was last
    due_at    INTEGER NOT NULL,
    polled_at INTEGER,           -- null = no poll succeeded yet
    PRIMARY KEY (source, kind)
) STRICT;
