package dev.reshard.guard;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Gives a destination's sequences ranges of their own, so that no two shards mint the same id after
 * a cutover (HAZARDS F26): {@code bigint} ids 2^36 from 2^40 on for each destination; {@code int}
 * ids a share of those that no shard has used, of which the sources keep the first. The increment
 * stays, as block allocators of applications count on it. Immutable; a call is confined to the
 * thread of its connection, which must be in autocommit.
 */
public final class PrivateRanges {
  private static final long FIRST = 1L << 40;
  private static final long SIZE = 1L << 36;

  private final Keyspace keyspace;
  private final Patience patience;

  public PrivateRanges(Keyspace keyspace, Patience patience) {
    this.keyspace = keyspace;
    this.patience = patience;
  }

  /**
   * A range, both ends included. Immutable.
   *
   * @param undo the statement that gives the sequence back its old bounds and place
   */
  public record Taken(OwnedSequence sequence, long from, long to, String undo) {}

  /** A sequence that can have no range of its own; says why, and what to do. */
  public static final class RefusedException extends SQLException {
    private static final long serialVersionUID = 1;

    RefusedException(OwnedSequence sequence, String why) {
      super(
          "sequence %s of %s on this shard cannot get a range of its own: %s. Nothing was changed on it. Make the column and its sequence bigint; or, if its ids are unique over all shards by other means, write 'sequences: keep' into the file; then start the worker anew"
              .formatted(sequence.sequence(), sequence.place(), why),
          "RS006");
    }
  }

  /**
   * The highest value of each sequence, by {@link OwnedSequence#place}, over this shard and those
   * in {@code known}: fold it over all shards before {@link #take}.
   */
  public Map<String, Long> highest(Connection connection, Map<String, Long> known)
      throws SQLException {
    Map<String, Long> highest = new TreeMap<>(known);
    for (OwnedSequence sequence : sequences(connection)) {
      highest.merge(sequence.place(), sequence.last(), Math::max);
    }
    return highest;
  }

  /**
   * Moves the destination's sequences into their ranges, each in one short call; one that is there
   * is left alone, also if an earlier migration put it there.
   *
   * @param ordinal of this destination among all shards that ever were one, from 0; always the same
   *     one for a shard
   * @param destinations how many this migration has
   * @param highest of {@link #highest}
   * @param smallest how many int ids a range must have, at least; what a year needs
   * @throws RefusedException if a sequence cannot have one; those before it keep theirs
   */
  public List<Taken> take(
      Connection connection,
      int ordinal,
      int destinations,
      Map<String, Long> highest,
      long smallest)
      throws SQLException {
    List<Taken> taken = new ArrayList<>();
    for (OwnedSequence sequence : sequences(connection)) {
      if (!isTaken(connection, sequence)) {
        long[] range = range(sequence, ordinal, destinations, highest, smallest);
        if (sequence.last() >= range[0] && sequence.last() <= range[1]) {
          continue;
        }
        alter(connection, sequence, range[0], range[1]);
      }
      taken.add(stored(connection, sequence));
    }
    return taken;
  }

  /**
   * Puts bounds and places back as they were, where no id of the range was given out: when a
   * migration is cancelled.
   */
  public void giveBack(Connection connection) throws SQLException {
    for (OwnedSequence sequence : sequences(connection)) {
      if (isTaken(connection, sequence)) {
        giveBack(connection, sequence, stored(connection, sequence));
      }
    }
  }

  /**
   * A range of which ids were given out stays: from its old place the sequence would come to them
   * again. The first ALTER takes the lock, and changes nothing.
   */
  private void giveBack(Connection connection, OwnedSequence sequence, Taken taken)
      throws SQLException {
    String name = sequence.sequence().quoted();
    run(
        connection,
        sequence,
        List.of(
            "ALTER SEQUENCE %s MAXVALUE %d".formatted(name, taken.to()),
            """
            DO $undo$ BEGIN
              IF (SELECT last_value = %d AND NOT is_called FROM %s) THEN %s; END IF;
            END $undo$"""
                .formatted(taken.from(), name, taken.undo()),
            forget(sequence)));
  }

