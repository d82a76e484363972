package dev.reshard.migration;

import dev.reshard.control.ControlStore;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.spec.Secret;
import dev.reshard.spec.Spec;
import dev.reshard.topics.TopicNames;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What every step of one worker shares. Immutable; what it refers to is thread-safe.
 *
 * @param before who owned what when the migration was made
 * @param worker carries the lease into every statement that changes a shard
 */
public record Migration(
    Spec spec,
    Keyspace keyspace,
    Moves moves,
    ShardMap before,
    ShardSessions sessions,
    ControlStore control,
    WorkerIdentity worker) {

  /** The same, its sessions on shards whose changes are captured being this worker's alone. */
  public Migration underLease() {
    ShardSessions own = sessions.underLease(worker, captured(), keyspace.partitioning());
    return new Migration(spec, keyspace, moves, before, own, control, worker);
  }

  public String name() {
    return spec.migration();
  }

  public TopicNames topics() {
    return new TopicNames(spec.topics().prefix(), spec.migration());
  }

  /** Plain properties for any Kafka client; may hold secrets. */
  public Map<String, Object> kafka() {
    Map<String, Object> properties = new HashMap<>();
    for (Map.Entry<String, Secret> entry : spec.kafka().entrySet()) {
      properties.put(entry.getKey(), entry.getValue().value());
    }
    return properties;
  }

  /** The one shard that takes writes of reference tables. */
  public ShardId home() {
    return spec.control();
  }

  /** Destinations that owned nothing before and lack the reference tables' rows. */
  public Set<ShardId> newShards() {
    return moves.newShards(before, home());
  }

  /**
   * The shard that feeds a receiver's reference tables, if it is not the owner whose buckets it
   * receives: a hand-over waits for both lanes.
   */
  public Optional<ShardId> otherFeeder(ShardId owner, ShardId receiver) {
    boolean other = hasReference() && newShards().contains(receiver) && !home().equals(owner);
    return other ? Optional.of(home()) : Optional.empty();
  }

  /** Whether some shard has to get the reference tables. */
  public boolean hasReference() {
    return !keyspace.reference().isEmpty() && !newShards().isEmpty();
  }

  /** The reference tables that are copied from {@code source}, and where to. */
  public Map<TableId, Set<ShardId>> references(ShardId source) {
    Map<TableId, Set<ShardId>> references = new TreeMap<>();
    if (hasReference() && source.equals(home())) {
      keyspace.reference().forEach(table -> references.put(table, newShards()));
    }
    return references;
  }

  /** Every shard whose changes are captured: sources, destinations, and the home of references. */
  public Set<ShardId> captured() {
    Set<ShardId> shards = new TreeSet<>(moves.shards());
    if (hasReference()) {
      shards.add(home());
    }
    return shards;
  }

  /** Every shard that rows are copied from: sources, and the home of references. */
  public Set<ShardId> copied() {
    Set<ShardId> shards = new TreeSet<>(moves.sources());
    if (hasReference()) {
      shards.add(home());
    }
    return shards;
  }

  /** Every shard that {@code source} feeds before a cutover. */
  public Set<ShardId> fedBy(ShardId source) {
    Set<ShardId> shards = new TreeSet<>();
    moves.from(source).forEach(move -> shards.add(move.destination()));
    if (hasReference() && source.equals(home())) {
      shards.addAll(newShards());
    }
    return shards;
  }

  /** The replication slot that capture reads on {@code shard}. */
  public String slot(ShardId shard) {
    return "reshard_%s_%s".formatted(identifier(), shard);
  }

  public String publication() {
    return "reshard_" + identifier();
  }

  private String identifier() {
    return name().replace('-', '_');
  }
}
