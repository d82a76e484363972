package dev.reshard.guard;

import static dev.reshard.guard.GuardedShard.execute;
import static dev.reshard.guard.GuardedShard.outcome;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.postgres.OwnTransaction;
import dev.reshard.sandbox.SandboxRole;
import java.io.IOException;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** HAZARDS F12 and F13: no statement writes a fenced bucket, and none of another is stopped. */
class EveryKindOfWriteIT {
  private static GuardedShard a;

  @BeforeAll
  static void armAndFence() throws SQLException {
    a =
        GuardedShard.create(
            GuardedShard.A,
            List.of(
                "CREATE TABLE orders (id bigint, customer bigint NOT NULL, note text,"
                    + " PRIMARY KEY (id, customer))",
                "INSERT INTO orders SELECT i, i % 16, 'x' FROM generate_series(0, 159) i",
                // An application's trigger, last in name order, that sets the shard key.
                "CREATE TABLE derived (id bigint PRIMARY KEY, customer bigint)",
                """
                CREATE FUNCTION set_customer() RETURNS trigger LANGUAGE plpgsql AS
                  'BEGIN NEW.customer := NEW.id % 16; RETURN NEW; END'""",
                "CREATE TRIGGER zzz BEFORE INSERT OR UPDATE ON derived"
                    + " FOR EACH ROW EXECUTE FUNCTION set_customer()",
                "CREATE TABLE generated (id bigint PRIMARY KEY, half bigint,"
                    + " customer bigint GENERATED ALWAYS AS (half * 2) STORED)",
                // Partitioned by the shard key, so that a change of it moves a row.
                "CREATE TABLE parted (id bigint, customer bigint) PARTITION BY RANGE (customer)",
                "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (4)",
                "CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (4) TO (100)"
                    + " PARTITION BY RANGE (customer)",
                "CREATE TABLE parted_higher PARTITION OF parted_high FOR VALUES FROM (4) TO (100)",
                "INSERT INTO parted SELECT i, i % 16 FROM generate_series(0, 159) i",
                "CREATE TABLE tenants (id bigint PRIMARY KEY)",
                "INSERT INTO tenants SELECT generate_series(0, 15)",
                "CREATE TABLE notes (id bigint PRIMARY KEY, tenant bigint"
                    + " REFERENCES tenants ON DELETE CASCADE ON UPDATE CASCADE)",
                "INSERT INTO notes SELECT i, i FROM generate_series(0, 15) i",
                "CREATE VIEW recent AS SELECT * FROM orders",
                "GRANT ALL ON recent TO app",
                "GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO app"),
            "orders.customer",
            "derived.customer",
            "generated.customer",
            "parted.customer",
            "notes.tenant");
    a.arm();
    a.fence(1);
  }

