-- Tables whose moving buckets were seen to be empty here before a copy began: whatever rows of those
-- buckets are found in them afterwards, this migration has loaded.
CREATE TABLE IF NOT EXISTS reshard.copied_table (
  migration text NOT NULL,
  source text NOT NULL,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  shape text NOT NULL,
  leaves text NOT NULL,
  since pg_lsn,
  round pg_lsn,
  complete boolean NOT NULL DEFAULT false,
  PRIMARY KEY (migration, source, table_schema, table_name)
);

COMMENT ON COLUMN reshard.copied_table.shape IS 'what the table was when its copy began';
COMMENT ON COLUMN reshard.copied_table.leaves IS 'its partitions when the last round began, or itself';
COMMENT ON COLUMN reshard.copied_table.since IS 'anchor of the first round that loaded it';
COMMENT ON COLUMN reshard.copied_table.round IS 'anchor of the round under way';
COMMENT ON COLUMN reshard.copied_table.complete IS 'all its rows of that round are here';

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
  blocks bigint NOT NULL,
  file_node bigint NOT NULL,
  anchor pg_lsn NOT NULL,
  rows bigint NOT NULL,
  strays bigint NOT NULL,
  copied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (migration, source, table_schema, table_name, leaf_schema, leaf_name, from_block)
);
