-- What this shard knows of each unit: one row, locked by every function that changes its guard, and
-- four sequences that the triggers read. Sequences are not MVCC: every session sees them at once, also
-- under a snapshot older than the guard itself.
--
--            until              sealed
--   open     0                  0         application writes pass
--   fenced   a time in ms       0 (or 1)  they fail with RS001 until then; later ones count in "broken" and pass
--   closed   for ever           2         they fail: the buckets left, or have not come yet
CREATE TABLE IF NOT EXISTS reshard.guard (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  keyspace text NOT NULL,
  migration text NOT NULL,
  unit text NOT NULL,
  buckets text NOT NULL,                  -- bitmap in hex, of those that leave or enter this shard
  tables oid[] NOT NULL,                  -- roots
  until_seq oid NOT NULL,
  broken_seq oid NOT NULL,
  sealed_seq oid NOT NULL,
  epoch_seq oid NOT NULL,
  attempt bigint NOT NULL DEFAULT 0,      -- the highest seen; a lower one is void here
  fenced_attempt bigint NOT NULL DEFAULT 0, -- the last that fenced; if the guard is closed, the one that sealed it
  disarming boolean NOT NULL DEFAULT false,
  UNIQUE (migration, unit)
);

CREATE TABLE IF NOT EXISTS reshard.guard_journal (
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  migration text NOT NULL,
  unit text NOT NULL,
  step text NOT NULL,
  attempt bigint NOT NULL,
  lease bigint NOT NULL,
  epoch bigint
);

-- The group of a keyspace's buckets that this shard does not own and that are in no unit.
CREATE TABLE IF NOT EXISTS reshard.guard_outside (
  keyspace text PRIMARY KEY,
  id integer GENERATED ALWAYS AS IDENTITY,
  buckets text NOT NULL,                  -- guarded now
  departed text NOT NULL,                 -- owned once, and left: these stay guarded after a migration
  tables oid[] NOT NULL
);

-- Sequences that have a range of their own on this shard, and how to put them back.
CREATE TABLE IF NOT EXISTS reshard.private_range (
  sequence oid PRIMARY KEY,
  from_value bigint NOT NULL,
  to_value bigint NOT NULL,
  undo text NOT NULL
);

-- Registers a unit and makes its sequences, unless an earlier call did. A table belongs to one migration
-- at a time: two would make the function that tells its rows anew in turn, each with its own columns.
CREATE OR REPLACE FUNCTION reshard.guard_register(of_keyspace text, of_migration text, of_unit text,
  by_lease bigint, of_buckets text, of_tables oid[], born_closed boolean, at_epoch bigint) RETURNS reshard.guard
LANGUAGE plpgsql AS $$
DECLARE
  g reshard.guard;
  part text;
  seqs oid[] := '{}';
  other record;
BEGIN
  PERFORM reshard.check_lease(of_migration, by_lease);
  PERFORM pg_advisory_xact_lock(7235414); -- who registers at the same time is seen below
  INSERT INTO reshard.guard
      (keyspace, migration, unit, buckets, tables, until_seq, broken_seq, sealed_seq, epoch_seq)
    VALUES (of_keyspace, of_migration, of_unit, of_buckets, of_tables, 0, 0, 0, 0)
    ON CONFLICT (migration, unit) DO NOTHING RETURNING * INTO g;
  SELECT o.migration, o.keyspace, t.root::regclass AS name INTO other
    FROM reshard.guard o CROSS JOIN LATERAL unnest(o.tables) t(root)
   WHERE o.migration <> of_migration AND t.root = ANY (of_tables) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'RS004', MESSAGE = format(
      'migration %s of keyspace %s moves rows of %s on this shard; complete or cancel that one first',
      other.migration, other.keyspace, other.name);
  END IF;
  IF g.id IS NULL THEN
    SELECT * INTO g FROM reshard.guard WHERE migration = of_migration AND unit = of_unit FOR UPDATE;
    IF g.buckets <> of_buckets OR g.keyspace <> of_keyspace THEN
      RAISE EXCEPTION USING ERRCODE = 'RS004', MESSAGE = format(
        'unit %s of migration %s is armed here for other buckets; disarm it first', of_unit, of_migration);
    END IF;
    UPDATE reshard.guard SET tables = of_tables, disarming = false WHERE id = g.id;
    RETURN g;
  END IF;
  FOREACH part IN ARRAY ARRAY['until', 'broken', 'sealed', 'epoch'] LOOP
    EXECUTE format('CREATE SEQUENCE reshard.guard_%s_%s AS bigint MINVALUE 0 START 0', g.id, part);
    EXECUTE format('GRANT SELECT ON SEQUENCE reshard.guard_%s_%s TO PUBLIC', g.id, part);
    seqs := seqs || to_regclass(format('reshard.guard_%s_%s', g.id, part))::oid;
  END LOOP;
  EXECUTE format('GRANT USAGE ON SEQUENCE reshard.guard_%s_broken TO PUBLIC', g.id);
  PERFORM setval(seqs[2], 0), setval(seqs[4], at_epoch);
  PERFORM setval(seqs[3], CASE WHEN born_closed THEN 2 ELSE 0 END);
  PERFORM setval(seqs[1], CASE WHEN born_closed THEN 9223372036854775807 ELSE 0 END);
  UPDATE reshard.guard SET until_seq = seqs[1], broken_seq = seqs[2], sealed_seq = seqs[3],
    epoch_seq = seqs[4] WHERE id = g.id RETURNING * INTO g;
  RETURN g;
