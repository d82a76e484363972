package dev.reshard.schema;

import dev.reshard.control.CleanupRegistry;
import dev.reshard.control.CleanupRegistry.Item;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.RefusedException;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.EachShard;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Gives destinations the schema of the sources where they lack it. Confined to one thread.
 *
 * <p>The pattern is the schema of one source: the home of reference tables if it is one, else the
 * first. A destination that is also a source has its schema already, and is compared as a source.
 */
public final class SchemaCopy {
  private final ShardSessions sessions;
  private final Keyspace keyspace;
  private final Moves moves;
  private final ShardId pattern;

  /**
   * Of one migration.
   *
   * @param home the shard with the reference tables
   */
  public SchemaCopy(ShardSessions sessions, Keyspace keyspace, Moves moves, ShardId home) {
    this.sessions = sessions;
    this.keyspace = keyspace;
    this.moves = moves;
    this.pattern =
        moves.sources().contains(home) || moves.sources().isEmpty()
            ? home
            : moves.sources().iterator().next();
  }

  /** The shard whose schema the others are to have. */
  ShardId pattern() {
    return pattern;
  }

  /** The destinations that may lack something. */
  public Set<ShardId> destinations() {
    Set<ShardId> shards = new TreeSet<>(moves.destinations());
    shards.removeAll(moves.sources());
    shards.remove(pattern);
    return shards;
  }

  /** The sources whose schema is compared with the pattern's. */
  public Set<ShardId> otherSources() {
    Set<ShardId> shards = new TreeSet<>(moves.sources());
    shards.remove(pattern);
    return shards;
  }

  /** What a destination lacks; changes nothing. */
  public SchemaPlan plan(ShardId destination, Optional<CleanupRegistry> registry)
      throws SQLException {
    return plan(readPattern(), destination, registry);
  }

  /** What another source has differently from the pattern. */
  List<Difference> compare(ShardId source) throws SQLException {
    Schema schema = readPattern();
    try (Connection connection = sessions.open(source, "check")) {
      Schema other = SchemaReader.readLike(connection, source, keyspace, schema);
      return Difference.between(schema, other);
    }
  }

  /**
   * Makes what destinations lack. Repeatable: what is there is not touched, and a plan that was cut
   * short is finished.
   *
   * @return how many objects were made
   * @throws RefusedException if something that tables need cannot be made; then nothing was changed
   */
  public int run(CleanupRegistry registry, WorkerIdentity worker)
      throws SQLException, InterruptedException {
    return run(registry, worker, Set.of());
  }

  /**
   * The same, but leaves away what is better made after the rows are loaded, such as indexes, where
   * a table that is made here is empty until then; another {@link #run} makes it.
   *
   * @param empty destinations that wait for their rows
   */
  public int runBeforeRows(CleanupRegistry registry, WorkerIdentity worker, Set<ShardId> empty)
      throws SQLException, InterruptedException {
    return run(registry, worker, empty);
  }

  private int run(CleanupRegistry registry, WorkerIdentity worker, Set<ShardId> empty)
      throws SQLException, InterruptedException {
    if (destinations().isEmpty()) {
      return 0;
    }
    Schema schema = readPattern();
    List<SchemaPlan> plans = new ArrayList<>();
    for (ShardId destination : destinations()) {
      plans.add(plan(schema, destination, Optional.of(registry)));
    }
    List<String> impossible = plans.stream().flatMap(plan -> plan.impossible().stream()).toList();
    if (!impossible.isEmpty()) {
      throw new RefusedException(
          "the schema cannot be made on the destinations, and nothing was changed on them: "
              + String.join("; ", impossible));
    }
    Set<String> identities = identitiesOfRowKeys(registry);
    Map<ShardId, SchemaPlan> steps = new TreeMap<>();
    for (SchemaPlan plan : plans) {
      ShardId destination = plan.destination();
      steps.put(
          destination,
          (empty.contains(destination) ? plan.beforeRows() : plan).without(identities));
    }
    EachShard.run(
        "schema",
        steps.keySet(),
        shard -> new SchemaWriter(sessions, registry, worker).make(steps.get(shard)));
    return steps.values().stream().mapToInt(plan -> plan.steps().size()).sum();
  }

  /** What {@link RowKeys} set on the pattern, which gets its own back at the end. */
  private Set<String> identitiesOfRowKeys(CleanupRegistry registry) throws SQLException {
    return registry.items().stream()
        .filter(item -> item.kind() == Kind.REPLICA_IDENTITY && item.shard().equals(pattern))
        .map(item -> SchemaObject.identity(ObjectKind.REPLICA_IDENTITY, item.name()))
        .collect(Collectors.toSet());
  }

  private Schema readPattern() throws SQLException {
    try (Connection connection = sessions.open(pattern, "schema")) {
      return SchemaReader.read(connection, pattern, keyspace);
    }
  }

  private SchemaPlan plan(Schema schema, ShardId destination, Optional<CleanupRegistry> registry)
      throws SQLException {
    Set<String> ours = Set.of();
    if (registry.isPresent()) {
      ours =
          registry.get().items().stream()
              .filter(item -> item.kind() == Kind.SCHEMA_OBJECT && item.shard().equals(destination))
              .map(Item::name)
              .collect(Collectors.toSet());
    }
    try (Connection connection = sessions.open(destination, "schema")) {
      Schema there = SchemaReader.readLike(connection, destination, keyspace, schema);
      PartitionOrder order =
          PartitionOrder.read(connection, OwnPartitions.concerned(schema, there));
      return SchemaPlan.of(schema, there, Place.read(connection), order, ours);
    }
  }
}
