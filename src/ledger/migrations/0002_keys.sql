-- A submission brings its keys along: the index of keys follows later, in key order; see keys.rs.
ALTER TABLE submissions ADD COLUMN keys BLOB NOT NULL DEFAULT x'';  -- 40 bytes a lead
INSERT INTO meta (key, value) SELECT 'keys_upto', coalesce(max(id), 0) FROM submissions;
