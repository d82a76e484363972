package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class PreflightIT {
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
  void findsNothingInAGoodShopAndChangesNothing() throws Exception {
    Preflight.Result result = scene.check();
    assertEquals(List.of(), result.findings());
    assertEquals(result.checks(), result.clean());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "b | DROP TABLE orders                            | b: public.orders: there is no such table",
        "b | DROP TABLE country                           | b: public.country: there is no such table",
        "b | ALTER TABLE orders ADD note text             | public.orders (note): differs between shards in columns, types or NOT NULL",
        "a | CREATE TABLE basket (customer bigint)        | a, b: public.basket: customer may be NULL",
        "a | CREATE TABLE basket (id bigint)              | a, b: public.basket: has no column customer",
        "a | CREATE TABLE basket (customer text NOT NULL) | a, b: public.basket: customer is text, but modulo needs",
        "a | CREATE UNIQUE INDEX by_id ON orders (id)     | a: public.orders (by_id): unique key without the shard key customer",
        "a | CREATE UNIQUE INDEX by_id ON orders (id) INCLUDE (customer) | a: public.orders (by_id): unique key without the shard key customer",
        "a | ALTER TABLE orders SET UNLOGGED              | a: public.orders: is not logged",
        "b | CREATE TABLE special () INHERITS (orders)    | b: public.orders: uses INHERITS"
      })
  void aFaultIsABlockerAndNothingIsChanged(String shard, String fault, String blocker)
      throws Exception {
    if (fault.startsWith("CREATE TABLE basket")) {
      scene.shards.execute(fault);
    } else {
      scene.shards.get(shard).execute(fault);
    }
    scene.assertFinds("BLOCKER  " + blocker);
  }

  @Test
  void aTableThatTheControlShardLacksIsSeenToo() throws Exception {
    scene.b().execute("CREATE TABLE basket (customer bigint NOT NULL)");
    scene.assertFinds("BLOCKER  a: public.basket: there is no such table");
    scene.sharded("public.orders");
    scene.assertFinds("BLOCKER  public.basket: is in no list");
  }

  @Test
  void aShardThatCannotBeReachedHidesNothingOfTheOthers() throws Exception {
    scene.as("reshard", "wrong").assertFinds("BLOCKER  a, b: cannot be reached: FATAL: password");
    scene.as("reshard", "reshard-password").a().execute("ALTER TABLE orders SET UNLOGGED");
    scene
        .b()
        .executeAsSuperuser(
            "REVOKE CONNECT ON DATABASE %s FROM PUBLIC".formatted(scene.b().database()));
    Preflight.Result result = scene.check();
    assertTrue(
        result.lines().stream().anyMatch(l -> l.startsWith("BLOCKER  b: cannot be reached")));
    assertTrue(
        result.lines().stream().anyMatch(l -> l.startsWith("BLOCKER  a: public.orders: is not")));
  }

  @Test
  void aCheckThatCannotLookIsABlocker() {
    Check blind =
        Checks.check(
            "something",
            () -> {
              throw new SQLException("no way");
            });
    assertEquals(
        List.of(
            "1 checks: 0 ok, 0 notes, 1 blocker",
            "BLOCKER  something: could not be checked: no way"),
        Preflight.run(List.of(blind)).lines());
  }
}
