package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.RowComparer;
import dev.reshard.sandbox.RowSelection;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One table of documents, text and bytes, whose rows with an even tenant move from shard a to b,
 * and workers with little memory. Confined to one thread.
 */
final class Documents implements AutoCloseable {
  private static final String MIGRATION = "documents";
  private static final String MOVING = "tenant_id % 2 = 0";

  final SandboxShard source;
  final SandboxShard destination;
  final Path file;
  private final String topics;
  private final SandboxShards shards;
  private final String kafka;

  private Documents(Path folder, SandboxShards shards, String kafka) {
    this.shards = shards;
    this.source = shards.get("a");
    this.destination = shards.get("b");
    this.file = folder.resolve("migration.yaml");
    this.kafka = kafka;
    this.topics = "test-" + source.database();
  }

  /**
   * Makes the tables.
   *
   * @param shards a and b; closed with this
   */
  static Documents create(Path folder, SandboxShards shards, String kafka) throws Exception {
    Documents documents = new Documents(folder, shards, kafka);
    shards.execute(
        """
        CREATE TABLE documents (
          tenant_id bigint, id bigint, body text, data bytea, PRIMARY KEY (tenant_id, id))""",
        "ALTER TABLE documents ALTER body SET STORAGE EXTERNAL, ALTER data SET STORAGE EXTERNAL");
    documents.writeFile();
    return documents;
  }

  /**
   * Writes the migration file, or writes it anew.
   *
   * @param more lines of YAML
   */
  void writeFile(String... more) throws IOException {
    Files.writeString(
        file,
        """
        migration: %s
        login: { user: %s, password: "%s" }
        shards: { a: "%s", b: "%s" }
        control: a
        kafka: { bootstrap.servers: "%s" }
        topics: { prefix: %s, replication: 1 }
        keyspace:
          name: documents
          key: tenant_id
          buckets: { function: modulo, count: 2 }
          tables: { sharded: [ "public.*" ] }
        from: { a: [0, 1] }
        to: { a: [1], b: [0] }
        %s
        """
            .formatted(
                MIGRATION,
                SandboxRole.RESHARD.user(),
                SandboxRole.RESHARD.password(),
                source.url(),
                destination.url(),
                kafka,
                topics,
                String.join("\n", more)));
  }

  /** A row of so many characters. */
  static String text(long id, int length) {
    return "INSERT INTO documents VALUES (2, %d, repeat('y', %d), null)".formatted(id, length);
  }

  /** A row of so many bytes, which are twice as many characters. */
  static String bytes(long id, int length) {
    return "INSERT INTO documents VALUES (2, %d, null, decode(repeat('00ff', %d), 'hex'))"
        .formatted(id, length / 2);
  }

  /** One transaction of small rows. */
  static String transaction(long firstId, int rows) {
    return "INSERT INTO documents SELECT 2, %d + i, repeat(md5(i::text), 4), null FROM generate_series(1, %d) i"
        .formatted(firstId, rows);
  }

  /** Transactions of one row each. */
  static String backlog(long firstId, int transactions, int length) {
    return """
        DO $$ BEGIN
          FOR i IN 1 .. %d LOOP
            INSERT INTO documents VALUES (2, %d + i, repeat(md5(i::text), %d), null);
            COMMIT;
          END LOOP;
        END $$"""
        .formatted(transactions, firstId, length / 32);
  }

  /** Lets a worker copy what there is and end, so that what is written next waits for another. */
  void copyWithHeap(int heapMb) throws Exception {
    try (WorkerProcess worker = WorkerProcess.startWithHeap(heapMb, file)) {
      awaitState(MigrationState.READY_FOR_CUTOVER, worker);
    }
  }

  /** Waits until the destination has what the source has, while the worker lives. */
  void awaitApplied(WorkerProcess worker) throws Exception {
    String written = source.query("SELECT pg_current_wal_insert_lsn()::text").get(0);
    String applied = "SELECT applied >= '%s' FROM reshard.lane".formatted(written);
    while (!destination.query(applied).equals(List.of("t"))) {
      requireAlive(worker);
      TimeUnit.MILLISECONDS.sleep(100); // between two looks
    }
  }

  void awaitState(MigrationState wanted, WorkerProcess worker) throws Exception {
    while (!state().equals(wanted.name())) {
      requireAlive(worker);
      TimeUnit.MILLISECONDS.sleep(100); // between two looks
    }
  }

  private static void requireAlive(WorkerProcess worker) throws IOException {
    String said = worker.said();
    assertTrue(worker.isAlive(), said);
    assertTrue(!said.contains("OutOfMemoryError") && !said.contains("Java heap space"), said);
  }

  private String state() throws SQLException {
    if (source.query("SELECT to_regclass('reshard.migration')::text").contains(null)) {
      return "";
    }
    return source.query("SELECT state FROM reshard.migration").stream().findFirst().orElse("");
  }

  /** Compares both sides row by row, by digests: rows are larger than a test's memory likes. */
  void requireSame() throws SQLException {
    for (SandboxShard shard : shards.all()) {
      shard.executeAsSuperuser(
          "CREATE SCHEMA digests",
          """
          CREATE VIEW digests.documents AS
          SELECT tenant_id, id, md5(body) AS body, md5(data) AS data FROM public.documents""");
    }
    RowComparer.byKey("tenant_id", "id")
        .compare(
            RowSelection.of(source, "digests.documents").where(MOVING),
            RowSelection.of(destination, "digests.documents"))
        .requireEqual();
  }

  @Override
  public void close() throws SQLException {
    shards.close();
  }
}
