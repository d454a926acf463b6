-- The indexes of keys and of persons hold as much of a hash as is enough to find it; whole key, content
-- and name stand with the submission. The smaller they are, the fewer of their pages a lead writes. A
-- submission from before 0002 has no keys and is not recognised any more.
ALTER TABLE keys RENAME TO keys_before;
CREATE TABLE keys (
    key     BLOB   NOT NULL,      -- the first 8 bytes
    lead_id BIGINT NOT NULL,
    PRIMARY KEY (key, lead_id)
) WITHOUT ROWID;
INSERT INTO keys SELECT substr(key, 1, 8) AS short, lead_id FROM keys_before k
    WHERE EXISTS (SELECT 1 FROM submissions s WHERE s.id = k.lead_id / 1024 AND length(s.keys) > 0)
    ORDER BY short, lead_id;
DROP TABLE keys_before;

ALTER TABLE persons RENAME TO persons_before;
CREATE TABLE persons (
    key BLOB   NOT NULL,          -- the first 8 bytes
    seq BIGINT NOT NULL,
    at  BIGINT NOT NULL,
    PRIMARY KEY (key, seq)
) WITHOUT ROWID;
INSERT OR IGNORE INTO persons SELECT substr(key, 1, 8) AS short, seq, at FROM persons_before
    ORDER BY short, seq;
DROP TABLE persons_before;

-- Up to this submission, keys that no longer make a repeat are out of their index.
INSERT INTO meta (key, value) VALUES ('keys_dropped_upto', 0);