  @AfterAll
  static void drop() throws SQLException {
    a.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "INSERT INTO orders VALUES (1000, 1, '')",
        "INSERT INTO orders SELECT i, i FROM generate_series(1000, 1015) i",
        "UPDATE orders SET note = 'y' WHERE customer = 0",
        "UPDATE orders SET customer = 2 WHERE customer = 5",
        "UPDATE orders SET customer = 5 WHERE customer = 2",
        "DELETE FROM orders WHERE customer = 1",
        "DELETE FROM orders",
        "INSERT INTO orders VALUES (1, 1, '') ON CONFLICT (id, customer) DO UPDATE SET note = 'y'",
        "INSERT INTO orders VALUES (5, 5, '') ON CONFLICT (id, customer) DO UPDATE SET customer = 1",
        "MERGE INTO orders o USING (VALUES (1)) v(c) ON o.customer = v.c"
            + " WHEN MATCHED THEN UPDATE SET note = 'y'",
        "MERGE INTO orders o USING (VALUES (1)) v(c) ON o.customer = v.c WHEN MATCHED THEN DELETE",
        "MERGE INTO orders o USING (VALUES (2000, 1)) v(i, c) ON o.id = v.i"
            + " WHEN NOT MATCHED THEN INSERT VALUES (i, c, '')",
        "WITH gone AS (DELETE FROM orders WHERE customer = 2 RETURNING id) SELECT count(*) FROM gone",
        "UPDATE recent SET note = 'y' WHERE customer = 2",
        "DO $$ BEGIN INSERT INTO orders VALUES (1000, 1, ''); END $$",
        "INSERT INTO derived VALUES (17, 5)",
        "INSERT INTO generated VALUES (1, 8)",
        "INSERT INTO parted VALUES (1000, 1)",
        "INSERT INTO parted_low VALUES (1000, 1)",
        "INSERT INTO parted_higher VALUES (1000, 17)",
        "UPDATE parted SET customer = 1 WHERE customer = 9",
        "UPDATE parted SET customer = 9 WHERE customer = 1",
        "DELETE FROM parted_low WHERE customer = 2",
        "TRUNCATE orders",
        "TRUNCATE parted",
        "TRUNCATE parted_high",
        "TRUNCATE parted_low",
        "TRUNCATE tenants CASCADE",
        "DELETE FROM tenants WHERE id = 1",
        "UPDATE tenants SET id = 17 WHERE id = 2",
        "UPDATE tenants SET id = 21 WHERE id = 1",
      })
  void isRefused(String sql) throws SQLException {
    try (Connection app = a.app()) {
      assertEquals(Guard.REFUSED_WRITE, outcome(app, sql));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "INSERT INTO orders VALUES (1003, 3, '')",
        "UPDATE orders SET note = 'y' WHERE customer = 5",
        "UPDATE orders SET customer = 6 WHERE customer = 7",
        "DELETE FROM orders WHERE customer = 4",
        "UPDATE orders SET note = 'z' WHERE customer = 99",
        "INSERT INTO derived VALUES (20, 1)",
        "INSERT INTO generated VALUES (3, 2)",
        "INSERT INTO parted VALUES (1000, 3)",
        "UPDATE parted SET customer = 11 WHERE customer = 3",
        "DELETE FROM tenants WHERE id = 6",
        "SELECT * FROM orders FOR UPDATE",
      })
  void ofAnotherBucketPasses(String sql) throws SQLException {
    try (Connection app = a.app()) {
      assertEquals("passed", outcome(app, sql));
    }
  }

  @Test
  void copyIsRefused() throws SQLException, IOException {
    try (Connection app = a.app()) {
      var copy = app.unwrap(PGConnection.class).getCopyAPI();
      SQLException refused =
          assertThrows(
              SQLException.class,
              () -> copy.copyIn("COPY orders FROM STDIN", new StringReader("1\t5\tx\n2\t17\tx\n")));
      assertEquals(Guard.REFUSED_WRITE, refused.getSQLState());
      copy.copyIn("COPY orders FROM STDIN", new StringReader("3001\t5\tx\n3002\t7\tx\n"));
    }
  }

  @Test
  void replicaRoleDoesNotPassTheGuard() throws SQLException {
    try (Connection superuser = a.shard.connect(SandboxRole.SUPERUSER)) {
      execute(superuser, "SET session_replication_role = replica");
      assertEquals(
          Guard.REFUSED_WRITE, outcome(superuser, "INSERT INTO orders VALUES (1000, 1, '')"));
      assertEquals(
          Guard.REFUSED_WRITE, outcome(superuser, "INSERT INTO parted_low VALUES (1000, 1)"));
      assertEquals(Guard.REFUSED_WRITE, outcome(superuser, "TRUNCATE parted_higher"));
    }
  }

  @Test
  void ourOwnTransactionsPassTheGuard() throws SQLException {
    try (OwnTransaction own =
        OwnTransaction.begin(a.ours, a.worker, OwnTransaction.Durability.ASYNCHRONOUS)) {
      execute(a.ours, "INSERT INTO public.orders VALUES (5000, 1, '')");
      own.commit();
    }
  }

  @Test
  void aPartitionMadeAfterArmingIsGuardedToo() throws SQLException {
    a.shard.execute(
        "CREATE TABLE parted_late PARTITION OF parted FOR VALUES FROM (100) TO (200)",
        "GRANT ALL ON parted_late TO app");
    try (Connection app = a.app()) {
      assertEquals(Guard.REFUSED_WRITE, outcome(app, "INSERT INTO parted_late VALUES (1000, 112)"));
      a.arm();
      assertEquals(Guard.REFUSED_WRITE, outcome(app, "TRUNCATE parted_late"));
    }
  }
}
