package dev.reshard.guard;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.ShardId;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The text of the trigger functions that refuse writes. They run as the application's role, under
 * its settings: every name is qualified, nothing is set, and no table is read, for the writer's
 * snapshot may be older than the guard (HAZARDS F16, F27). Stateless.
 *
 * <p>A trigger's first argument is the SQL of the row's bucket, with the row as {@code $1}: needed
 * for the message only, so nobody who passes pays for it.
 */
final class GuardFunction {
  /** What tells a sequence of the guard: its OID, good in a body whatever the search path is. */
  record Sequences(long until, long broken, long sealed, long epoch) {}

  private static final String DECIDES =
      """
      CREATE OR REPLACE FUNCTION reshard.%s() RETURNS trigger LANGUAGE plpgsql AS $guard$
      DECLARE
        closed_until bigint := pg_catalog.pg_sequence_last_value(%d::pg_catalog.regclass);
        sealed bigint;
        epoch bigint;
        moved boolean := true;
        bucket integer;
        owner pg_catalog.text;
      BEGIN
        IF closed_until OPERATOR(pg_catalog.=) 0 THEN
          RETURN NULL;
        ELSIF closed_until IS NULL THEN
          RAISE EXCEPTION 'role %% cannot read the guard of %%.%%', current_user, TG_TABLE_SCHEMA, TG_TABLE_NAME
            USING ERRCODE = '42501', HINT = 'GRANT USAGE, SELECT on the sequences reshard.%s_* TO PUBLIC';
        ELSIF closed_until OPERATOR(pg_catalog.=) 9223372036854775807 THEN
          NULL;
        ELSIF (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000)
            ::bigint OPERATOR(pg_catalog.<) closed_until THEN
          moved := false;
        ELSE
          -- The fence ran out. Say so first, then look whether it was sealed: the sealer does it the
          -- other way round, and one of us sees the other.
          PERFORM pg_catalog.nextval(%d::pg_catalog.regclass);
          sealed := pg_catalog.pg_sequence_last_value(%d::pg_catalog.regclass);
          IF sealed OPERATOR(pg_catalog.=) 0 THEN
            RETURN NULL;
          END IF;
          moved := sealed IS NOT DISTINCT FROM 2;
        END IF;
        epoch := pg_catalog.pg_sequence_last_value(%d::pg_catalog.regclass);
      """;

  private static final String ALWAYS =
      """
      CREATE OR REPLACE FUNCTION reshard.%s() RETURNS trigger LANGUAGE plpgsql AS $guard$
      DECLARE
        epoch bigint := %d;
        moved boolean := true;
        bucket integer;
        owner pg_catalog.text;
      BEGIN
      """;

  private static final String REFUSES =
      """
        IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
          RAISE EXCEPTION USING ERRCODE = 'RS001', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
            MESSAGE = pg_catalog.format('TRUNCATE of %%I.%%I would take rows of buckets that this shard does not own now',
              TG_TABLE_SCHEMA, TG_TABLE_NAME),
            DETAIL = pg_catalog.format('{"state":"%%s","bucket":null,"owner":null,"epoch":%%s}',
              CASE WHEN moved THEN 'MOVED' ELSE 'WAIT' END, epoch),
            HINT = 'DELETE the rows of the buckets that it owns.';
        END IF;
        IF TG_OP OPERATOR(pg_catalog.<>) 'DELETE' THEN
          EXECUTE 'SELECT ' OPERATOR(pg_catalog.||) TG_ARGV[0] INTO bucket USING NEW;
        END IF;
        IF TG_OP OPERATOR(pg_catalog.=) 'DELETE'
           OR bucket IS NULL OR pg_catalog.get_bit(pg_catalog.decode('%s', 'hex'), bucket) OPERATOR(pg_catalog.=) 0 THEN
          EXECUTE 'SELECT ' OPERATOR(pg_catalog.||) TG_ARGV[0] INTO bucket USING OLD;
        END IF;
        owner := CASE WHEN NOT moved THEN '%s' %s END;
        RAISE EXCEPTION USING ERRCODE = 'RS001', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
          MESSAGE = CASE
            WHEN moved THEN pg_catalog.format('bucket %%s belongs to shard %%s since epoch %%s', bucket, owner, epoch)
            ELSE pg_catalog.format('bucket %%s is being moved; try again', bucket) END,
          DETAIL = pg_catalog.format('{"state":"%%s","bucket":%%s,"owner":"%%s","epoch":%%s}',
            CASE WHEN moved THEN 'MOVED' ELSE 'WAIT' END, bucket, owner, epoch),
          HINT = 'Roll the transaction back; then repeat it here if the state is WAIT, else at the owner.';
      END $guard$""";

  private GuardFunction() {}

  /**
   * The function of a unit's guard.
   *
   * @param buckets all of the unit's on this shard
   * @param elsewhere who owns them when this shard does not
   */
  static String ofUnit(
      String name,
      Sequences sequences,
      ShardId shard,
      int count,
      BucketSet buckets,
      Map<ShardId, BucketSet> elsewhere) {
    return DECIDES.formatted(
            name,
            sequences.until(),
            name,
            sequences.broken(),
            sequences.sealed(),
            sequences.epoch())
        + refuses(shard, count, buckets, elsewhere);
  }

  /** A function that refuses every write: of buckets that the shard does not own. */
  static String ofOutside(
      String name,
      long epoch,
      ShardId shard,
      int count,
      BucketSet buckets,
      Map<ShardId, BucketSet> owners) {
    return ALWAYS.formatted(name, epoch) + refuses(shard, count, buckets, owners);
  }

  private static String refuses(
      ShardId shard, int count, BucketSet buckets, Map<ShardId, BucketSet> owners) {
    String cases =
        owners.entrySet().stream()
            .map(
                entry ->
                    "WHEN pg_catalog.get_bit(pg_catalog.decode('%s', 'hex'), bucket) OPERATOR(pg_catalog.=) 1 THEN '%s'"
                        .formatted(entry.getValue().toHex(count), entry.getKey()))
            .collect(Collectors.joining(" "));
    return REFUSES.formatted(buckets.toHex(count), shard, cases);
  }
}
