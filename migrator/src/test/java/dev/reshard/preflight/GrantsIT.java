package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A role of another name than the sandbox's, so that nothing has been granted to it. */
@Timeout(120)
class GrantsIT {
  private static final String ROLE = "Mover of rows";
  private static final String SECRET = "the secret";

  private CheckScene scene;

  @BeforeEach
  void aGoodShop() throws SQLException {
    scene = CheckScene.shop(2).as(ROLE, SECRET);
  }

  @AfterEach
  void drop() throws SQLException {
    for (SandboxShard shard : scene.shards.all()) {
      shard.executeAsSuperuser(
          "REASSIGN OWNED BY \"%s\" TO app_owner".formatted(ROLE),
          "DROP OWNED BY \"%s\"".formatted(ROLE),
          "DROP ROLE \"%s\"".formatted(ROLE));
    }
    scene.close();
  }

  @Test
  void whatIsPrintedGivesAFreshRoleItsRights() throws Exception {
    create("LOGIN");
    assertEquals(
        List.of(
            "our role lacks REPLICATION",
            "our role lacks CREATE on the database",
            "our role is no member of pg_monitor, so old transactions of others cannot be seen",
            "our role may not set session_replication_role",
            "our role is no member of app_owner, which owns public.country and 1 more",
            "our role lacks USAGE and CREATE on schema public"),
        scene.check().findings().stream()
            .filter(finding -> finding.check().equals(Rights.NAME))
            .map(Finding::what)
            .distinct()
            .toList());
    run(scene.grants(false));
    scene.assertFindsNothing();
    assertEquals(List.of(), scene.grants(false));
  }

  @Test
  void whereTheRoleIsMissingEverythingIsPrinted() throws Exception {
    run(scene.grants(false));
    for (SandboxShard shard : scene.shards.all()) {
      shard.executeAsSuperuser("ALTER ROLE \"%s\" PASSWORD '%s'".formatted(ROLE, SECRET));
    }
    scene.assertFindsNothing();
  }

  @Test
  void allMayBeRunAgainAndSaysNoPassword() throws Exception {
    create("LOGIN NOINHERIT");
    run(scene.grants(true));
    run(scene.grants(true));
    scene.assertFindsNothing();
    assertFalse(String.join("\n", scene.grants(true)).contains(SECRET));
    assertTrue(String.join("\n", scene.grants(true)).contains("pg_signal_backend"));
  }

  @Test
  void aShardThatLacksTheTablesIsToldWhoWillOwnThem() throws Exception {
    create("LOGIN");
    scene.shards.get("b").execute("DROP TABLE orders, country");
    List<String> grants = scene.grants(false);
    List<String> ofB = grants.subList(grants.lastIndexOf(head(grants, "b")), grants.size());
    assertTrue(
        ofB.stream().anyMatch(line -> line.startsWith("GRANT \"app_owner\"")), ofB::toString);
    assertTrue(ofB.stream().anyMatch(line -> line.startsWith("GRANT USAGE, CREATE ON SCHEMA")));
    run(grants);
    assertEquals(List.of(), scene.grants(false));
  }

  private static String head(List<String> grants, String shard) {
    return grants.stream().filter(l -> l.startsWith("-- Shard " + shard)).findFirst().orElseThrow();
  }

  @Test
  void tablesOfASuperuserAreNotGrantedAway() throws Exception {
    create("LOGIN");
    run(scene.grants(false));
    scene.a().executeAsSuperuser("ALTER TABLE orders OWNER TO postgres");
    scene.assertFinds(
        "BLOCKER  a: our role is no member of postgres, which owns public.orders and is a superuser; give the tables an owner of their own");
    assertTrue(scene.grants(false).stream().allMatch(line -> line.startsWith("--")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ALTER ROLE %s NOREPLICATION | a: our role lacks REPLICATION; ALTER ROLE",
        "REVOKE CREATE ON DATABASE %d FROM %s | a: our role lacks CREATE on the database; GRANT CREATE",
        "REVOKE pg_monitor FROM %s | a: our role is no member of pg_monitor, so old transactions of others cannot be seen; GRANT",
        "REVOKE SET ON PARAMETER session_replication_role FROM %s | a: our role may not set session_replication_role; GRANT SET",
        "GRANT app_owner TO %s WITH INHERIT FALSE | a: our role is no member of app_owner, which owns public.country and 1 more; GRANT",
        "ALTER ROLE %s SUPERUSER | a: our role is a superuser",
        "CREATE SCHEMA reshard AUTHORIZATION postgres | a: schema reshard belongs to postgres"
      })
  void eachRightThatIsMissingIsABlocker(String taken, String blocker) throws Exception {
    create("LOGIN");
    run(scene.grants(false));
    scene
        .a()
        .executeAsSuperuser(
            taken.replace("%s", "\"" + ROLE + "\"").replace("%d", scene.a().database()));
    scene.assertFinds("BLOCKER  " + blocker);
  }

  private void create(String attributes) throws SQLException {
    for (SandboxShard shard : scene.shards.all()) {
      shard.executeAsSuperuser(
          "CREATE ROLE \"%s\" %s PASSWORD '%s'".formatted(ROLE, attributes, SECRET));
    }
  }

  /** Each shard's part, as psql would. */
  private void run(List<String> lines) throws SQLException {
    SandboxShard shard = null;
    StringBuilder sql = new StringBuilder();
    for (String line : lines) {
      if (line.startsWith("-- Shard ")) {
        execute(shard, sql);
        shard = scene.shards.get(line.substring(9, line.indexOf(':')));
        sql.setLength(0);
      }
      sql.append(line).append('\n');
    }
    execute(shard, sql);
  }

  private static void execute(SandboxShard shard, StringBuilder sql) throws SQLException {
    if (shard != null) {
      shard.executeAsSuperuser(sql.toString());
    }
  }
}