  /** Leaves the ranges as they are for good: when a migration is complete. */
  public void keep(Connection connection) throws SQLException {
    for (OwnedSequence sequence : sequences(connection)) {
      Arming.execute(connection, forget(sequence));
    }
  }

  private List<OwnedSequence> sequences(Connection connection) throws SQLException {
    List<OwnedSequence> sequences = new ArrayList<>();
    for (ShardedTable table : keyspace.sharded()) {
      sequences.addAll(OwnedSequence.of(connection, table.id()));
    }
    return sequences;
  }

  private static long[] range(
      OwnedSequence sequence,
      int ordinal,
      int destinations,
      Map<String, Long> highest,
      long smallest)
      throws RefusedException {
    long used = Math.max(sequence.last(), highest.getOrDefault(sequence.place(), 0L));
    if (sequence.increment() < 0 || sequence.cycles()) {
      throw new RefusedException(sequence, "it counts downwards, or begins again at its end");
    }
    if (sequence.largest() == Long.MAX_VALUE) {
      long from = FIRST + ordinal * SIZE;
      long to = from + SIZE - 1;
      boolean own = sequence.last() >= from && sequence.last() <= to;
      if (!own && (sequence.last() >= FIRST || (used >= from && used <= to))) {
        throw new RefusedException(
            sequence, "ids up to %d are in use, which reaches into the ranges".formatted(used));
      }
      return new long[] {from, to};
    }
    long share = (sequence.largest() - used) / (destinations + 1);
    if (share < smallest) {
      throw new RefusedException(
          sequence,
          "ids up to %d of %d are in use, which leaves each of %d destinations and the sources %d, fewer than %d"
              .formatted(used, sequence.largest(), destinations, Math.max(share, 0), smallest));
    }
    long from = used + share * (ordinal + 1) + 1;
    if (from + share - 1 > sequence.largest()) {
      throw new RefusedException(
          sequence,
          "shards of earlier migrations have had ranges, and ids of them may have come back with rows");
    }
    return new long[] {from, from + share - 1};
  }

  /**
   * The first ALTER takes the lock, so that the place which is written down is the last one; both
   * make new files, so that no session goes on with values it has cached.
   */
  private void alter(Connection connection, OwnedSequence sequence, long from, long to)
      throws SQLException {
    String name = sequence.sequence().quoted();
    run(
        connection,
        sequence,
        List.of(
            "ALTER SEQUENCE %s MAXVALUE %d".formatted(name, to),
            """
            INSERT INTO reshard.private_range (sequence, from_value, to_value, undo)
              SELECT %d, %d, %d, format('ALTER SEQUENCE %%s MAXVALUE %d RESTART WITH %%s', %s,
                last_value + CASE WHEN is_called THEN %d ELSE 0 END) FROM %s"""
                .formatted(
                    sequence.oid(),
                    from,
                    to,
                    sequence.maximum(),
                    "'" + name.replace("'", "''") + "'",
                    sequence.increment(),
                    name),
            "ALTER SEQUENCE %s RESTART WITH %d".formatted(name, from)));
  }

  private void run(Connection connection, OwnedSequence sequence, List<String> statements)
      throws SQLException {
    List<String> all = new ArrayList<>();
    all.add("SELECT set_config('lock_timeout', '%d', true)".formatted(patience.stall().toMillis()));
    all.addAll(statements);
    new PoliteDdl(connection, patience)
        .run(
            sequence.sequence(),
            List.of(),
            PoliteDdl.KEEPS_WRITERS_OUT,
            all,
            List.of(sequence.sequence().quoted()));
  }

  private static String forget(OwnedSequence sequence) {
    return "DELETE FROM reshard.private_range WHERE sequence = " + sequence.oid();
  }

  private static boolean isTaken(Connection connection, OwnedSequence sequence)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT 1 FROM reshard.private_range WHERE sequence = ?::oid")) {
      statement.setLong(1, sequence.oid());
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  private static Taken stored(Connection connection, OwnedSequence sequence) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT from_value, to_value, undo FROM reshard.private_range WHERE sequence = ?::oid")) {
      statement.setLong(1, sequence.oid());
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Taken(sequence, row.getLong(1), row.getLong(2), row.getString(3));
      }
    }
  }
}
