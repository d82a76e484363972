package dev.reshard.schema;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;

/**
 * An order in which objects can be made: each after all that it needs; otherwise by kind, then by
 * name. Stateless.
 */
final class CreationOrder {
  private static final Comparator<SchemaObject> BY_KIND =
      Comparator.comparing(SchemaObject::kind).thenComparing(SchemaObject::name);

  private CreationOrder() {}

  /** Sorts; what needs itself, through others, comes last and gets that as its obstacle. */
  static List<SchemaObject> of(Collection<SchemaObject> objects) {
    Map<String, SchemaObject> waiting = new TreeMap<>();
    objects.forEach(object -> waiting.put(object.identity(), object));
    Map<String, Integer> missing = new HashMap<>();
    Map<String, List<SchemaObject>> neededBy = new HashMap<>();
    PriorityQueue<SchemaObject> ready = new PriorityQueue<>(BY_KIND);
    for (SchemaObject object : waiting.values()) {
      int needs = 0;
      for (String need : object.needs()) {
        if (waiting.containsKey(need)) {
          neededBy.computeIfAbsent(need, identity -> new ArrayList<>()).add(object);
          needs++;
        }
      }
      missing.put(object.identity(), needs);
      if (needs == 0) {
        ready.add(object);
      }
    }
    List<SchemaObject> sorted = new ArrayList<>();
    while (!ready.isEmpty()) {
      SchemaObject next = ready.remove();
      sorted.add(next);
      waiting.remove(next.identity());
      for (SchemaObject object : neededBy.getOrDefault(next.identity(), List.of())) {
        if (missing.merge(object.identity(), -1, Integer::sum) == 0) {
          ready.add(object);
        }
      }
    }
    waiting.values().stream().sorted(BY_KIND).map(CreationOrder::stuck).forEach(sorted::add);
    return sorted;
  }

  private static SchemaObject stuck(SchemaObject object) {
    return object.withObstacle(
        "it needs %s, and something there needs it: make both there yourself"
            .formatted(String.join(", ", object.needs())));
  }
}
