package dev.reshard.spec;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;

/** Reads a migration file. Confined to one thread. */
public final class SpecReader {
  /** Every key that stands in no block. */
  static final Set<String> TOP_LEVEL =
      Set.of(
          "migration",
          "login",
          "shards",
          "control",
          "kafka",
          "topics",
          "keyspace",
          "from",
          "to",
          "budget",
          "gates",
          "shadow",
          "copy",
          "throttle",
          "sequences");

  private static final Pattern PERCENT = Pattern.compile("(\\d+(?:\\.\\d+)?)%");

  private final List<String> problems = new ArrayList<>();

  private SpecReader() {}

  /**
   * The file's content.
   *
   * @throws SpecException with all problems, each with its line
   */
  public static Spec read(Path file) {
    try {
      return parse(file.toString(), Files.readString(file));
    } catch (NoSuchFileException e) {
      throw new SpecException(
          "there is no %s here; name it with -f FILE, or draft one with 'reshard init --url ..'"
              .formatted(file));
    } catch (IOException e) {
      throw new SpecException(
          file.toString(), List.of("cannot be read; name it with -f FILE or $RESHARD_FILE"));
    }
  }

  static Spec parse(String name, String text) {
    SpecReader reader = new SpecReader();
    Spec spec = null;
    try {
      spec = reader.spec(Yaml.parse(text, reader.problems));
    } catch (MarkedYAMLException e) {
      int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
      reader.problems.add("line %d: not YAML: %s".formatted(line, e.getProblem()));
    } catch (YAMLException e) {
      reader.problems.add("line 1: not YAML: " + e.getMessage());
    }
    if (!reader.problems.isEmpty()) {
      throw new SpecException(name, reader.problems);
    }
    return spec;
  }

  private Spec spec(Yaml root) {
    String migration = root.required("migration", SpecReader::migrationName).orElse("?");
    Yaml login = root.map("login");
    String user = login.optional("user", "reshard", Function.identity());
    Secret password = login.optional("password", new Secret(""), Secret::new);
    login.refuseUnknown();

    Map<ShardId, Spec.Shard> shards = shards(root, user, password);
    ShardId control =
        root.required("control", name -> known(name, shards)).orElse(new ShardId("none"));
    boolean embedded = root.isScalar("kafka");
    Map<String, Secret> kafka = embedded ? embedded(root) : clientProperties(root.map("kafka"));
    Spec.Topics topics = topics(root.map("topics"), embedded);
    Spec.KeyspaceSpec keyspace = keyspace(root.map("keyspace"));
    boolean isDirectory = keyspace.buckets() instanceof DirectoryBuckets;
    int count = isDirectory ? 0 : keyspace.buckets().count();
    if (isDirectory && root.has("from")) {
      root.problem("from", "the directory says who owns what; leave it out");
    }
    Map<ShardId, BucketSet> from = isDirectory ? Map.of() : from(root, shards, count);
    Yaml toNode = root.map("to");
    Spec.Target to =
        isDirectory && !toNode.has("balance")
            ? keys(toNode, shards)
            : target(toNode, shards, count);

    Yaml budgetNode = root.map("budget");
    Spec.Budget budget =
        new Spec.Budget(
            budgetNode.optional("pause", Duration.ofMillis(250), SpecReader::pause),
            budgetNode.optional("wal", OptionalLong.empty(), SpecReader::bytes),
            budgetNode.optional("max_row", Spec.Budget.MAX_ROW_BYTES, SpecReader::maxRow));
    budgetNode.refuseUnknown();
    Yaml gatesNode = root.map("gates");
    Spec.Gates gates =
        new Spec.Gates(
            gatesNode.optional("lag", Duration.ofSeconds(2), Durations::parse),
            gatesNode.optional("mismatch", 0.001, SpecReader::share));
    gatesNode.refuseUnknown();
    Yaml shadowNode = root.map("shadow");
    Spec.Shadow shadow = new Spec.Shadow(shadowNode.optional("probe", 200, SpecReader::rate));
    shadowNode.refuseUnknown();
    Spec.Copy copy = ThrottleReader.copy(root.map("copy"));
    ThrottleSpec throttle = ThrottleReader.throttle(root.map("throttle"));
    boolean keepsSequences = root.optional("sequences", false, SpecReader::isKeep);
    root.refuseUnknown();
    return new Spec(
        migration,
        shards,
        control,
        kafka,
        topics,
        keyspace,
        from,
        to,
        budget,
        gates,
        shadow,
        copy,
        throttle,
        keepsSequences);
  }

