package dev.reshard.probe;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Lsn;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads rows on the destination, each with the position of its lane. Confined to one thread. */
final class DestinationReader {
  /** One statement is one snapshot: the row is as old as the position says. */
  private static final String LOOK =
      """
      SELECT l.applied::text, t.digest, t.version
        FROM (SELECT applied FROM reshard.lane WHERE migration = ? AND source = ?) l
        LEFT JOIN LATERAL (%s) t ON true""";

  private final ProbeSession session;
  private final List<String> lane;

  DestinationReader(ProbeSession session, String migration, ShardId source) {
    this.session = session;
    this.lane = List.of(migration, source.name());
  }

  /** Empty while no lane ends here. */
  Optional<DestinationLook> look(ProbedTable table, List<String> key) throws SQLException {
    List<String> values = new ArrayList<>(lane);
    values.addAll(key);
    long start = System.nanoTime();
    return Optional.ofNullable(
        session.first(
            LOOK.formatted(table.row()),
            r ->
                new DestinationLook(
                    r.getString(2),
                    r.getString(3),
                    Lsn.parse(r.getString(1)),
                    (System.nanoTime() - start) / 1_000),
            values));
  }

  /** The lane's position; zero while no lane ends here. */
  Lsn applied() throws SQLException {
    Lsn applied =
        session.first(
            "SELECT applied::text FROM reshard.lane WHERE migration = ? AND source = ?",
            r -> Lsn.parse(r.getString(1)),
            lane);
    return applied == null ? Lsn.ZERO : applied;
  }
}
