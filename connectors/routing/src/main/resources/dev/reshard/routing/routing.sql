-- The shard map of every keyspace, in the control database. Only `reshard.keyspace.epoch` is compared
-- and set; the owners change with it in one transaction.
CREATE SCHEMA IF NOT EXISTS reshard;
GRANT USAGE ON SCHEMA reshard TO PUBLIC;

CREATE TABLE IF NOT EXISTS reshard.keyspace (
  name text PRIMARY KEY,
  partitioning text NOT NULL,
  buckets int NOT NULL CHECK (buckets > 0),
  epoch bigint NOT NULL CHECK (epoch > 0)
);

CREATE TABLE IF NOT EXISTS reshard.shard_map (
  keyspace text NOT NULL REFERENCES reshard.keyspace ON DELETE CASCADE,
  bucket int NOT NULL CHECK (bucket >= 0),
  owner text NOT NULL,
  epoch bigint NOT NULL, -- the bucket came to its owner at this epoch
  PRIMARY KEY (keyspace, bucket)
);

-- The keys of a keyspace whose buckets are those of the user's own lookup table.
CREATE TABLE IF NOT EXISTS reshard.directory (
  keyspace text NOT NULL REFERENCES reshard.keyspace ON DELETE CASCADE,
  bucket int NOT NULL CHECK (bucket >= 0),
  key text COLLATE "C" NOT NULL,
  PRIMARY KEY (keyspace, bucket),
  UNIQUE (keyspace, key)
);

-- Not CREATE OR REPLACE: that would wait for everybody who is just reading the view.
DO $$
BEGIN
  IF to_regclass('reshard.owners') IS NULL THEN
    CREATE VIEW reshard.owners AS SELECT keyspace, bucket, owner, epoch FROM reshard.shard_map;
  END IF;
END $$;

GRANT SELECT ON reshard.keyspace, reshard.shard_map, reshard.directory, reshard.owners TO PUBLIC;