  private static boolean isKeep(String text) {
    if (!text.equals("keep")) {
      throw new IllegalArgumentException(
          "'%s' is not 'keep'; leave it out, and destinations get ranges of ids of their own"
              .formatted(text));
    }
    return true;
  }

  /** The word that asks for a broker in the worker; it needs no properties. */
  private static Map<String, Secret> embedded(Yaml root) {
    root.required(
        "kafka",
        word -> {
          if (!word.equals("embedded")) {
            throw new IllegalArgumentException(
                "must be client properties, as {bootstrap.servers: \"k1:9092\"}, or 'embedded' for a rehearsal");
          }
          return word;
        });
    return Map.of();
  }

  private static Map<String, Secret> clientProperties(Yaml node) {
    Map<String, Secret> properties = new LinkedHashMap<>();
    Set<String> keys = new LinkedHashSet<>(node.keys());
    keys.add("bootstrap.servers");
    keys.forEach(key -> node.required(key, Secret::new).ifPresent(v -> properties.put(key, v)));
    return properties;
  }

  private static Spec.Topics topics(Yaml node, boolean embedded) {
    short usual = embedded ? (short) 1 : 3;
    Spec.Topics topics =
        new Spec.Topics(
            node.optional("prefix", "reshard", SpecReader::topicPrefix),
            node.optional("replication", usual, SpecReader::shortNumber));
    if (embedded && topics.replication() != 1) {
      node.problem("replication", "the embedded broker is the only one; leave it out");
    }
    node.refuseUnknown();
    return topics;
  }

  private static String topicPrefix(String text) {
    if (!text.matches("[A-Za-z0-9._-]{1,100}")) {
      throw new IllegalArgumentException(
          "'%s' cannot begin the name of a topic: letters, digits, '.', '_' and '-', 100 at most"
              .formatted(text));
    }
    return text;
  }

  private static Map<ShardId, Spec.Shard> shards(Yaml root, String user, Secret password) {
    Map<ShardId, Spec.Shard> shards = new TreeMap<>();
    Yaml node = root.map("shards");
    for (String name : node.keys()) {
      ShardId id;
      try {
        id = new ShardId(name);
      } catch (IllegalArgumentException e) {
        node.problem(name, e.getMessage());
        continue;
      }
      if (node.isMap(name)) {
        Yaml own = node.map(name);
        String url = own.required("url", SpecReader::url).orElse("");
        shards.put(
            id,
            new Spec.Shard(
                id,
                url,
                own.optional("user", user, Function.identity()),
                own.optional("password", password, Secret::new),
                own.optional("disk_free", OptionalLong.empty(), SpecReader::bytes)));
        own.refuseUnknown();
      } else {
        String url = node.required(name, SpecReader::url).orElse("");
        shards.put(id, new Spec.Shard(id, url, user, password));
      }
    }
    if (node.keys().size() < 2) {
      root.problem("shards", "a migration needs at least two shards");
    }
    return shards;
  }

