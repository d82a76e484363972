package dev.reshard.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.spec.Rate;
import dev.reshard.spec.ThrottleSpec;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a source is asked, and what follows. */
@Timeout(60)
class SourceWatchIT {
  private static final ShardId A = new ShardId("a");

  private SandboxShards shards;
  private ShardSessions sessions;

  @BeforeEach
  void startShard() throws SQLException {
    shards = SharedSandbox.shards(1);
    sessions =
        new ShardSessions(
            "shop",
            List.of(
                new ShardAddress(
                    A,
                    shards.get("a").url(),
                    SandboxRole.RESHARD.user(),
                    SandboxRole.RESHARD.password())));
  }

  @AfterEach
  void dropShard() throws SQLException {
    shards.close();
  }

  @Test
  void aQuestionIsAnsweredByANumberOrABooleanAndChangesNothing() throws SQLException {
    try (SourceProbe probe = new SourceProbe(sessions, A)) {
      assertEquals(7.5, probe.ask("SELECT 7.5"));
      assertEquals(42, probe.ask("SELECT count(*) FROM generate_series(1, 42)"));
      assertEquals(Double.POSITIVE_INFINITY, probe.ask("SELECT 1 < 2"));
      assertEquals(Double.NEGATIVE_INFINITY, probe.ask("SELECT 1 > 2"));
      assertEquals(Double.NEGATIVE_INFINITY, probe.ask("SELECT NULL::int"));
      assertThrows(SQLException.class, () -> probe.ask("SELECT 1 WHERE false"));
      assertThrows(SQLException.class, () -> probe.ask("SELECT 'much'"));
      assertThrows(SQLException.class, () -> probe.ask("SELECT 1 FROM pg_sleep(10)"));
      assertThrows(SQLException.class, () -> probe.ask("SELECT nextval('no_such')"));
      SQLException write =
          assertThrows(SQLException.class, () -> probe.ask("CREATE TABLE public.written ()"));
      assertTrue(write.getMessage().contains("read-only"), write::getMessage);
      assertEquals(1, probe.ask("SELECT 1"), "after a failure it has a session again");
      assertTrue(probe.commit().compareTo(Duration.ofSeconds(5)) < 0);
    }
  }

  /** Every commit takes longer than a microsecond. */
  @Test
  void slowCommitsSlowTheCopyDownAndOffEndsIt() throws Exception {
    ThrottleSpec file =
        new ThrottleSpec(
            List.of(), List.of(), Optional.of(Duration.ofNanos(1_000)), Optional.empty());
    Throttle throttle = new Throttle(Limits.NONE);
    AtomicBoolean off = new AtomicBoolean();
    Thread watch =
        new Thread(
            new SourceWatch(
                sessions, A, file, throttle, () -> new SourceWatch.Asked(off.get(), List.of())));
    watch.start();
    try (Turn turn = throttle.begin(1, () -> false).orElseThrow()) {
      while (!told(throttle).contains("commits take")) {
        turn.moved(100);
        TimeUnit.MILLISECONDS.sleep(1); // a copy of its own pace
      }
      off.set(true);
      while (throttle.told().isPresent()) {
        TimeUnit.MILLISECONDS.sleep(20); // until the watch has looked
      }
    } finally {
      watch.interrupt();
      watch.join(5_000);
    }
    assertFalse(watch.isAlive());
  }

  @Test
  void aQuestionWithoutAnAnswerPausesAndSaysSo() throws Exception {
    ThrottleSpec file =
        new ThrottleSpec(
            List.of(),
            List.of(),
            Optional.empty(),
            Optional.of(new ThrottleSpec.Query("SELECT n FROM no_such", 0, Rate.parse("0MB/s"))));
    Throttle throttle = new Throttle(Limits.NONE);
    Thread watch =
        new Thread(
            new SourceWatch(
                sessions, A, file, throttle, () -> new SourceWatch.Asked(false, List.of())));
    watch.start();
    try (Turn turn = throttle.begin(1, () -> false).orElseThrow()) {
      while (!told(throttle).startsWith("paused: throttle.query cannot be answered: ")) {
        TimeUnit.MILLISECONDS.sleep(20); // until the watch has looked
      }
      turn.moved(1); // goes on
    } finally {
      watch.interrupt();
      watch.join(5_000);
    }
  }

  private static String told(Throttle throttle) {
    return throttle.told().map(Limit::toString).orElse("");
  }
}
