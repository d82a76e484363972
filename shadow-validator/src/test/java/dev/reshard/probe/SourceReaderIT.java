package dev.reshard.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SourceReaderIT {
  private static final ShardId A = new ShardId("a");
  private static final TableId NOTES = new TableId("public", "notes");

  private SandboxShards shards;
  private SandboxShard shard;
  private ProbeSession session;
  private ProbedTable table;
  private SourceReader reader;

  @BeforeEach
  void open() throws SQLException {
    shards = SharedSandbox.shards(1);
    shard = shards.get("a");
    shard.execute(
        "CREATE TABLE notes (tenant bigint, id bigint, note text, PRIMARY KEY (tenant, id))",
        "INSERT INTO notes VALUES (1, 1, NULL), (1, 2, ''), (1, 3, 'x')");
    ShardAddress address =
        new ShardAddress(
            A, shard.url(), SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password());
    session = new ProbeSession(new ShardSessions("test", List.of(address)), A);
    table =
        ProbedTable.of(Catalog.read(session.connection(), NOTES), new ShardedTable(NOTES, "tenant"))
            .orElseThrow();
    reader = new SourceReader(session);
  }

  @AfterEach
  void close() throws SQLException {
    session.close();
    shards.close();
  }

  private SourceLook look(int id) throws SQLException {
    return reader.look(table, List.of("1", Integer.toString(id)));
  }

  @Test
  void nullAndTheEmptyTextHaveDifferentDigests() throws SQLException {
    assertFalse(look(1).digest().equals(look(2).digest()));
    assertEquals(look(3).digest(), look(3).digest());
    assertNull(look(4).digest());
    assertNull(look(4).version());
  }

  @Test
  void everyUpdateMakesAnotherVersionAlsoOneThatChangesNothing() throws SQLException {
    SourceLook before = look(3);
    shard.execute("UPDATE notes SET note = note WHERE id = 3");
    assertEquals(before.digest(), look(3).digest());
    assertFalse(before.version().equals(look(3).version()));
  }

  /** A commit that is visible before its record is written lies before the bound all the same. */
  @Test
  void theBoundIsPastACommitThatIsNotWrittenYet() throws SQLException {
    int notWritten = 0;
    try (Connection application = shard.connect(SandboxRole.APP);
        Statement statement = application.createStatement()) {
      statement.execute("SET synchronous_commit = off");
      for (int i = 10; i < 110; i++) {
        statement.execute("INSERT INTO notes VALUES (1, %d, 'x')".formatted(i));
        Lsn commitEnd = position(statement, "pg_current_wal_insert_lsn()");
        if (position(statement, "pg_current_wal_lsn()").compareTo(commitEnd) < 0) {
          notWritten++;
        }
        SourceLook look = look(i);
        assertTrue(look.digest() != null && !commitEnd.isAfter(look.bound()), look.toString());
      }
    }
    assertTrue(notWritten > 0, "every commit was written at once");
  }

  private static Lsn position(Statement statement, String function) throws SQLException {
    try (ResultSet row = statement.executeQuery("SELECT " + function)) {
      row.next();
      return Lsn.parse(row.getString(1));
    }
  }
}
