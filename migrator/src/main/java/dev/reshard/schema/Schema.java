package dev.reshard.schema;

import dev.reshard.keyspace.ShardId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * One shard's schema, as far as a keyspace needs it. Immutable.
 *
 * @param objects by identity, in an order in which they can be made
 * @param vital identities of the tables and all that these need: without one of them rows cannot
 *     move, or an application would fail after a cutover
 * @param givenIn the catalogs that hold what is needed and not made by us, extensions aside
 * @param beside names of all functions, operators .. of the keyspace's schemas, among which are
 *     those of {@code objects}
 * @param leftOut those of {@code beside} that are not among {@code objects}
 */
record Schema(
    ShardId shard,
    Map<String, SchemaObject> objects,
    Set<String> vital,
    Set<String> givenIn,
    Set<String> beside,
    Set<String> leftOut) {

  Schema {
    objects = Collections.unmodifiableMap(new LinkedHashMap<>(objects));
    vital = Set.copyOf(vital);
    givenIn = Set.copyOf(givenIn);
    beside = Set.copyOf(beside);
    leftOut = Collections.unmodifiableSet(new TreeSet<>(leftOut));
  }

  /** From objects in any order. */
  static Schema of(
      ShardId shard,
      Collection<SchemaObject> unordered,
      Set<String> givenIn,
      Set<String> beside,
      Set<String> leftOut) {
    Map<String, SchemaObject> objects = new LinkedHashMap<>();
    CreationOrder.of(unordered).forEach(object -> objects.put(object.identity(), object));
    return new Schema(shard, objects, vital(objects), givenIn, beside, leftOut);
  }

  boolean has(String identity) {
    return objects.containsKey(identity);
  }

  /** The names of what stands for itself. */
  Set<String> names() {
    Set<String> names = new TreeSet<>();
    for (SchemaObject object : objects.values()) {
      if (!object.isPart() && !object.kind().isGiven()) {
        names.add(object.name());
      }
    }
    return names;
  }

  /** The partitioned tables that one is a partition of, the nearest first; none of any other. */
  List<SchemaObject> parentsOf(SchemaObject object) {
    List<SchemaObject> parents = new ArrayList<>();
    Optional<SchemaObject> next = parentOf(object);
    while (next.isPresent()) {
      parents.add(next.get());
      next = parentOf(next.get());
    }
    return parents;
  }

  private Optional<SchemaObject> parentOf(SchemaObject object) {
    return object.parent().map(name -> objects.get(SchemaObject.identity(ObjectKind.TABLE, name)));
  }

  private static Set<String> vital(Map<String, SchemaObject> objects) {
    Set<String> vital = new TreeSet<>();
    Deque<String> open = new ArrayDeque<>();
    for (SchemaObject object : objects.values()) {
      if (object.kind() == ObjectKind.TABLE || isVitalPart(objects, object)) {
        open.add(object.identity());
      }
    }
    while (!open.isEmpty()) {
      String identity = open.remove();
      if (vital.add(identity) && objects.containsKey(identity)) {
        open.addAll(objects.get(identity).needs());
      }
    }
    return vital;
  }

  private static boolean isVitalPart(Map<String, SchemaObject> objects, SchemaObject object) {
    SchemaObject whole = objects.get(object.partOf());
    return whole != null
        && whole.kind() == ObjectKind.TABLE
        && object.kind() != ObjectKind.STATISTICS
        && object.kind() != ObjectKind.REPLICA_IDENTITY;
  }

  /** The parts of one object. */
  List<SchemaObject> partsOf(String identity) {
    return objects.values().stream().filter(object -> object.partOf().equals(identity)).toList();
  }
}
