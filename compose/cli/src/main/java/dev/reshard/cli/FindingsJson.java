package dev.reshard.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.preflight.Finding;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Findings for programs: a JSON array, an object and a line for each. Stateless. */
final class FindingsJson {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private FindingsJson() {}

  static String of(List<Finding> findings) {
    return findings.stream()
        .map(FindingsJson::object)
        .collect(Collectors.joining(",\n ", "[", "]"));
  }

  private static String object(Finding finding) {
    Map<String, String> object = new LinkedHashMap<>();
    object.put("severity", finding.severity().name().toLowerCase(Locale.ROOT));
    object.put("check", finding.check());
    object.put("shard", finding.shard().map(ShardId::name).orElse(null));
    object.put("table", finding.table().map(TableId::toString).orElse(null));
    object.put("detail", finding.detail());
    object.put("what", finding.what());
    object.put("todo", finding.todo());
    object.put("sql", finding.sql());
    try {
      return MAPPER.writeValueAsString(object);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("strings are always JSON", e);
    }
  }
}
