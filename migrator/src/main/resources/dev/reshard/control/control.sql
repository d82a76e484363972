-- What a migration knows of itself. Lives in the control database only.
CREATE TABLE IF NOT EXISTS reshard.migration (
  name text PRIMARY KEY,
  keyspace text NOT NULL,
  state text NOT NULL,
  state_before_pause text,
  secret text NOT NULL,
  verification jsonb,
  clean_up text NOT NULL DEFAULT '',
  created timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Buckets as a bitmap in hex, bit 0 lowest.
CREATE TABLE IF NOT EXISTS reshard.move (
  migration text NOT NULL REFERENCES reshard.migration ON DELETE CASCADE,
  source text NOT NULL,
  destination text NOT NULL,
  buckets text NOT NULL,
  PRIMARY KEY (migration, source, destination)
);

-- A stage's buckets that leave one source for one destination; attempt grows with every fence.
CREATE TABLE IF NOT EXISTS reshard.stage_unit (
  migration text NOT NULL REFERENCES reshard.migration ON DELETE CASCADE,
  source text NOT NULL,
  destination text NOT NULL,
  place text NOT NULL DEFAULT 'AT_SOURCE',
  direction text NOT NULL DEFAULT 'FORWARD',
  attempt bigint NOT NULL DEFAULT 0,
  epoch bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (migration, source, destination)
);

-- Of a migration's states, and of its units' places: then "unit" says which, "epoch" what the map gets.
CREATE TABLE IF NOT EXISTS reshard.transition (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  migration text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  from_state text NOT NULL,
  to_state text NOT NULL,
  who text NOT NULL,
  why text NOT NULL,
  unit text NOT NULL DEFAULT '',
  epoch bigint
);

-- The last transition that is in the topic of events.
CREATE TABLE IF NOT EXISTS reshard.published (
  migration text PRIMARY KEY REFERENCES reshard.migration ON DELETE CASCADE,
  transition bigint NOT NULL
);

-- A bucket can be in one migration at a time.
CREATE TABLE IF NOT EXISTS reshard.claim (
  keyspace text NOT NULL,
  bucket int NOT NULL,
  migration text NOT NULL REFERENCES reshard.migration ON DELETE CASCADE,
  PRIMARY KEY (keyspace, bucket)
);

-- Who works on a migration; whose lease ran out may be replaced.
CREATE TABLE IF NOT EXISTS reshard.worker (
  migration text PRIMARY KEY,
  lease bigint NOT NULL,
  holder text NOT NULL,
  expires timestamptz NOT NULL,
  report jsonb,
  reported timestamptz
);

CREATE SEQUENCE IF NOT EXISTS reshard.incarnation;

-- A number for each shard that was ever a destination: its private range of ids, for good.
CREATE TABLE IF NOT EXISTS reshard.shard_ordinal (
  keyspace text NOT NULL,
  shard text NOT NULL,
  ordinal int NOT NULL,
  PRIMARY KEY (keyspace, shard),
  UNIQUE (keyspace, ordinal)
);

-- What an operator asks of the copy's pace: a rate as in the file, or 'off'.
CREATE TABLE IF NOT EXISTS reshard.throttle (
  migration text PRIMARY KEY REFERENCES reshard.migration ON DELETE CASCADE,
  rate text NOT NULL,
  who text NOT NULL,
  until timestamptz
);

CREATE TABLE IF NOT EXISTS reshard.request (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  migration text NOT NULL,
  command text NOT NULL,
  argument text NOT NULL DEFAULT '',
  who text NOT NULL,
  created timestamptz NOT NULL DEFAULT clock_timestamp(),
  deadline timestamptz NOT NULL,
  exit_code int,
  lines text[] NOT NULL DEFAULT '{}',
  begun timestamptz,
  answered timestamptz
);

-- Whatever exists outside this schema because of us, written here before it is made.
CREATE TABLE IF NOT EXISTS reshard.cleanup (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  migration text NOT NULL,
  shard text NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  undo text NOT NULL DEFAULT '',
  UNIQUE (migration, shard, kind, name)
);

-- What each shard's tables looked like when the rows of them that are replicated were last known to be
-- the stream's: a change that no message tells is found by comparing.
CREATE TABLE IF NOT EXISTS reshard.table_shape (
  migration text NOT NULL REFERENCES reshard.migration ON DELETE CASCADE,
  shard text NOT NULL,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  shape jsonb NOT NULL,
  PRIMARY KEY (migration, shard, table_schema, table_name)
);

-- The tables that a migration began with; a reference table has no key.
CREATE TABLE IF NOT EXISTS reshard.moved_table (
  migration text NOT NULL REFERENCES reshard.migration ON DELETE CASCADE,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  shard_key text,
  PRIMARY KEY (migration, table_schema, table_name)
);

-- Columns that rows were moved without, as the file named them under ignored_columns: from then on they
-- stay left out, as other shards do not have their values.
CREATE TABLE IF NOT EXISTS reshard.left_out_column (
  migration text NOT NULL REFERENCES reshard.migration ON DELETE CASCADE,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  column_name text NOT NULL,
  PRIMARY KEY (migration, table_schema, table_name, column_name)
);
