package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.SqlBuckets;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every way in which the user's own function cannot place rows is a blocker. */
@Timeout(120)
class OwnFunctionIT {
  private static final String PLACE =
      "CREATE OR REPLACE FUNCTION own.place(customer bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT (customer & 7)::int $$";

  private CheckScene scene;

  /** Both shards own four buckets; b gives two to a. */
  @BeforeEach
  void aGoodShopWithAFunction() throws SQLException {
    scene =
        CheckScene.shop(2)
            .placedBy(SqlBuckets.of("own.place({key})", 8))
            .moving(
                Map.of(CheckScene.A, BucketSet.range(0, 4), CheckScene.B, BucketSet.range(4, 8)),
                Map.of(CheckScene.A, BucketSet.range(0, 6), CheckScene.B, BucketSet.range(6, 8)));
    for (SandboxShard shard : scene.shards.all()) {
      shard.createSchema("own");
      shard.executeAsSuperuser("GRANT USAGE ON SCHEMA own TO reshard");
      shard.execute(PLACE);
    }
    scene.a().execute("INSERT INTO orders SELECT i, i % 4 FROM generate_series(1, 1000) i");
    scene.b().execute("INSERT INTO orders SELECT i, i % 4 + 4 FROM generate_series(1, 1000) i");
  }

  @AfterEach
  void drop() throws SQLException {
    scene.close();
  }

  @Test
  void aGoodOneIsNoFinding() throws Exception {
    scene.assertFindsNothing();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DROP FUNCTION own.place                             | has no function own.place, which keyspace.buckets names",
        "ALTER FUNCTION own.place VOLATILE                   | own.place is VOLATILE: a row whose bucket may change",
        "ALTER FUNCTION own.place STABLE                     | own.place is STABLE: a row whose bucket may change",
        "CREATE OR REPLACE FUNCTION own.place(customer bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 7 & customer::int' | own.place is not the function that it is on a",
        "CREATE FUNCTION own.place(customer text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1' | has 2 functions own.place",
        "DROP FUNCTION own.place; CREATE FUNCTION own.place(customer bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint' | own.place is no function of one argument, the key, that returns integer",
        "DROP FUNCTION own.place; CREATE FUNCTION own.place(customer bigint, seed int) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1' | own.place is no function of one argument",
        "REVOKE EXECUTE ON FUNCTION own.place FROM PUBLIC    | role app may not run own.place: a guard's trigger runs it as whoever writes",
        "REVOKE USAGE ON SCHEMA own FROM app                 | role app may not run own.place"
      })
  void oneThatIsWrongOnOneShardIsABlockerThere(String change, String blocker) throws Exception {
    scene.b().execute(change.split("; "));
    scene.assertFinds("BLOCKER  b: " + blocker);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bigint | NULL::int                      | b: public.orders (1000 of 1000 rows, e.g. of customer 5): rows of no bucket: your function gives NULL, or a number that is not 0 to 7",
        "bigint | 8                              | b: public.orders (1000 of 1000 rows, e.g. of customer 5): rows of no bucket: your function gives NULL, or a number that is not 0 to 7",
        "bigint | -1                             | b: public.orders (1000 of 1000 rows, e.g. of customer 5): rows of no bucket",
        "bigint | (customer & 3)::int            | b: public.orders (1000 of 1000 rows, e.g. of customer 5): rows of buckets that belong to other shards",
        "bigint | 1 / (customer - customer)::int | a, b: public.orders: own.place cannot be called with customer (SQLSTATE 22012",
        "text   | length(customer)               | a, b: public.orders: own.place cannot be called with customer (SQLSTATE 42883"
      })
  void oneThatIsWrongOfRowsIsABlocker(String argument, String body, String blocker)
      throws Exception {
    for (SandboxShard shard : scene.shards.all()) {
      shard.execute(
          "DROP FUNCTION own.place",
          "CREATE FUNCTION own.place(customer %s) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT %s $$"
              .formatted(argument, body));
    }
    scene.assertFinds("BLOCKER  " + blocker);
  }

  /** Our sessions have another search_path than an application's. */
  @Test
  void oneThatFindsItsHelperByTheSearchPathIsABlocker() throws Exception {
    for (SandboxShard shard : scene.shards.all()) {
      shard.execute(
          "CREATE FUNCTION helper(bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT ($1 & 7)::int'",
          "CREATE OR REPLACE FUNCTION own.place(customer bigint) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN helper(customer); END $$");
    }
    scene.assertFinds(
        "BLOCKER  a, b: public.orders: own.place cannot be called with customer (SQLSTATE 42883, search_path = pg_catalog)");
  }

  @Test
  void rowsOfComingBucketsOnAServingDestinationAreFoundByIt() throws Exception {
    scene.a().execute("INSERT INTO orders VALUES (5000, 5)");
    scene.assertFinds(
        "BLOCKER  a: public.orders: has rows of buckets that are about to come from other shards");
  }

  @Test
  void whatIsMissingIsMadeByTheStatementsOfFixes() throws Exception {
    scene.b().execute("DROP FUNCTION own.place");
    scene.b().executeAsSuperuser("DROP SCHEMA own");
    scene.a().execute("REVOKE EXECUTE ON FUNCTION own.place FROM PUBLIC");
    String fixes = String.join("\n", scene.check().fixes());
    assertTrue(
        fixes.contains("GRANT EXECUTE ON FUNCTION \"own\".\"place\"(bigint) TO \"app\";"), fixes);
    List<String> missing =
        scene.check().findings().stream()
            .filter(finding -> finding.what().startsWith("has no function own.place"))
            .map(Finding::sql)
            .toList();
    assertEquals(1, missing.size(), fixes);
    scene.b().executeAsSuperuser(missing.get(0));
    scene.a().execute("GRANT EXECUTE ON FUNCTION own.place TO PUBLIC");
    scene.assertFindsNothing();
    assertEquals(
        List.of("t"),
        scene
            .b()
            .query(
                "SELECT has_function_privilege('%s', 'own.place(bigint)', 'EXECUTE') AND has_schema_privilege('%1$s', 'own', 'USAGE')"
                    .formatted(SandboxRole.APP.user())));
  }
}
