-- Endpoints that are paused or failing; those that work have no row. In work, `pool` is from now on the
-- pool or the endpoint ("webhook NAME") at which a thing waits for a place.
CREATE TABLE endpoints (
    name          TEXT PRIMARY KEY,
    paused_at     BIGINT,
    why           TEXT,
    failing_since BIGINT          -- the first failure after the last success
) WITHOUT ROWID;
