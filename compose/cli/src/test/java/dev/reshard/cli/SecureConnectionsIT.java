package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxKafka;
import dev.reshard.sandbox.SandboxShard;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A migration whose every connection is encrypted (PostgreSQL) or by password (Kafka). */
@Timeout(300)
class SecureConnectionsIT {
  private static final String PASSWORD = "not-for-the-log";
  private static final String SESSIONS =
      """
      SELECT a.application_name FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
       WHERE a.application_name LIKE 'reshard secure%%' AND s.ssl = %s""";

  @TempDir private Path folder;

  @Test
  void allOfPostgresGoesThroughTlsAndAllOfKafkaThroughScram() throws Exception {
    try (SandboxKafka kafka = SandboxKafka.startWithLogin("mover", PASSWORD);
        Shop shop = Shop.open(folder, "secure", 2, 3)) {
      Path certificate = makeCertificate();
      shop.shards.all().forEach(shard -> encrypt(shard, true));
      try {
        writeSecureFile(shop, kafka, certificate, "wrong");
        Answer refused = shop.run("check");
        assertEquals(ExitCode.BLOCKED.code(), refused.exitCode(), refused::toString);
        writeSecureFile(shop, kafka, certificate, PASSWORD);
        shop.succeed("check");
        CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        for (SandboxShard shard : shop.shards.all()) {
          assertEquals(List.of(), shard.query(SESSIONS.formatted(false)));
          assertFalse(shard.query(SESSIONS.formatted(true)).isEmpty());
        }
        shop.succeed("verify");
        shop.succeedOnceGatesOpen("cutover");
        assertFalse(shop.run("status").text().contains(PASSWORD));
        assertEquals(
            ExitCode.DONE.code(),
            Shop.run("topics", "list", "-f", shop.file.toString()).exitCode());
        shop.succeed("complete");
        assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      } finally {
        shop.shards.all().forEach(shard -> encrypt(shard, false));
      }
      shop.requireClean();
    }
  }

  private void writeSecureFile(Shop shop, SandboxKafka kafka, Path certificate, String password)
      throws Exception {
    shop.writeFile("budget: { pause: 5s }");
    Path jaas = folder.resolve("jaas");
    Files.writeString(
        jaas,
        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"mover\" password=\"%s\";"
            .formatted(password));
    String text = Files.readString(shop.file);
    for (SandboxShard shard : shop.shards.all()) {
      text =
          text.replace(
              '"' + shard.url() + '"',
              "\"%s?sslmode=verify-full&sslrootcert=%s\"".formatted(shard.url(), certificate));
    }
    Files.writeString(
        shop.file,
        text.replaceFirst(
            "kafka: .*",
            "kafka: { bootstrap.servers: \"%s\", security.protocol: SASL_PLAINTEXT, sasl.mechanism: SCRAM-SHA-512, sasl.jaas.config: \"\\${file:%s}\" }"
                .formatted(kafka.bootstrapServers(), jaas)));
  }

  /** For this address, signed by itself; with the server's key beside it. */
  private Path makeCertificate() throws Exception {
    Path store = folder.resolve("server.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "server",
                "-keyalg",
                "RSA",
                "-keysize",
                "2048",
                "-dname",
                "CN=127.0.0.1",
                "-ext",
                "san=ip:127.0.0.1",
                "-validity",
                "2",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("keytool.log").toFile())
            .start();
    assertEquals(0, keytool.waitFor());
    KeyStore keys = KeyStore.getInstance("PKCS12");
    char[] password = "changeit".toCharArray();
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, password);
    }
    Path key = folder.resolve("server.key");
    Files.createFile(
        key, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(key, pem("PRIVATE KEY", keys.getKey("server", password).getEncoded()));
    Path certificate = folder.resolve("server.crt");
    Files.writeString(certificate, pem("CERTIFICATE", keys.getCertificate("server").getEncoded()));
    return certificate;
  }

  private static String pem(String kind, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(kind, Base64.getMimeEncoder().encodeToString(der), kind);
  }

  private void encrypt(SandboxShard shard, boolean on) {
    try {
      shard.executeAsSuperuser(
          "ALTER SYSTEM SET ssl_cert_file = '%s'".formatted(folder.resolve("server.crt")),
          "ALTER SYSTEM SET ssl_key_file = '%s'".formatted(folder.resolve("server.key")),
          "ALTER SYSTEM SET ssl = " + (on ? "on" : "off"),
          "SELECT pg_reload_conf()");
    } catch (java.sql.SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
