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
