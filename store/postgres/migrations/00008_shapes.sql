-- +goose Up

-- What is known of the records of each kind: places and JSON types, never what stands there.
CREATE TABLE shapes (
    source  text COLLATE "C" NOT NULL,
    kind    text COLLATE "C" NOT NULL,
    body    text             NOT NULL,  -- JSON
    kept_at timestamptz      NOT NULL,
    PRIMARY KEY (source, kind)
);
