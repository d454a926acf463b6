-- What was fetched for leads whose platform sends an id only: raw, as submissions.raw is.
CREATE TABLE fetched (
    lead_id INTEGER PRIMARY KEY,
    at      BIGINT NOT NULL,
    raw     BLOB   NOT NULL
);
