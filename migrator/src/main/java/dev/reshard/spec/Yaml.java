package dev.reshard.spec;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * A mapping of the file, with its place. Every scalar is read as the string that stands there (YAML
 * 1.1 would make a boolean of a shard {@code no}) and converted by who asks; problems are
 * collected, not thrown, so that all are reported at once. Confined to one thread.
 */
final class Yaml {
  private static final Pattern REFERENCE = Pattern.compile("\\$\\{(env|file):([^}]*)}");

  private final Map<String, Node> entries = new LinkedHashMap<>();
  private final Set<String> asked = new LinkedHashSet<>();
  private final String place;
  private final int line;
  private final List<String> problems;

  /** An absent mapping: empty, its place that of what should hold it. */
  private Yaml(String place, int line, List<String> problems) {
    this.place = place;
    this.line = line;
    this.problems = problems;
  }

  private Yaml(String place, Node node, List<String> problems) {
    this(place, line(node), problems);
    if (node instanceof MappingNode mapping) {
      mapping.getValue().forEach(this::add);
    } else {
      problem(
          node, "%s must be a mapping (key: value)".formatted(place.isEmpty() ? "file" : place));
    }
  }

  private void add(NodeTuple entry) {
    if (!(entry.getKeyNode() instanceof ScalarNode key)) {
      problem(entry.getKeyNode(), "a key must be one word");
    } else if (entries.put(key.getValue(), entry.getValueNode()) != null) {
      problem(key, "%s stands twice".formatted(path(key.getValue())));
    }
  }

  static Yaml parse(String text, List<String> problems) {
    Node root = new org.yaml.snakeyaml.Yaml(new LoaderOptions()).compose(new StringReader(text));
    return root == null ? new Yaml("", 1, problems) : new Yaml("", root, problems);
  }

  boolean has(String key) {
    asked.add(key);
    return entries.containsKey(key);
  }

  Collection<String> keys() {
    asked.addAll(entries.keySet());
    return entries.keySet();
  }

  /** A nested mapping; an absent one is empty. */
  Yaml map(String key) {
    Node node = has(key) ? entries.get(key) : null;
    return node == null ? new Yaml(path(key), line, problems) : new Yaml(path(key), node, problems);
  }

  /** Whether the value is a mapping, not a scalar or a list. */
  boolean isMap(String key) {
    return has(key) && entries.get(key) instanceof MappingNode;
  }

  boolean isScalar(String key) {
    return has(key) && entries.get(key) instanceof ScalarNode;
  }

  boolean isList(String key) {
    return has(key) && entries.get(key) instanceof SequenceNode;
  }

  /** Whether there is no such key, or an empty list. */
  boolean isEmpty(String key) {
    return !has(key)
        || (entries.get(key) instanceof SequenceNode sequence && sequence.getValue().isEmpty());
  }

  /** A scalar that must be there. */
  <T> Optional<T> required(String key, Function<String, T> as) {
    if (!has(key)) {
      problems.add("line %d: %s is missing".formatted(line, path(key)));
      return Optional.empty();
    }
    return convert(key, entries.get(key), as);
  }

  <T> T optional(String key, T absent, Function<String, T> as) {
    return has(key) ? convert(key, entries.get(key), as).orElse(absent) : absent;
  }

  <T> List<T> list(String key, Function<String, T> as) {
    List<T> result = new ArrayList<>();
    if (has(key)) {
      if (entries.get(key) instanceof SequenceNode sequence) {
        sequence.getValue().forEach(node -> convert(key, node, as).ifPresent(result::add));
      } else {
        problem(entries.get(key), "%s must be a list [..]".formatted(path(key)));
      }
    }
    return result;
  }

  /** The mappings of a list; an absent one is empty. */
  List<Yaml> maps(String key) {
    List<Yaml> result = new ArrayList<>();
    if (has(key)) {
      if (entries.get(key) instanceof SequenceNode sequence) {
        for (Node node : sequence.getValue()) {
          String name = "%s[%d]".formatted(path(key), result.size() + 1);
          result.add(new Yaml(name, node, problems));
        }
      } else {
        problem(entries.get(key), "%s must be a list [..]".formatted(path(key)));
      }
    }
    return result;
  }

  private <T> Optional<T> convert(String key, Node node, Function<String, T> as) {
    if (!(node instanceof ScalarNode scalar)) {
      problem(node, "%s must be one value".formatted(path(key)));
      return Optional.empty();
    }
    try {
      return Optional.of(as.apply(resolve(scalar.getValue())));
    } catch (IllegalArgumentException e) {
      problem(node, "%s: %s".formatted(path(key), e.getMessage()));
      return Optional.empty();
    }
  }

  /** Puts in what {@code ${env:NAME}} and {@code ${file:PATH}} stand for. */
  private static String resolve(String value) {
    Matcher matcher = REFERENCE.matcher(value);
    StringBuilder result = new StringBuilder();
    while (matcher.find()) {
      matcher.appendReplacement(
          result, Matcher.quoteReplacement(look(matcher.group(1), matcher.group(2))));
    }
    return matcher.appendTail(result).toString();
  }

  private static String look(String kind, String name) {
    if (kind.equals("env")) {
      String value = System.getenv(name);
      if (value == null) {
        throw new IllegalArgumentException("the environment has no variable " + name);
      }
      return value;
    }
    try {
      return Files.readString(Path.of(name)).strip();
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "cannot read the file " + Path.of(name).toAbsolutePath(), e);
    }
  }

  /** Reports every key that nobody asked for, with the nearest that somebody did. */
  void refuseUnknown() {
    entries.forEach(
        (key, node) -> {
          if (!asked.contains(key)) {
            problem(node, "%s is unknown%s".formatted(path(key), hint(key)));
          }
        });
  }

  private String hint(String key) {
    if (!place.isEmpty() && SpecReader.TOP_LEVEL.contains(key)) {
      return "; it belongs at the top level of the file, not into " + place;
    }
    return Near.of(key, asked).map("; did you mean %s?"::formatted).orElse("");
  }

  void problem(String key, String text) {
    Node node = entries.get(key);
    problems.add("line %d: %s: %s".formatted(node == null ? line : line(node), path(key), text));
  }

  private void problem(Node node, String text) {
    problems.add("line %d: %s".formatted(line(node), text));
  }

  private static int line(Node node) {
    return node.getStartMark() == null ? 1 : node.getStartMark().getLine() + 1;
  }

  private String path(String key) {
    return place.isEmpty() ? key : place + "." + key;
  }
}
