package dev.reshard.sandbox;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The one user whom a broker lets in. Immutable. */
record KafkaLogin(String user, String password) {
  private static final String LISTENER = "CLIENTS";
  private static final String INTERNAL = "INTERNAL";

  /** Settings of a broker with a listener of its own for itself. */
  Map<String, String> settings(int clientPort, int internalPort, String controller) {
    Map<String, String> settings = new HashMap<>();
    settings.put(
        "listener.security.protocol.map",
        "%s:SASL_PLAINTEXT,%s:PLAINTEXT,CONTROLLER:PLAINTEXT".formatted(LISTENER, INTERNAL));
    settings.put(
        "listeners",
        "%s://127.0.0.1:%d,%s://127.0.0.1:%d,%s"
            .formatted(LISTENER, clientPort, INTERNAL, internalPort, controller));
    settings.put(
        "advertised.listeners",
        "%s://127.0.0.1:%d,%s://127.0.0.1:%d"
            .formatted(LISTENER, clientPort, INTERNAL, internalPort));
    settings.put("inter.broker.listener.name", INTERNAL);
    settings.put("sasl.enabled.mechanisms", "SCRAM-SHA-512");
    settings.put(
        "listener.name.clients.scram-sha-512.sasl.jaas.config",
        "org.apache.kafka.common.security.scram.ScramLoginModule required;");
    return settings;
  }

  /** For {@code kafka-storage format --add-scram}. */
  List<String> scram() {
    return List.of("SCRAM-SHA-512=[name=%s,password=%s]".formatted(user, password));
  }
}
