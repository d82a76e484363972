package dev.reshard.preflight;

import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class IgnoredColumnsIT {
  private CheckScene scene;
  private SandboxShard a;
  private SandboxShard b;

  @BeforeEach
  void aGoodShop() throws SQLException {
    scene = CheckScene.shop(2);
    a = scene.a();
    b = scene.b();
  }

  @AfterEach
  void drop() throws SQLException {
    scene.close();
  }

  @Test
  void aColumnThatOneShardLacksIsNoDifferenceWhereItIsIgnored() throws Exception {
    a.execute("ALTER TABLE orders ADD COLUMN note text");
    b.execute("ALTER TABLE orders ADD COLUMN legacy int NOT NULL DEFAULT 7");
    scene.assertFinds("BLOCKER  public.orders (legacy, note): differs between shards in columns");
    scene.ignoring("orders", "note", "legacy").assertFindsNothing();
  }

  @Test
  void whatCannotBeIgnoredIsRefusedByNameAllAtOnce() throws Exception {
    scene.shards.execute(
        "ALTER TABLE orders ADD COLUMN code text, ADD COLUMN price int DEFAULT 1, ADD COLUMN must text NOT NULL",
        "CREATE UNIQUE INDEX ON orders (customer, code)",
        "ALTER TABLE orders ADD COLUMN gross int GENERATED ALWAYS AS (price * 2) STORED",
        "CREATE TABLE visit (customer bigint NOT NULL, page text)",
        "CREATE TABLE special (id int)");
    scene
        .ignoring("orders", "id", "code", "price", "must", "nowhere")
        .ignoring("visit", "page")
        .ignoring("special", "id");
    scene.assertFinds(
        "BLOCKER  a, b: public.orders: ignored column id belongs to a unique key, so that rows are told apart by it");
    scene.assertFinds("BLOCKER  a, b: public.orders: ignored column code belongs to a unique key");
    scene.assertFinds(
        "BLOCKER  a, b: public.orders: generated column gross is made of ignored column price");
    scene.assertFinds(
        "BLOCKER  a, b: public.orders: ignored column must is NOT NULL without a default, so that no row can come without it");
    scene.assertFinds(
        "BLOCKER  public.orders: keyspace.tables.ignored_columns names column nowhere, which no shard has");
    scene.assertFinds(
        "BLOCKER  a, b: public.visit: has no key, so that its rows are told apart by all their columns: none can be ignored");
    scene.assertFinds(
        "BLOCKER  public.special: keyspace.tables.ignored_columns names it, but it is no sharded or reference table");
  }

  @Test
  void aGeneratedColumnMayBeIgnoredWithWhatItIsMadeOf() throws Exception {
    scene.shards.execute(
        "ALTER TABLE orders ADD COLUMN price int",
        "ALTER TABLE orders ADD COLUMN gross int GENERATED ALWAYS AS (price * 2) STORED");
    scene.ignoring("orders", "price", "gross").assertFindsNothing();
  }
}