END $$;

-- The unit's row, locked, for a call that is neither void nor a superseded worker's. A worker that
-- freezes with the lock is thrown out, so that the next one need not wait for its host.
CREATE OR REPLACE FUNCTION reshard.guard_lock(of_migration text, of_unit text, by_lease bigint,
  in_attempt bigint) RETURNS reshard.guard
LANGUAGE plpgsql AS $$
DECLARE
  g reshard.guard;
BEGIN
  PERFORM set_config('idle_in_transaction_session_timeout', '2s', true);
  SELECT * INTO g FROM reshard.guard WHERE migration = of_migration AND unit = of_unit FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'RS004', MESSAGE = format(
      'unit %s of migration %s is not armed on this shard; nothing was changed', of_unit, of_migration);
  END IF;
  PERFORM reshard.check_lease(of_migration, by_lease);
  IF in_attempt < g.attempt THEN
    RAISE EXCEPTION USING ERRCODE = 'RS003', MESSAGE = format(
      'attempt %s at unit %s of migration %s is void: this shard has seen attempt %s; nothing was changed',
      in_attempt, of_unit, of_migration, g.attempt);
  END IF;
  RETURN g;
END $$;

CREATE OR REPLACE FUNCTION reshard.guard_note(g reshard.guard, step text, in_attempt bigint,
  by_lease bigint, at_epoch bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE reshard.guard SET attempt = in_attempt WHERE id = g.id AND attempt <> in_attempt;
  INSERT INTO reshard.guard_journal (migration, unit, step, attempt, lease, epoch)
    VALUES (g.migration, g.unit, step, in_attempt, by_lease, at_epoch);
END $$;

-- Voids all lower attempts on this shard.
CREATE OR REPLACE FUNCTION reshard.guard_claim(of_migration text, of_unit text, by_lease bigint,
  in_attempt bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  g reshard.guard := reshard.guard_lock(of_migration, of_unit, by_lease, in_attempt);
BEGIN
  PERFORM set_config('synchronous_commit', 'on', true);
  PERFORM reshard.guard_note(g, 'claim', in_attempt, by_lease, NULL);
END $$;

-- Fences: "until" is set last, so that the pause begins with the end of this call. Not flushed on its
-- own: the token's commit flushes it, and before the token nothing depends on it.
CREATE OR REPLACE FUNCTION reshard.guard_fence(of_migration text, of_unit text, by_lease bigint,
  in_attempt bigint, budget_ms bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  g reshard.guard := reshard.guard_lock(of_migration, of_unit, by_lease, in_attempt);
BEGIN
  IF pg_sequence_last_value(g.sealed_seq) = 2 THEN
    RAISE EXCEPTION USING ERRCODE = 'RS004', MESSAGE = format(
      'unit %s of migration %s is closed on this shard, which does not own it; there is nothing to fence',
      of_unit, of_migration);
  END IF;
  IF in_attempt <= g.fenced_attempt THEN
    RAISE EXCEPTION USING ERRCODE = 'RS003', MESSAGE = format(
      'attempt %s at unit %s of migration %s has fenced before; a new fence is a new attempt',
      in_attempt, of_unit, of_migration);
  END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE reshard.guard SET fenced_attempt = in_attempt WHERE id = g.id;
  PERFORM reshard.guard_note(g, 'fence', in_attempt, by_lease, NULL);
  PERFORM setval(g.broken_seq, 0);
  PERFORM setval(g.sealed_seq, 0);
  RETURN setval(g.until_seq,
    (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint + budget_ms);
END $$;

-- Waits until the transactions are gone that may have written before they could see the fence: all that
-- hold a writer's lock on the unit's tables now and have a transaction id. One without an id has written
-- no row yet, so its triggers will see the fence; the id, unlike a virtual one, outlives PREPARE
-- TRANSACTION. (TRUNCATE fires its trigger before it writes, but takes its id with its lock.) Our own
-- sessions are not waited for: they pass guards anyway. Returns who is left after the timeout.
CREATE OR REPLACE FUNCTION reshard.guard_wait(of_migration text, of_unit text, timeout_ms bigint)
RETURNS TABLE (pid integer, gid text, role text, application text, since timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  deadline timestamptz := clock_timestamp() + timeout_ms * interval '1 ms';
  roots oid[] := (SELECT g.tables FROM reshard.guard g
    WHERE g.migration = of_migration AND g.unit = of_unit);
  relations oid[] := ARRAY(SELECT unnest(roots) UNION
    SELECT t.relid FROM unnest(roots) r(root) CROSS JOIN LATERAL pg_partition_tree(r.root) t);
  top bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  writers xid8[];
BEGIN
  IF roots IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'RS004', MESSAGE = format(
      'unit %s of migration %s is not armed on this shard', of_unit, of_migration);
  END IF;
  WITH locks AS MATERIALIZED (SELECT * FROM pg_locks), holders AS (
    SELECT DISTINCT l.virtualtransaction FROM locks l
     WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY (relations)
       AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
       AND l.pid IS DISTINCT FROM pg_backend_pid()
       AND NOT EXISTS (SELECT FROM pg_stat_activity a
         WHERE a.pid = l.pid AND a.usename = session_user AND a.application_name LIKE 'reshard %'))
  SELECT array_agg((top + (x.transactionid::text::bigint - top % 4294967296 + 6442450944) % 4294967296
           - 2147483648)::text::xid8)
    INTO writers
    FROM holders h JOIN locks x ON x.virtualtransaction = h.virtualtransaction
   WHERE x.locktype = 'transactionid' AND x.mode = 'ExclusiveLock' AND x.granted;
  LOOP
    writers := ARRAY(SELECT w FROM unnest(writers) w
      WHERE NOT pg_visible_in_snapshot(w, pg_current_snapshot()));
    EXIT WHEN cardinality(writers) = 0;
    IF clock_timestamp() >= deadline THEN
      PERFORM pg_stat_clear_snapshot();
      RETURN QUERY
        SELECT a.pid, NULL, a.usename::text, a.application_name, a.xact_start FROM pg_stat_activity a
         WHERE a.backend_xid::text IN (SELECT w::xid::text FROM unnest(writers) w)
        UNION ALL
        SELECT NULL, p.gid, p.owner::text, NULL, p.prepared FROM pg_prepared_xacts p
         WHERE p.transaction::text IN (SELECT w::xid::text FROM unnest(writers) w);
      EXIT WHEN FOUND;
      IF clock_timestamp() >= deadline + interval '1 s' THEN
        -- ended by now, says the server, and yet not seen to have: who asked must not wait for ever
        RETURN QUERY SELECT NULL::integer, NULL::text, 'unknown', 'a transaction that is not listed', NULL::timestamptz;
        EXIT;
      END IF;
    END IF;
    PERFORM pg_sleep(0.001);
  END LOOP;
END $$;

-- Follows, in commit order, every write that was let through before the fence. The commit is flushed,
-- and with it everything before it.
CREATE OR REPLACE FUNCTION reshard.guard_token(token text) RETURNS pg_lsn
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'on', true);
  RETURN pg_logical_emit_message(true, 'reshard.fence', token);
END $$;

-- Waits until every physical standby that streams from here has flushed what this server has flushed by now,
-- so that a failover loses neither a seal nor what was applied before it (F18). Returns who has not when the
-- time is over. A standby that is not connected is not waited for, nor is one that only receives WAL.
CREATE OR REPLACE FUNCTION reshard.guard_await_standbys(timeout_ms bigint)
RETURNS TABLE (standby text)
LANGUAGE plpgsql AS $$
DECLARE
  deadline timestamptz := clock_timestamp() + timeout_ms * interval '1 ms';
  target pg_lsn := pg_current_wal_flush_lsn();
BEGIN
  LOOP
    RETURN QUERY
      SELECT r.application_name || coalesce(' at ' || host(r.client_addr), '') FROM pg_stat_replication r
       WHERE r.state = 'streaming' AND r.replay_lsn IS NOT NULL AND r.flush_lsn < target
         AND clock_timestamp() >= deadline
         AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical');
    EXIT WHEN FOUND OR NOT EXISTS (
      SELECT FROM pg_stat_replication r
       WHERE r.state = 'streaming' AND r.replay_lsn IS NOT NULL AND r.flush_lsn < target
         AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'));
    PERFORM pg_sleep(0.001);
  END LOOP;
END $$;

-- A sealed guard, written once more so that it is flushed: whoever wrote it first may not have come to that.
CREATE OR REPLACE FUNCTION reshard.guard_write_sealed(g reshard.guard) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'on', true);
  PERFORM setval(g.sealed_seq, 2);
  PERFORM setval(g.until_seq, 9223372036854775807);
END $$;

-- Decides. A writer that comes after the fence ran out counts in "broken" first and reads "sealed" then;
-- this does the opposite, so one of the two always sees the other, whatever the clocks do.
-- False: a write got through, nothing is sealed.
CREATE OR REPLACE FUNCTION reshard.guard_seal(of_migration text, of_unit text, by_lease bigint,
  in_attempt bigint, at_epoch bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  g reshard.guard := reshard.guard_lock(of_migration, of_unit, by_lease, in_attempt);
  sealed bigint := pg_sequence_last_value(g.sealed_seq);
BEGIN
  IF in_attempt <> g.fenced_attempt OR pg_sequence_last_value(g.until_seq) = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'RS004', MESSAGE = format(
      'attempt %s has no fence at unit %s of migration %s (lifted, or never set); nothing was sealed',
      in_attempt, of_unit, of_migration);
  END IF;
  IF sealed <> 2 THEN
    PERFORM set_config('synchronous_commit', 'on', true);
    PERFORM setval(g.sealed_seq, 1);
    IF pg_sequence_last_value(g.broken_seq) IS DISTINCT FROM 0 THEN
      PERFORM setval(g.sealed_seq, 0);
      PERFORM reshard.guard_note(g, 'touched', in_attempt, by_lease, NULL);
      RETURN false;
    END IF;
    PERFORM setval(g.epoch_seq, at_epoch);
  END IF;
  PERFORM reshard.guard_write_sealed(g);
  PERFORM reshard.guard_note(g, 'seal', in_attempt, by_lease, at_epoch);
  RETURN true;
END $$;

-- Opens a fenced guard again. False, and nothing opened, if it is closed: then that is flushed, and the
-- way is forward.
CREATE OR REPLACE FUNCTION reshard.guard_lift(of_migration text, of_unit text, by_lease bigint,
  in_attempt bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  g reshard.guard := reshard.guard_lock(of_migration, of_unit, by_lease, in_attempt);
BEGIN
  IF pg_sequence_last_value(g.sealed_seq) = 2 THEN
    PERFORM reshard.guard_write_sealed(g);
    PERFORM reshard.guard_note(g, 'seal again', in_attempt, by_lease, NULL);
    RETURN false;
  END IF;
  PERFORM set_config('synchronous_commit', 'on', true);
  PERFORM setval(g.until_seq, 0);
  PERFORM setval(g.sealed_seq, 0);
  PERFORM reshard.guard_note(g, 'lift', in_attempt, by_lease, NULL);
  RETURN true;
END $$;

-- Opens a closed guard: at a destination after the seal, or at a source whose unit comes back.
CREATE OR REPLACE FUNCTION reshard.guard_open(of_migration text, of_unit text, by_lease bigint,
  in_attempt bigint, at_epoch bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  g reshard.guard := reshard.guard_lock(of_migration, of_unit, by_lease, in_attempt);
BEGIN
  PERFORM set_config('synchronous_commit', 'on', true);
  IF pg_sequence_last_value(g.until_seq) = 0 THEN
    PERFORM reshard.guard_note(g, 'open again', in_attempt, by_lease, at_epoch);
    RETURN;
  END IF;
  -- An open that its server process did not survive may have come as far as "sealed".
  IF pg_sequence_last_value(g.sealed_seq) <> 2
     AND pg_sequence_last_value(g.until_seq) <> 9223372036854775807 THEN
    RAISE EXCEPTION USING ERRCODE = 'RS004', MESSAGE = format(
      'unit %s of migration %s is fenced on this shard, not closed; lift it', of_unit, of_migration);
  END IF;
  IF in_attempt <= g.fenced_attempt THEN
    RAISE EXCEPTION USING ERRCODE = 'RS003', MESSAGE = format(
      'attempt %s sealed unit %s of migration %s on this shard and cannot open it', in_attempt, of_unit,
      of_migration);
  END IF;
  PERFORM reshard.guard_note(g, 'open', in_attempt, by_lease, at_epoch);
  PERFORM setval(g.epoch_seq, at_epoch);
  PERFORM setval(g.broken_seq, 0);
  PERFORM setval(g.sealed_seq, 0);
  PERFORM setval(g.until_seq, 0);
END $$;

-- Lets a session compile what it will call in the pause, and read the catalog for it. No lease has number
-- -1, so the calls end where they look at it.
CREATE OR REPLACE FUNCTION reshard.guard_warm_up(of_migration text, of_unit text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  step text;
BEGIN
  PERFORM set_config('lock_timeout', '50ms', true);
  FOREACH step IN ARRAY ARRAY['guard_fence(%L, %L, -1, 0, 0)', 'guard_seal(%L, %L, -1, 0, 0)',
    'guard_open(%L, %L, -1, 0, 0)', 'guard_lift(%L, %L, -1, 0)'] LOOP
    BEGIN
      EXECUTE 'SELECT reshard.' || format(step, of_migration, of_unit);
    EXCEPTION WHEN SQLSTATE 'RS002' OR lock_not_available THEN NULL;
    END;
  END LOOP;
  PERFORM reshard.guard_wait(of_migration, of_unit, 0), reshard.guard_await_standbys(0);
END $$;

CREATE OR REPLACE FUNCTION reshard.guard_state(of_migration text, of_unit text)
RETURNS TABLE (attempt bigint, fenced_attempt bigint, until bigint, broken bigint, sealed bigint,
  epoch bigint, now bigint)
LANGUAGE sql AS $$
  SELECT g.attempt, g.fenced_attempt, pg_sequence_last_value(g.until_seq),
         pg_sequence_last_value(g.broken_seq), pg_sequence_last_value(g.sealed_seq),
         pg_sequence_last_value(g.epoch_seq),
         (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint
    FROM reshard.guard g WHERE g.migration = of_migration AND g.unit = of_unit
$$;

-- Begins to disarm: from now on the unit counts as gone. "left" says that its buckets left this shard
-- through a seal, "came" that this shard owns them. No row: it is not armed.
CREATE OR REPLACE FUNCTION reshard.guard_disarm(of_migration text, of_unit text, by_lease bigint)
RETURNS TABLE (id integer, buckets text, tables oid[], "left" boolean, came boolean)
LANGUAGE plpgsql AS $$
DECLARE
  g reshard.guard;
  is_closed boolean;
BEGIN
  SELECT * INTO g FROM reshard.guard r WHERE r.migration = of_migration AND r.unit = of_unit FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM reshard.check_lease(of_migration, by_lease);
  is_closed := pg_sequence_last_value(g.sealed_seq) = 2;
  IF NOT is_closed AND pg_sequence_last_value(g.until_seq) <> 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'RS004', MESSAGE = format(
      'unit %s of migration %s is fenced on this shard; lift it before it is disarmed', of_unit, of_migration);
  END IF;
  UPDATE reshard.guard r SET disarming = true WHERE r.id = g.id;
  RETURN QUERY SELECT g.id, g.buckets, g.tables, is_closed AND g.fenced_attempt > 0, NOT is_closed;
END $$;

-- The end of disarming, once no trigger is left.
CREATE OR REPLACE FUNCTION reshard.guard_forget(of_id integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  part text;
  unused regprocedure;
BEGIN
  EXECUTE format('DROP FUNCTION IF EXISTS reshard.guard_%s()', of_id);
  FOREACH part IN ARRAY ARRAY['until', 'broken', 'sealed', 'epoch'] LOOP
    EXECUTE format('DROP SEQUENCE IF EXISTS reshard.guard_%s_%s', of_id, part);
  END LOOP;
  FOR unused IN
    SELECT p.oid FROM pg_proc p
     WHERE p.pronamespace = to_regnamespace('reshard') AND p.proname ~ '^row_[0-9]+$'
       AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)
  LOOP
    EXECUTE 'DROP FUNCTION ' || unused;
  END LOOP;
  DELETE FROM reshard.guard_journal j USING reshard.guard g
   WHERE g.id = of_id AND j.migration = g.migration AND j.unit = g.unit;
  DELETE FROM reshard.guard g WHERE g.id = of_id;
END $$;

-- DDL on one table: takes its locks, runs the statements and commits, all in this call, so that no
-- client can freeze while it holds them. First a lock that lets writers pass but makes the server cancel
-- an autovacuum, then the real one; that one together waits at most stall_ms, for writers queue behind it.
CREATE OR REPLACE PROCEDURE reshard.guard_ddl(relations text[], lock_mode text, stall_ms integer,
  statements text[])
LANGUAGE plpgsql AS $$
DECLARE
  deadlock_ms integer := (SELECT setting::integer FROM pg_settings WHERE name = 'deadlock_timeout');
  deadline timestamptz;
  item text;
BEGIN
  PERFORM set_config('lock_timeout', (deadlock_ms + 500)::text, true);
  FOREACH item IN ARRAY relations LOOP
    EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', item);
  END LOOP;
  deadline := clock_timestamp() + least(stall_ms, deadlock_ms / 2 - 1) * interval '1 ms';
  FOREACH item IN ARRAY relations LOOP
    PERFORM set_config('lock_timeout', greatest(1,
      extract(epoch FROM deadline - clock_timestamp()) * 1000)::integer::text, true);
    EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', item, lock_mode);
  END LOOP;
  FOREACH item IN ARRAY statements LOOP
    EXECUTE item;
  END LOOP;
  COMMIT;
END $$;

-- Writes one row of a table to itself as a role, and takes it back. Null if that works, else the error.
CREATE OR REPLACE FUNCTION reshard.guard_probe(relation regclass, of_column text, as_role text,
  sequences oid[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  found_table oid;
  found_row tid;
  sequence oid;
BEGIN
  PERFORM set_config('lock_timeout', '50ms', true), set_config('row_security', 'on', true),
    set_config('session_replication_role', 'replica', true);
  BEGIN
    EXECUTE format('SET LOCAL ROLE %I', as_role);
    FOREACH sequence IN ARRAY sequences LOOP
      IF pg_sequence_last_value(sequence) IS NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'permission denied for sequence ' || sequence::regclass;
      END IF;
    END LOOP;
    EXECUTE format('SELECT tableoid, ctid FROM %s LIMIT 1 FOR UPDATE SKIP LOCKED', relation)
      INTO found_table, found_row;
    EXECUTE format('UPDATE %s SET %2$I = %2$I WHERE tableoid = $1 AND ctid = $2', relation, of_column)
      USING found_table, found_row;
    RAISE EXCEPTION USING ERRCODE = 'RS000';
  EXCEPTION
    WHEN SQLSTATE 'RS000' OR SQLSTATE 'RS001' OR lock_not_available THEN
      RETURN NULL;
    WHEN OTHERS THEN
      RETURN SQLERRM;
  END;
END $$;
