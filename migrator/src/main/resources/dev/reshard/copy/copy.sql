-- Tables whose moving buckets were seen to be empty here before a copy began: whatever rows of those
-- buckets are found in them afterwards, this migration has loaded.
CREATE TABLE IF NOT EXISTS reshard.copied_table (
  migration text NOT NULL,
  source text NOT NULL,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  PRIMARY KEY (migration, source, table_schema, table_name)
);

-- What has been loaded here. A row commits together with its chunk's rows, so that this is the only
-- truth about them.
CREATE TABLE IF NOT EXISTS reshard.copied_chunk (
  migration text NOT NULL,
  source text NOT NULL,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  leaf_schema text NOT NULL,
  leaf_name text NOT NULL,
  from_block bigint NOT NULL,
  anchor pg_lsn NOT NULL,
  rows bigint NOT NULL,
  strays bigint NOT NULL,
  copied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (migration, source, table_schema, table_name, leaf_schema, leaf_name, from_block)
);
