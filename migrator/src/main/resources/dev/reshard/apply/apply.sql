-- How far a lane has come, in the database that it writes to: the position moves in the same
-- transaction as the data, so that a crash loses both or neither. Updated by every batch, hence the
-- room left in its page.
CREATE TABLE IF NOT EXISTS reshard.lane (
  migration text NOT NULL,
  source text NOT NULL,
  applied pg_lsn NOT NULL,
  incarnation bigint NOT NULL,
  next_offset bigint NOT NULL,
  system text,
  timeline integer,
  muted bytea NOT NULL DEFAULT '',
  mute_changes bigint NOT NULL DEFAULT 0,
  last_token text,
  last_commit timestamptz,
  updated timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (migration, source)
) WITH (fillfactor = 20);

-- A table that an older version made. Asked before, as ALTER TABLE locks the lanes out even if it has
-- nothing to do.
DO $$ BEGIN
  IF (SELECT count(*) FROM pg_attribute
       WHERE attrelid = 'reshard.lane'::regclass AND attname IN ('system', 'timeline')) < 2 THEN
    ALTER TABLE reshard.lane ADD COLUMN IF NOT EXISTS system text,
      ADD COLUMN IF NOT EXISTS timeline integer;
  END IF;
END $$;

COMMENT ON COLUMN reshard.lane.system IS 'whose WAL "applied" is of, with the timeline; null: not known';
COMMENT ON COLUMN reshard.lane.applied IS 'end of the commit record of the last transaction applied';
COMMENT ON COLUMN reshard.lane.muted IS 'bitmap of the buckets that left the source: read by get_bit';

-- Changes that a lane refused because their bucket has left the source: keys only.
CREATE TABLE IF NOT EXISTS reshard.rejected (
  migration text NOT NULL,
  source text NOT NULL,
  commit_end pg_lsn NOT NULL,
  place integer NOT NULL,
  table_name text NOT NULL,
  kind text NOT NULL,
  old_bucket integer,
  new_bucket integer,
  key_columns text[],
  key text[],
  seen timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (migration, source, commit_end, place)
);

-- Adds buckets to those that a lane must not apply, or takes them out. Waits for the lane's batch in
-- flight; the lane's next batch sees it.
CREATE OR REPLACE FUNCTION reshard.mute_lane(
  for_migration text, for_source text, buckets integer[], mute boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  bits bytea;
  bucket integer;
BEGIN
  SELECT muted INTO bits FROM reshard.lane
   WHERE migration = for_migration AND source = for_source FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'RS003',
      MESSAGE = format('migration %s has no lane from shard %s in this database; nothing was muted',
        for_migration, for_source);
  END IF;
  FOREACH bucket IN ARRAY buckets LOOP
    IF bucket / 8 >= length(bits) THEN
      bits := bits || decode(repeat('00', bucket / 8 + 1 - length(bits)), 'hex');
    END IF;
    bits := set_bit(bits, bucket, mute::integer);
  END LOOP;
  UPDATE reshard.lane SET muted = bits, mute_changes = mute_changes + 1
   WHERE migration = for_migration AND source = for_source;
END $$;
