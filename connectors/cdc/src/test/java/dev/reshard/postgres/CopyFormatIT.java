package dev.reshard.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

class CopyFormatIT {
  private static final ShardId A = new ShardId("a");

  @Test
  void referencesToObjectsTravelAsTextWhereverTheyHide() throws SQLException {
    try (SandboxShards shards = SharedSandbox.freshShards("a")) {
      SandboxShard shard = shards.get("a");
      shard.execute(
          "CREATE TYPE holder AS (n int, r regrole)",
          "CREATE DOMAIN tables AS regclass[]",
          "CREATE TYPE types AS RANGE (subtype = regtype, subtype_opclass = oid_ops)");
      for (String type :
          List.of(
              "regclass",
              "regproc",
              "regconfig",
              "holder",
              "holder[]",
              "tables",
              "types",
              "types_multirange",
              "tsquery[]",
              "oidvector",
              "int2vector[]",
              "aclitem")) {
        assertEquals(CopyFormat.TEXT, formatOf(shard, type), type);
      }
      for (String type : List.of("oid", "name", "int4range", "numeric[]", "xid8", "tsvector")) {
        assertEquals(CopyFormat.BINARY, formatOf(shard, type), type);
      }
    }
  }

  private static CopyFormat formatOf(SandboxShard shard, String type) throws SQLException {
    ShardSessions sessions =
        new ShardSessions(
            "test",
            List.of(
                new ShardAddress(
                    A, shard.url(), SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password())));
    shard.execute("DROP TABLE IF EXISTS t", "CREATE TABLE t (id int, v %s)".formatted(type));
    try (Connection connection = sessions.open(A, "test")) {
      return CopyFormat.of(connection, Catalog.read(connection, new TableId("public", "t")));
    }
  }
}