  private static Spec.KeyspaceSpec keyspace(Yaml node) {
    String name = node.required("name", SpecReader::migrationName).orElse("?");
    String key = node.required("key", Function.identity()).orElse("?");
    Partitioning buckets = Placements.read(node.map("buckets"), name);
    Yaml tables = node.map("tables");
    Map<TableId, String> keyOf = new TreeMap<>();
    Yaml keys = tables.map("key_of");
    for (String table : keys.keys()) {
      try {
        TableId id = tableId(table);
        keys.required(table, Function.identity()).ifPresent(column -> keyOf.put(id, column));
      } catch (IllegalArgumentException e) {
        keys.problem(table, e.getMessage());
      }
    }
    Spec.KeyspaceSpec keyspace =
        new Spec.KeyspaceSpec(
            name,
            key,
            buckets,
            tables.list("sharded", SpecReader::pattern),
            keyOf,
            tables.list("reference", SpecReader::pattern),
            tables.list("ignored", SpecReader::pattern),
            tables.list("accept_cross_shard_unique", SpecReader::pattern),
            ignoredColumns(tables.map("ignored_columns"), key, keyOf));
    if (tables.isEmpty("sharded")) {
      tables.problem("sharded", "name at least one table, or a wildcard as public.*");
    }
    tables.refuseUnknown();
    node.refuseUnknown();
    return keyspace;
  }

  private static Map<TableId, Set<String>> ignoredColumns(
      Yaml node, String key, Map<TableId, String> keyOf) {
    Map<TableId, Set<String>> ignored = new TreeMap<>();
    for (String table : node.keys()) {
      try {
        TableId id = tableId(table);
        Set<String> columns = new TreeSet<>(node.list(table, Function.identity()));
        ignored.put(id, columns);
        if (columns.contains(keyOf.getOrDefault(id, key))) {
          node.problem(table, "the shard key cannot be ignored");
        }
        if (columns.isEmpty()) {
          node.problem(table, "name at least one column, or leave the table out");
        }
      } catch (IllegalArgumentException e) {
        node.problem(table, e.getMessage());
      }
    }
    return ignored;
  }

  /** Absent, or a whole map: each bucket has one owner. */
  private Map<ShardId, BucketSet> from(Yaml root, Map<ShardId, Spec.Shard> shards, int count) {
    int before = problems.size();
    boolean countIsKnown = problems.stream().noneMatch(p -> p.contains("keyspace.buckets"));
    Map<ShardId, BucketSet> from = owners(root.map("from"), shards, count);
    if (root.has("from") && countIsKnown && problems.size() == before) {
      try {
        ShardMap.of(1, count, from);
      } catch (IllegalArgumentException e) {
        root.problem("from", e.getMessage());
      }
    }
    return from;
  }

  private static Map<ShardId, BucketSet> owners(
      Yaml node, Map<ShardId, Spec.Shard> shards, int count) {
    Map<ShardId, BucketSet> owners = new TreeMap<>();
    for (String name : node.keys()) {
      try {
        ShardId shard = known(name, shards);
        if (node.isList(name)) {
          owners.put(
              shard,
              node.list(name, text -> Buckets.range(text, count)).stream()
                  .reduce(BucketSet.empty(), BucketSet::plus));
        } else {
          node.required(name, text -> Buckets.modulo(text, count))
              .ifPresent(buckets -> owners.put(shard, buckets));
        }
      } catch (IllegalArgumentException e) {
        node.problem(name, e.getMessage());
      }
    }
    return owners;
  }

  private Spec.Target target(Yaml node, Map<ShardId, Spec.Shard> shards, int count) {
    if (node.has("balance")) {
      List<ShardId> over = node.list("balance", name -> known(name, shards));
      if (node.isEmpty("balance")) {
        node.problem("balance", "name the shards that shall own buckets");
      }
      node.refuseUnknown();
      return new Spec.Target.Balance(over);
    }
    return new Spec.Target.Owners(owners(node, shards, count));
  }

  /** The keys that shall move, by their new owners; the others stay. */
  private static Spec.Target keys(Yaml node, Map<ShardId, Spec.Shard> shards) {
    Map<String, ShardId> owners = new TreeMap<>();
    for (String name : node.keys()) {
      List<String> keys = node.list(name, Function.identity());
      try {
        ShardId shard = known(name, shards);
        for (String key : keys) {
          if (owners.put(key, shard) != null) {
            node.problem(name, "'%s' stands twice".formatted(key));
          }
        }
      } catch (IllegalArgumentException e) {
        node.problem(name, e.getMessage());
      }
    }
    return new Spec.Target.Keys(owners);
  }

