-- Leads whose personal data was taken away, in the order in which it was: what a running daemon keeps
-- in memory follows this list, and the index of persons takes nobody back who is on it.
CREATE TABLE forgotten (
    n       INTEGER PRIMARY KEY AUTOINCREMENT,
    lead_id BIGINT NOT NULL UNIQUE,
    at      BIGINT NOT NULL
);

-- Persons who were erased, as keyed hashes: that it was done, and when. Nobody is kept out by it.
CREATE TABLE suppressions (
    key   BLOB   PRIMARY KEY,
    since BIGINT NOT NULL,
    why   TEXT   NOT NULL
) WITHOUT ROWID;
