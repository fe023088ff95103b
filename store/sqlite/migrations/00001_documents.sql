-- Times are whole microseconds since 1970 in UTC. Texts are compared byte by byte.

-- +goose Up
CREATE TABLE drafts (
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    body       TEXT,              -- JSON; null = deleted, only the count of revisions is left
    revision   INTEGER NOT NULL,
    updated_by TEXT    NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT;

CREATE TABLE versions (
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    note       TEXT    NOT NULL,
    created_by TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name, number)
) STRICT;

-- A log: lines are added, and only their end is ever changed. A line whose end is its beginning
-- was taken back before it counted. At most one line of a document counts at any instant.
CREATE TABLE publications (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    from_at    INTEGER NOT NULL,
    until_at   INTEGER,           -- null = until further notice
    created_by TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    ended_by   TEXT,              -- null = nobody did
    FOREIGN KEY (kind, name, version) REFERENCES versions (kind, name, number)
) STRICT;

CREATE INDEX publications_by_document ON publications (kind, name, from_at);
CREATE INDEX publications_by_end ON publications (until_at);

-- One row that counts changes.
CREATE TABLE changes (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO changes (id, number) VALUES (1, 0);
