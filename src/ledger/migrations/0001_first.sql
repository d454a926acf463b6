-- Times are epoch milliseconds UTC. Tables have an integer key inside and a UUIDv7 outside.
-- No index on a random key stands in the commit path but the one that makes a repeat a repeat.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO meta (key, value) VALUES ('decided_upto', 0), ('persons_upto', 0);

CREATE TABLE submissions (
    id          INTEGER PRIMARY KEY,
    source      TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    headers     TEXT   NOT NULL,
    query       TEXT   NOT NULL,
    raw         BLOB   NOT NULL,
    leads       BLOB   NOT NULL   -- 25 bytes a lead: standing, seq, uuid; see receive.rs
);

CREATE TABLE keys (
    source    TEXT   NOT NULL,
    key       BLOB   NOT NULL,
    lead_id   BIGINT NOT NULL,
    lead_uuid BLOB   NOT NULL,
    body_hash BLOB   NOT NULL,
    until     BIGINT,             -- a repeat counts as the same lead until then; NULL for ever
    PRIMARY KEY (source, key)
) WITHOUT ROWID;

CREATE TABLE leads (
    seq           INTEGER PRIMARY KEY,
    id            BLOB    NOT NULL,
    submission_id BIGINT  NOT NULL,
    source        TEXT    NOT NULL,
    stage         TEXT    NOT NULL,
    reason        TEXT,
    hold_cause    TEXT,
    version       BIGINT  NOT NULL,
    is_test       BIGINT  NOT NULL,
    received_at   BIGINT  NOT NULL,
    fields        TEXT    NOT NULL,
    attribution   TEXT    NOT NULL,
    consent       TEXT    NOT NULL,
    signals       TEXT    NOT NULL,
    grade         TEXT,
    points        BIGINT  NOT NULL,
    pool          TEXT,
    owner         TEXT,
    policy        BIGINT
);
CREATE UNIQUE INDEX leads_id ON leads (id);
CREATE INDEX leads_stage ON leads (stage, seq);

CREATE TABLE persons (
    key BLOB   NOT NULL,
    seq BIGINT NOT NULL,
    at  BIGINT NOT NULL,
    PRIMARY KEY (key, seq)
) WITHOUT ROWID;

CREATE TABLE facts (
    lead_id BIGINT NOT NULL,
    seq     BIGINT NOT NULL,      -- of the verdict's event
    data    TEXT   NOT NULL,
    PRIMARY KEY (lead_id, seq)
) WITHOUT ROWID;

CREATE TABLE events (
    lead_id BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    v       BIGINT NOT NULL,
    policy  BIGINT,               -- whose phrases the trace in data names
    data    TEXT   NOT NULL,
    PRIMARY KEY (lead_id, seq)
) WITHOUT ROWID;

CREATE TABLE assignments (
    lead_id    BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    rep        TEXT   NOT NULL,
    offered_at BIGINT NOT NULL,
    deadline   BIGINT,
    closed_at  BIGINT,
    why        TEXT,
    PRIMARY KEY (lead_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX assignments_open ON assignments (lead_id) WHERE closed_at IS NULL;

CREATE TABLE deliveries (
    id             INTEGER PRIMARY KEY,
    lead_id        BIGINT NOT NULL,
    assignment_seq BIGINT NOT NULL,
    channel        TEXT   NOT NULL,
    target         TEXT   NOT NULL,
    state          TEXT   NOT NULL
);
CREATE INDEX deliveries_lead ON deliveries (lead_id);
CREATE INDEX deliveries_dead ON deliveries (id) WHERE state = 'dead';

CREATE TABLE attempts (
    delivery_id BIGINT NOT NULL,
    n           BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    took_ms     BIGINT,
    result      TEXT,
    PRIMARY KEY (delivery_id, n)
) WITHOUT ROWID;

-- A key is never given twice: an old ticket must not fit a new row.
CREATE TABLE work (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    lead_id  BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    ref      BIGINT NOT NULL,
    due_at   BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    attempt  BIGINT NOT NULL,
    version  BIGINT NOT NULL,
    pool     TEXT                 -- where the lead waits for a place; NULL for everything else
);
CREATE INDEX work_waiting ON work (pool, priority, lead_id) WHERE pool IS NOT NULL;
CREATE INDEX work_due ON work (kind, priority, due_at);
CREATE INDEX work_lead ON work (lead_id);

CREATE TABLE reps_load (
    rep   TEXT PRIMARY KEY,
    day   BIGINT NOT NULL,        -- days since the epoch in the rep's time zone
    today BIGINT NOT NULL,
    open  BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE credits (
    pool   TEXT   NOT NULL,
    rep    TEXT   NOT NULL,
    credit BIGINT NOT NULL,
    PRIMARY KEY (pool, rep)
) WITHOUT ROWID;

CREATE TABLE policies (
    id           INTEGER PRIMARY KEY,
    hash         TEXT   NOT NULL UNIQUE,
    published_at BIGINT NOT NULL,
    phrases      TEXT   NOT NULL,
    text         TEXT   NOT NULL
);