  private static ShardId known(String name, Map<ShardId, Spec.Shard> shards) {
    if (shards.keySet().stream().noneMatch(shard -> shard.name().equals(name))) {
      throw new IllegalArgumentException(
          "there is no shard '%s' under shards; known: %s".formatted(name, shards.keySet()));
    }
    return new ShardId(name);
  }

  private static String migrationName(String text) {
    if (!text.matches("[a-z][a-z0-9-]{0,29}")) {
      throw new IllegalArgumentException(
          "'%s' must be 1-30 of a-z, 0-9 and -, beginning with a letter".formatted(text));
    }
    return text;
  }

  /** One or more hosts with their ports; then a database, and maybe options. */
  private static final Pattern URL =
      Pattern.compile(
          "jdbc:postgresql://((?:[\\w.-]*|\\[[0-9a-fA-F:.%]+])(?::\\d{1,5})?(?:,(?:[\\w.-]+|\\[[0-9a-fA-F:.%]+])(?::\\d{1,5})?)*)/[^/?@]*(?:\\?.*)?");

  private static final Pattern PORT = Pattern.compile(":(\\d{1,5})(?=,|$)");

  /**
   * A shard's URL, checked.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  public static String url(String text) {
    if (!text.startsWith("jdbc:postgresql://")) {
      throw new IllegalArgumentException("must begin with jdbc:postgresql://");
    }
    if (text.matches(".*[?&](user|password)=.*")) {
      throw new IllegalArgumentException("user and password do not belong into the URL");
    }
    Matcher parts = URL.matcher(text);
    if (!parts.matches()
        || PORT.matcher(parts.group(1))
            .results()
            .anyMatch(p -> Integer.parseInt(p.group(1)) > 65535)) {
      // without its text, which may hold a secret; a driver that cannot read it shows all of it
      throw new IllegalArgumentException(
          "is not of the form jdbc:postgresql://host:port/database?option=value");
    }
    return text;
  }

  private static String pattern(String text) {
    if (!text.matches("[^.]+\\.[^.]+")) {
      throw new IllegalArgumentException("'%s' must be schema.table or schema.*".formatted(text));
    }
    return text;
  }

  static TableId tableId(String text) {
    int dot = pattern(text).indexOf('.');
    return new TableId(text.substring(0, dot), text.substring(dot + 1));
  }

  static int positive(String text) {
    int number = number(text);
    if (number < 1) {
      throw new IllegalArgumentException("must be at least 1, got " + text);
    }
    return number;
  }

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'%s' is not a whole number".formatted(text), e);
    }
  }

  private static short shortNumber(String text) {
    int number = positive(text);
    if (number > Short.MAX_VALUE) {
      throw new IllegalArgumentException(
          "must be at most %d, got %s".formatted(Short.MAX_VALUE, text));
    }
    return (short) number;
  }

  private static int rate(String text) {
    int number = number(text.replaceFirst("/s$", ""));
    if (number < 0) {
      throw new IllegalArgumentException("must be 0 or more, got " + text);
    }
    return number;
  }

  private static double share(String text) {
    Matcher matcher = PERCENT.matcher(text);
    if (!matcher.matches() || Double.parseDouble(matcher.group(1)) > 100) {
      throw new IllegalArgumentException("'%s' is no share as 0.001%%".formatted(text));
    }
    return Double.parseDouble(matcher.group(1)) / 100;
  }

  private static Duration pause(String text) {
    Duration pause = Durations.parse(text);
    if (pause.isZero()) {
      throw new IllegalArgumentException("must be more than 0, got " + text);
    }
    return pause;
  }

  /** PostgreSQL itself sends no row of more than 1 GB. */
  private static long maxRow(String text) {
    long bytes = Sizes.parse(text);
    if (bytes < 1 << 20 || bytes > 1 << 30) {
      throw new IllegalArgumentException("must be from 1MB to 1GB, got " + text);
    }
    return bytes;
  }

  private static OptionalLong bytes(String text) {
    return OptionalLong.of(Sizes.parse(text));
  }
}
