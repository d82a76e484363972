package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RowKeyNotesIT {
  private CheckScene scene;

  @BeforeEach
  void aGoodShop() throws SQLException {
    scene = CheckScene.shop(2);
  }

  @AfterEach
  void drop() throws SQLException {
    scene.close();
  }

  @Test
  void whatRunWouldDoIsANote() throws Exception {
    scene.shards.execute(
        "CREATE TABLE basket (id bigint PRIMARY KEY, customer bigint NOT NULL)",
        "CREATE TABLE visit (at timestamptz, customer bigint NOT NULL)");
    scene.assertFinds(
        "note  a, b: public.basket (id + customer): the replica identity lacks the shard key: 'run' builds a unique index over both");
    scene.assertFinds(
        "note  a, b: public.visit: has no key that an index with the shard key could be made of: 'run' sets REPLICA IDENTITY FULL");
    assertFalse(scene.check().blocked());
  }

  @Test
  void afterTheFixesThereIsNothingLeftToDo() throws Exception {
    scene.shards.execute(
        "CREATE TABLE basket (id bigint PRIMARY KEY, customer bigint NOT NULL)",
        "CREATE TABLE visit (at timestamptz, customer bigint)",
        "CREATE TABLE \"Odd \"\" name\" (\"Id\" uuid PRIMARY KEY, customer bigint NOT NULL)",
        "ALTER TABLE country DROP CONSTRAINT country_pkey",
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
        "CREATE TRIGGER stamp BEFORE INSERT ON basket FOR EACH ROW EXECUTE FUNCTION stamp()",
        "ALTER TABLE basket ENABLE ALWAYS TRIGGER stamp",
        "ALTER TABLE visit ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE visit FORCE ROW LEVEL SECURITY",
        "CREATE TABLE day (id bigint, customer bigint NOT NULL, PRIMARY KEY (id, customer)) PARTITION BY RANGE (id)",
        "CREATE TABLE day_1 PARTITION OF day DEFAULT",
        "ALTER TABLE day_1 ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE day_1 FORCE ROW LEVEL SECURITY");
    runFixes(scene.check().fixes());
    assertEquals(
        List.of(
            "has row level security; we see all rows, as a member of the owner with row_security = off"),
        scene.check().findings().stream().map(Finding::what).distinct().toList());
    assertEquals(List.of(), scene.check().fixes());
  }

  private void runFixes(List<String> lines) throws SQLException {
    SandboxShard shard = null;
    for (String line : lines) {
      if (line.startsWith("-- Shard ")) {
        shard = scene.shards.get(line.substring(9));
      } else if (!line.startsWith("--")) {
        for (String statement : line.lines().toList()) { // psql sends one at a time
          shard.execute(statement);
        }
      }
    }
  }
}
