package dev.reshard.schema;

import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which objects are better made after the rows are there: an index that is built in one go costs a
 * fraction of one that grows row by row. Those are the indexes of tables and the keys that stand on
 * them, unless something else needs them: a foreign key, say, is made while its tables are empty,
 * as rows that it does not fit may be on other shards. Stateless.
 */
final class LateObjects {
  private static final Set<ObjectKind> KINDS =
      EnumSet.of(ObjectKind.CONSTRAINT, ObjectKind.INDEX, ObjectKind.REPLICA_IDENTITY);

  private static final String CHECK = "CHECK";

  private LateObjects() {}

  /** Their identities. */
  static Set<String> of(Collection<SchemaObject> objects) {
    Set<String> late = new TreeSet<>();
    objects.stream().filter(LateObjects::canWait).forEach(object -> late.add(object.identity()));
    boolean changed = true;
    while (changed) {
      changed = false;
      for (SchemaObject object : objects) {
        changed |= !late.contains(object.identity()) && late.removeAll(object.needs());
      }
    }
    return late;
  }

  private static boolean canWait(SchemaObject object) {
    return KINDS.contains(object.kind())
        && object.partOf().startsWith(ObjectKind.TABLE.word() + " ")
        && !object.facets().getOrDefault("definition", "").startsWith(CHECK);
  }
}
