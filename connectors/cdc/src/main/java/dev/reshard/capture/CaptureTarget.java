package dev.reshard.capture;

import java.util.Map;

/**
 * Where changes go. Immutable. Never printed: client properties hold secrets.
 *
 * @param kafka client properties: addresses and security
 * @param topic exists, with one partition ({@link dev.reshard.change.ChangeTopics})
 */
public record CaptureTarget(Map<String, Object> kafka, String topic) {
  public CaptureTarget {
    kafka = Map.copyOf(kafka);
  }

  @Override
  public String toString() {
    return topic;
  }
}
