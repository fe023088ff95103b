-- +goose Up

-- Webhook events that came, so that a repeated one does nothing.
CREATE TABLE events (
    source  TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT;

CREATE INDEX events_by_age ON events (seen_at);

-- The cache tags that an event makes old. Never content.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    source     TEXT    NOT NULL,
    tags       TEXT    NOT NULL, -- a JSON list
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_by_age ON outbox (created_at);
