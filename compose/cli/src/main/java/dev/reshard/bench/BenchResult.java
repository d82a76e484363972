package dev.reshard.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** One measurement, as a line of JSON. Confined to one thread. */
final class BenchResult {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<String, Object> values = new LinkedHashMap<>();

  /**
   * How long something took.
   *
   * @param rows how many rows it was done to
   */
  BenchResult(String what, long rows, Duration time) {
    values.put("what", what);
    values.put("rows", rows);
    values.put("seconds", seconds(time));
    values.put("rows_per_second", Math.round(rows / Math.max(1e-9, time.toNanos() / 1e9)));
  }

  /** One value more. */
  BenchResult with(String name, Object value) {
    values.put(name, value);
    return this;
  }

  /** Seconds, to the millisecond. */
  BenchResult with(String name, Duration time) {
    return with(name, (Object) seconds(time));
  }

  /** Milliseconds, to the hundredth. */
  BenchResult withMs(String name, Duration time) {
    return with(name, rounded(time.toNanos() / 1e6));
  }

  static double seconds(Duration time) {
    return Math.round(time.toNanos() / 1e6) / 1e3;
  }

  /** To the hundredth. */
  static double rounded(double value) {
    return Math.round(value * 100) / 100.0;
  }

  String json() {
    try {
      return JSON.writeValueAsString(values);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
