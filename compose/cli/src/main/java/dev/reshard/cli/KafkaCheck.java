package dev.reshard.cli;

import dev.reshard.preflight.Check;
import dev.reshard.preflight.Finding;
import dev.reshard.spec.Spec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;

/** Whether Kafka answers and has as many brokers as topics want copies. */
final class KafkaCheck implements Check {
  private static final long LIMIT_S = 10;

  private final Spec spec;

  KafkaCheck(Spec spec) {
    this.spec = spec;
  }

  @Override
  public String name() {
    return "Kafka";
  }

  @Override
  public List<Finding> look() throws Exception {
    Map<String, Object> properties = new HashMap<>();
    spec.kafka().forEach((key, value) -> properties.put(key, value.value()));
    try (Admin admin = Admin.create(properties)) {
      int brokers = admin.describeCluster().nodes().get(LIMIT_S, TimeUnit.SECONDS).size();
      int wanted = spec.topics().replication();
      return brokers >= wanted
          ? List.of()
          : List.of(
              Finding.blocker(
                  "Kafka has %d broker(s), but topics.replication is %d; lower it, or add brokers"
                      .formatted(brokers, wanted)));
    }
  }
}
