package dev.reshard.schema;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * One thing of a shard's schema and how it is made elsewhere. Immutable.
 *
 * @param name with its schema, quoted where SQL needs it: {@code public."Order"}; of a part also
 *     what it is part of: {@code a_check ON public.a}
 * @param partOf the {@link #identity} of the table, view, type or sequence it goes with; empty if
 *     it stands for itself
 * @param owner the role it belongs to; empty for what we never make
 * @param needs identities of what must be there before it
 * @param facets what it is made of, by a name for people: two objects are the same if these are
 * @param statements that make it, run as its owner
 * @param rights who may do what with it, and with what is made with it: a table's identity
 *     sequences
 * @param undo the statement that takes it away again; empty if it goes with what it is part of
 * @param obstacle why we do not make it, and what to do; empty if we do
 * @param remark what people should know when it is made; may be empty
 * @param follows whether a partition has it because its parent has one
 */
record SchemaObject(
    ObjectKind kind,
    String name,
    String partOf,
    String owner,
    Set<String> needs,
    SortedMap<String, String> facets,
    List<String> statements,
    List<Rights> rights,
    String undo,
    String obstacle,
    String remark,
    boolean follows) {

  /** The facet that names a partition's parent, then its bounds. */
  static final String PARTITION_OF = "partition of";

  SchemaObject {
    needs = Collections.unmodifiableSet(new TreeSet<>(needs));
    facets = Collections.unmodifiableSortedMap(new TreeMap<>(facets));
    statements = List.copyOf(statements);
    rights = List.copyOf(rights);
  }

  /** What a server knows only by its name: a role, an extension, or something we do not make. */
  static SchemaObject given(ObjectKind kind, String name, SortedMap<String, String> facets) {
    return new SchemaObject(
        kind, name, "", "", Set.of(), facets, List.of(), List.of(), "", "", "", false);
  }

  /** The same on every shard. */
  String identity() {
    return identity(kind, name);
  }

  static String identity(ObjectKind kind, String name) {
    return kind.word().isEmpty() ? name : kind.word() + " " + name;
  }

  /** For people. */
  String describe() {
    return kind.describe(name);
  }

  /** The name of the table that a partition is one of, quoted as names are; empty of all others. */
  Optional<String> parent() {
    String of = facets.getOrDefault(PARTITION_OF, "");
    return of.isEmpty() ? Optional.empty() : Optional.of(of.substring(0, endOfName(of)));
  }

  /** Which rows a partition takes, in the server's words; empty of all others. */
  String bound() {
    String of = facets.getOrDefault(PARTITION_OF, "");
    return of.isEmpty() ? "" : of.substring(endOfName(of)).strip();
  }

  /** A name may hold blanks between its quotes; what follows it begins with one outside of them. */
  private static int endOfName(String text) {
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      quoted ^= text.charAt(i) == '"';
      if (!quoted && text.charAt(i) == ' ') {
        return i;
      }
    }
    return text.length();
  }

  /** Whether it is only of columns that the migration file has left out. */
  boolean isUncounted() {
    return isPart() && facets.isEmpty();
  }

  boolean isPart() {
    return !partOf.isEmpty();
  }

  SchemaObject withObstacle(String why) {
    return new SchemaObject(
        kind, name, partOf, owner, needs, facets, statements, rights, undo, why, remark, follows);
  }
}
