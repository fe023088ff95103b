-- +goose Up

-- Trusted documents: the GraphQL texts that apps were built with.
CREATE TABLE operations (
    id         text COLLATE "C" NOT NULL PRIMARY KEY, -- the document identifier that requests send
    name       text             NOT NULL,
    body       text             NOT NULL,             -- the GraphQL text
    created_by text             NOT NULL,
    created_at timestamptz      NOT NULL,
    used_at    timestamptz                            -- to the day
);
