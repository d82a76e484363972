package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.preflight.Unreachable.Hints;
import java.net.UnknownHostException;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class UnreachableTest {
  private static final ShardAddress ADDRESS =
      new ShardAddress(
          new ShardId("a"), "jdbc:postgresql://pg-a:5432/shop?ssl=true", "reshard", "hush");

  @Test
  void aRefusedPasswordNamesShardAddressUserAndFile() {
    assertEquals(
        "a (pg-a:5432): the password of user \"reshard\" is refused; see login in shop.yaml; a role that is not there looks the same",
        text("FATAL: password authentication failed for user \"reshard\"", "28P01", null));
  }

  @Test
  void aPasswordThatWasLeftOutIsOneThatIsRefused() {
    assertTrue(
        text(
                "The server requested SCRAM-based authentication, but no password was provided.",
                "08004",
                null)
            .contains("the password of user \"reshard\" is refused"));
  }

  @Test
  void anUnknownHostIsToldAsOne() {
    assertEquals(
        "a (pg-a:5432): cannot be reached: there is no such host; see the addresses under shards in shop.yaml",
        text("The connection attempt failed.", "08001", new UnknownHostException("pg-a")));
  }

  @Test
  void aServerThatIsDownIsToldWithoutAFullStopInTheMiddle() {
    String text = text("Connection to pg-a:5432 refused.", "08001", null);
    assertTrue(
        text.startsWith("a (pg-a:5432): cannot be reached: Connection to pg-a:5432 refused; "),
        text);
  }

  @Test
  void anErrorOfAShardThatAnswersIsNone() {
    assertTrue(
        Unreachable.of(ADDRESS, Hints.inFile("f"), new SQLException("x", "42P01")).isEmpty());
  }

  @Test
  void theAddressHasNoSecrets() {
    assertEquals(
        "h1:1,h2:2", Unreachable.where("jdbc:postgresql://me:hush@h1:1,h2:2/x?password=y"));
  }

  private static String text(String message, String state, Throwable cause) {
    return Unreachable.of(
            ADDRESS, Hints.inFile("shop.yaml"), new SQLException(message, state, cause))
        .orElseThrow()
        .toString();
  }
}
