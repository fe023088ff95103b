-- +goose Up

-- What is known of the records of each kind: places and JSON types, never what stands there.
CREATE TABLE shapes (
    source  TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    body    TEXT    NOT NULL,  -- JSON
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (source, kind)
) STRICT;
