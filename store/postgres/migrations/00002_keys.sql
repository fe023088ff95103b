-- +goose Up
CREATE TABLE keys (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    name       text             NOT NULL,
    class      text             NOT NULL,
    hash       bytea            NOT NULL UNIQUE, -- SHA-256 of the key, never the key
    origins    text             NOT NULL,        -- a JSON list
    created_at timestamptz      NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    used_at    timestamptz                       -- to the hour
);

CREATE TABLE secrets (
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    value bytea            NOT NULL
);
