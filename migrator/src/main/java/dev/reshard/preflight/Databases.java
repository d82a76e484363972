package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.preflight.CheckSessions.Answers;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What must be alike in databases so that a row means the same in each, and what beside tables
 * nobody moves. Immutable.
 */
final class Databases implements Check {
  private static final String DATABASE =
      """
      SELECT pg_postmaster_start_time()::text || ' ' || oid,
             pg_encoding_to_char(encoding), datcollate || ' / ' || datctype, %s
        FROM pg_database WHERE datname = current_database()""";

  /** Since 15 a database knows which version of its collation made its indexes. */
  private static final String VERSION =
      """
      coalesce(pg_database_collation_actual_version(oid), ''),
             datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)""";

  private static final String EXTENSIONS = "SELECT extname FROM pg_extension ORDER BY 1";

  private static final String LEFT_ALONE =
      """
      SELECT CASE c.relkind WHEN 'f' THEN 'foreign table ' ELSE 'materialised view ' END
               || n.nspname || '.' || c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = ANY (?) AND c.relkind IN ('f', 'm') AND NOT c.relispartition
       ORDER BY 1""";

  private final Subject subject;

  Databases(Subject subject) {
    this.subject = subject;
  }

  /**
   * What is looked at.
   *
   * @param identity no other database has it: its server's start to the microsecond, and its oid
   */
  private record Database(
      String identity,
      String encoding,
      String collation,
      String version,
      boolean outdated,
      List<String> extensions,
      List<String> leftAlone) {}

  @Override
  public String name() {
    return "databases alike";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    Answers<Database> answers = subject.sessions().ask(subject.shards(), this::read);
    List<Finding> findings = new ArrayList<>(answers.failures());
    Map<ShardId, Database> databases = answers.values();
    Set<String> encodings = new TreeSet<>();
    Set<String> collations = new TreeSet<>();
    databases.forEach(
        (shard, database) -> {
          encodings.add(database.encoding);
          collations.add((database.collation + " " + database.version).strip());
          findings.addAll(alone(shard, database));
        });
    if (encodings.size() > 1) {
      findings.add(
          Finding.blocker("the databases have different encodings")
              .detail(String.join(", ", encodings))
              .todo("make the destinations' databases anew, with the sources' encoding"));
    }
    if (collations.size() > 1) {
      findings.add(
          Finding.note(
                  "the databases sort text in different ways, so that ORDER BY and ranges of text may answer differently after a move")
              .detail(String.join(", ", collations))
              .todo("see that your application does not mind"));
    }
    findings.addAll(missingExtensions(databases));
    findings.addAll(twice(databases));
    return findings;
  }

  /** Rows would be moved from a database to itself, or two lanes write the same ones. */
  private static List<Finding> twice(Map<ShardId, Database> databases) {
    List<Finding> findings = new ArrayList<>();
    Map<String, ShardId> first = new TreeMap<>();
    databases.forEach(
        (shard, database) -> {
          ShardId other = first.putIfAbsent(database.identity, shard);
          if (other != null) {
            findings.add(
                Finding.blocker("is the same database as shard " + other)
                    .at(shard)
                    .todo("give each shard its own URL under shards"));
          }
        });
    return findings;
  }

  private Database read(CheckSession session) throws SQLException {
    List<String> extensions = session.texts(EXTENSIONS);
    List<String> leftAlone =
        session.texts(LEFT_ALONE, session.texts(TableLists.schemas(subject.spec().keyspace())));
    String version = session.version() >= 15 ? VERSION : "'', false";
    return session
        .query(
            DATABASE.formatted(version),
            row ->
                new Database(
                    row.getString(1),
                    row.getString(2),
                    row.getString(3),
                    row.getString(4),
                    row.getBoolean(5),
                    extensions,
                    leftAlone))
        .get(0);
  }

  private static List<Finding> alone(ShardId shard, Database database) {
    List<Finding> findings = new ArrayList<>();
    if (database.outdated) {
      findings.add(
          Finding.note(
                  "the collation has changed since the indexes on text were built, so that they may miss rows")
              .at(shard)
              .todo("REINDEX them, then ALTER DATABASE .. REFRESH COLLATION VERSION"));
    }
    if (database.encoding.equals("SQL_ASCII")) {
      findings.add(
          Finding.blocker(
                  "the encoding is SQL_ASCII: nobody knows what its text means, and rows that are no UTF-8 could not be read")
              .at(shard)
              .todo("bring it into a database with the encoding that the text is in, UTF8 mostly"));
    }
    for (String relation : database.leftAlone) {
      findings.add(
          Finding.note("nobody moves or refreshes it")
              .at(shard)
              .detail(relation)
              .todo("make it at the destinations and see what it shall show there"));
    }
    return findings;
  }

  private List<Finding> missingExtensions(Map<ShardId, Database> databases) {
    Set<String> used = new TreeSet<>();
    for (ShardId source : subject.moves().sources()) {
      Optional.ofNullable(databases.get(source)).ifPresent(d -> used.addAll(d.extensions));
    }
    List<Finding> findings = new ArrayList<>();
    for (ShardId destination : subject.moves().destinations()) {
      Optional.ofNullable(databases.get(destination))
          .ifPresent(
              database ->
                  used.stream()
                      .filter(name -> !database.extensions.contains(name))
                      .forEach(
                          name ->
                              findings.add(
                                  Finding.note(
                                          "a source has the extension, but this destination has not")
                                      .at(destination)
                                      .detail(name)
                                      .todo(
                                          "CREATE EXTENSION there, if your application uses it"))));
    }
    return findings;
  }
}
