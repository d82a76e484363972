-- The highest lease number that this shard has seen of a migration's workers: a worker that lost its
-- lease and does not know it is refused here.
CREATE TABLE IF NOT EXISTS reshard.lease (
  migration text PRIMARY KEY,
  number bigint NOT NULL
);

CREATE OR REPLACE FUNCTION reshard.take_lease(for_migration text, by_number bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO reshard.lease AS l VALUES (for_migration, by_number)
    ON CONFLICT (migration) DO UPDATE SET number = excluded.number WHERE l.number <= excluded.number;
  PERFORM reshard.check_lease(for_migration, by_number);
END $$;

CREATE OR REPLACE FUNCTION reshard.check_lease(for_migration text, by_number bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  seen bigint;
BEGIN
  SELECT number INTO seen FROM reshard.lease WHERE migration = for_migration;
  IF seen IS DISTINCT FROM by_number THEN
    RAISE EXCEPTION USING ERRCODE = 'RS002',
      MESSAGE = format('migration %s: this worker holds lease %s, but shard has seen lease %s; '
        'another worker has taken over, and nothing was written', for_migration, by_number, seen);
  END IF;
END $$;

-- Rows that a change in the stream found missing, and did not bring whole: they are not copied yet.
-- The next round reads them under its own snapshot (HAZARDS F8).
CREATE TABLE IF NOT EXISTS reshard.refetch (
  migration text NOT NULL,
  source text NOT NULL,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  key_columns text[] NOT NULL,
  row_key text[] NOT NULL,
  PRIMARY KEY (migration, source, table_schema, table_name, row_key)
);
