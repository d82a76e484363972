package dev.reshard.probe;

import dev.reshard.postgres.Lsn;
import java.sql.SQLException;
import java.util.List;

/** Reads rows on the source. Confined to one thread. */
final class SourceReader {
  /**
   * The position of what is inserted into the WAL, not of what is written: under {@code
   * synchronous_commit = off} a commit is visible before its record is written, and
   * pg_current_wal_lsn() would lie before it.
   */
  private static final String BOUND = "SELECT pg_current_wal_insert_lsn()::text";

  private static final String LOOK =
      """
      SELECT pg_snapshot_xmin(s)::text, t.digest, t.version
        FROM pg_current_snapshot() s LEFT JOIN LATERAL (%s) t ON true""";

  private final ProbeSession session;

  SourceReader(ProbeSession session) {
    this.session = session;
  }

  private record Row(long oldestRunning, String digest, String version) {}

  SourceLook look(ProbedTable table, List<String> key) throws SQLException {
    long start = System.nanoTime();
    Row row =
        session.first(
            LOOK.formatted(table.row()),
            r -> new Row(Long.parseLong(r.getString(1)), r.getString(2), r.getString(3)),
            key);
    long micros = (System.nanoTime() - start) / 1_000;
    Lsn bound = session.first(BOUND, r -> Lsn.parse(r.getString(1)), List.of());
    return new SourceLook(row.digest, row.version, bound, row.oldestRunning, micros);
  }

  /** The number that the next transaction gets: all that run now have lower ones. */
  long nextTransaction() throws SQLException {
    return session.first(
        "SELECT pg_snapshot_xmax(pg_current_snapshot())::text",
        r -> Long.parseLong(r.getString(1)),
        List.of());
  }

  /** The lowest number of a transaction that runs now. */
  long oldestRunning() throws SQLException {
    return session.first(
        "SELECT pg_snapshot_xmin(pg_current_snapshot())::text",
        r -> Long.parseLong(r.getString(1)),
        List.of());
  }
}
