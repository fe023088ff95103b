-- +goose Up

-- What a row asks of the other processes, and which of them wrote it.
ALTER TABLE outbox ADD COLUMN topic TEXT NOT NULL DEFAULT 'stale';
ALTER TABLE outbox ADD COLUMN writer TEXT NOT NULL DEFAULT '';

-- Items that are kept out of everything that is delivered.
CREATE TABLE suppressions (
    ref        TEXT    NOT NULL PRIMARY KEY,
    reason     TEXT    NOT NULL,
    until_at   INTEGER,                      -- null = until it is taken back
    created_by TEXT    NOT NULL,             -- the id of a key
    created_at INTEGER NOT NULL
) STRICT;

-- Who did what, when and why. Lines are only added.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    action     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    created_by TEXT    NOT NULL,             -- the id of a key
    created_at INTEGER NOT NULL
) STRICT;
