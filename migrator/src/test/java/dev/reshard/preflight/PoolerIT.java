package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.sandbox.SandboxPostgres;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.TcpProxy;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PoolerIT {
  private CheckScene scene;
  private SandboxPostgres server;

  @BeforeEach
  void aGoodShop() throws SQLException {
    scene = CheckScene.shop(2);
    server = scene.a().server();
  }

  @AfterEach
  void drop() throws SQLException {
    scene.close();
  }

  @Test
  void aTransactionPoolerIsABlockerThatNamesTheWayOut() throws Exception {
    try (TransactionPooler pooler = pooler(false)) {
      assertPooled(pooler);
    }
  }

  @Test
  void aPoolerThatPassesTheServersProcessOnIsFoundToo() throws Exception {
    try (TransactionPooler pooler = pooler(true)) {
      assertPooled(pooler);
    }
  }

  @Test
  void noSettingOfOursIsLeftToAnApplication() throws Exception {
    for (boolean namesTheServersProcess : new boolean[] {false, true}) {
      try (TransactionPooler pooler = pooler(namesTheServersProcess)) {
        assertPooled(pooler);
        assertEquals("\"$user\", public", applicationSees(pooler, "SHOW search_path"));
        assertEquals("off", applicationSees(pooler, "SHOW default_transaction_read_only"));
      }
    }
  }

  @Test
  void aProxyOfConnectionsIsNoPooler() throws Exception {
    try (TcpProxy proxy = TcpProxy.to(server)) {
      scene.reaching(CheckScene.A, proxy.port()).assertFindsNothing();
    }
  }

  private TransactionPooler pooler(boolean namesTheServersProcess) throws IOException {
    return TransactionPooler.start(server.host(), server.port(), namesTheServersProcess);
  }

  private void assertPooled(TransactionPooler pooler) throws Exception {
    Finding finding =
        scene.reaching(CheckScene.A, pooler.port()).check().findings().stream()
            .filter(f -> f.what().contains("a connection pooler answers at this address"))
            .findFirst()
            .orElseThrow();
    assertTrue(finding.blocks());
    assertEquals("give the server's own address under shards", finding.todo());
  }

  private String applicationSees(TransactionPooler pooler, String sql) throws SQLException {
    String url = scene.a().url().replaceFirst(":\\d+/", ":" + pooler.port() + "/");
    try (Connection connection =
            DriverManager.getConnection(
                url, SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password());
        ResultSet row = connection.createStatement().executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }
}
