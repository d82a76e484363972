package dev.reshard.routing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.keyspace.ShardId;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Optional;
import java.util.Set;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * A shard's guard refused a write: SQLSTATE {@code RS001}, whose DETAIL is JSON such as {@code
 * {"state":"MOVED","bucket":17,"owner":"c","epoch":2}}. Immutable.
 *
 * @param moved where the bucket is; empty if the guard said WAIT, or nothing that we understand
 */
record Refusal(Optional<Moved> moved) {
  private static final String SQLSTATE = "RS001";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The bucket came to {@code owner} at {@code epoch}. */
  record Moved(int bucket, ShardId owner, long epoch) {}

  /**
   * The refusal behind a failure, if it is one. Causes and chained exceptions are looked through:
   * whatever the application runs its statements with may have wrapped it.
   */
  static Optional<Refusal> in(Throwable failure) {
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Throwable> open = new ArrayDeque<>();
    open.add(failure);
    Optional<Refusal> found = Optional.empty();
    while (!open.isEmpty()) {
      Throwable next = open.remove();
      if (!seen.add(next)) {
        continue;
      }
      Optional.ofNullable(next.getCause()).ifPresent(open::add);
      if (next instanceof SQLException sql) {
        // a BatchUpdateException has the state, but the detail is in the exception chained to it
        Optional.ofNullable(sql.getNextException()).ifPresent(open::add);
        if (SQLSTATE.equals(sql.getSQLState()) && found.flatMap(Refusal::moved).isEmpty()) {
          found = Optional.of(new Refusal(moved(sql)));
        }
      }
    }
    return found;
  }

  private static Optional<Moved> moved(SQLException e) {
    if (!(e instanceof PSQLException server)) {
      return Optional.empty();
    }
    return Optional.ofNullable(server.getServerErrorMessage())
        .map(ServerErrorMessage::getDetail)
        .flatMap(Refusal::parse);
  }

  /** Empty for WAIT, for a TRUNCATE (which has no bucket), and for what no guard writes. */
  static Optional<Moved> parse(String detail) {
    try {
      JsonNode json = JSON.readTree(detail);
      JsonNode bucket = json.path("bucket");
      JsonNode owner = json.path("owner");
      JsonNode epoch = json.path("epoch");
      if (!json.path("state").asText().equals("MOVED")
          || !(bucket.isInt() && owner.isTextual() && epoch.isIntegralNumber())) {
        return Optional.empty();
      }
      return Optional.of(
          new Moved(bucket.intValue(), new ShardId(owner.textValue()), epoch.longValue()));
    } catch (JsonProcessingException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
