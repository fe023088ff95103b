-- +goose Up

-- Trusted documents: the GraphQL texts that apps were built with.
CREATE TABLE operations (
    id         TEXT    NOT NULL PRIMARY KEY, -- the document identifier that requests send
    name       TEXT    NOT NULL,
    body       TEXT    NOT NULL,             -- the GraphQL text
    created_by TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    used_at    INTEGER                       -- to the day
) STRICT;
