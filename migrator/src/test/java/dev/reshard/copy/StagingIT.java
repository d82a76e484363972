package dev.reshard.copy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HAZARDS F7: rows of a later round that meet rows that are there. */
@Timeout(60)
class StagingIT {
  private static final TableId USERS = new TableId("public", "users");

  private SandboxShards shards;
  private SandboxShard shard;

  @BeforeEach
  void table() throws SQLException {
    shards = SharedSandbox.shards(1);
    shard = shards.get("a");
    shard.execute(
        """
        CREATE TABLE users (tenant bigint NOT NULL, id bigint NOT NULL, email text UNIQUE, note text,
                            number int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (id) DEFERRABLE)""",
        "CREATE UNIQUE INDEX of_tenant ON users (tenant, id)",
        "ALTER TABLE users REPLICA IDENTITY USING INDEX of_tenant",
        "INSERT INTO users OVERRIDING SYSTEM VALUE VALUES (1, 1, 'one', 'from the stream', 11)");
  }

  @AfterEach
  void drop() throws SQLException {
    shards.close();
  }

  @Test
  void aRowThatCameWithTheStreamStaysAndTheOthersAreTakenOverAsTheyAre() throws SQLException {
    assertEquals(1, merge("(1, 1, 'one', 'copied', 11), (1, 2, 'two', 'copied', 22)"));
    assertEquals(
        List.of("(1,1,one,\"from the stream\",11)", "(1,2,two,copied,22)"),
        shard.query("SELECT u::text FROM users u ORDER BY id"));
  }

  @Test
  void aRowThatMeetsAnotherOneUnderAnotherUniqueIndexIsAnErrorAndNotSwallowed()
      throws SQLException {
    for (String taken : List.of("(1, 3, 'one', 'its email', 33)", "(2, 1, 'two', 'its id', 33)")) {
      SQLException refused = assertThrows(SQLException.class, () -> merge(taken));
      assertEquals("23505", refused.getSQLState(), refused.getMessage());
    }
    assertEquals(List.of("1"), shard.query("SELECT count(*) FROM users"));
  }

  private long merge(String rows) throws SQLException {
    try (Connection connection = shard.connect(SandboxRole.RESHARD);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      Staging staging = Staging.open(connection, Catalog.read(connection, USERS));
      statement.execute("INSERT INTO %s VALUES %s".formatted(staging.id().quoted(), rows));
      long taken = staging.merge();
      connection.commit();
      return taken;
    }
  }
}
