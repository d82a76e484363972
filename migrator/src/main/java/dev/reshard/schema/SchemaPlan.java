package dev.reshard.schema;

import dev.reshard.keyspace.ShardId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What a destination lacks of a source's schema, and what there is to say about it. What the
 * destination has is never changed: a table that was there before us gets no index either.
 * Immutable.
 *
 * @param destination where
 * @param steps what to make, in this order
 * @param impossible what cannot be made though tables need it, each with what to do: a migration
 *     cannot begin
 * @param differences what is there, but not as on the source, so that rows would not fit or
 *     applications would see it
 * @param notes what somebody should know
 */
public record SchemaPlan(
    ShardId destination,
    List<Step> steps,
    List<String> impossible,
    List<String> differences,
    List<String> notes) {

  /** So many objects are named. */
  private static final int FEW = 5;

  /**
   * One object to make.
   *
   * @param name for people, and in the cleanup registry
   * @param owner the role that makes it
   * @param asOurselves a first statement that the owner may have no right to; may be empty
   * @param statements all or none of them
   * @param undo takes it away again; empty if it goes with another one
   * @param late whether it is better made after the rows are loaded, and nothing before that needs
   *     it
   */
  public record Step(
      String name,
      String owner,
      String asOurselves,
      List<String> statements,
      String undo,
      boolean late) {
    public Step {
      statements = List.copyOf(statements);
    }
  }

  public SchemaPlan {
    steps = List.copyOf(steps);
    impossible = List.copyOf(impossible);
    differences = List.copyOf(differences);
    notes = List.copyOf(notes);
  }

  /** The same without what is better made after the rows are loaded. */
  SchemaPlan beforeRows() {
    return new SchemaPlan(
        destination,
        steps.stream().filter(step -> !step.late()).toList(),
        impossible,
        differences,
        notes);
  }

  /**
   * The same without some steps.
   *
   * @param names of steps
   */
  SchemaPlan without(Set<String> names) {
    return new SchemaPlan(
        destination,
        steps.stream().filter(step -> !names.contains(step.name())).toList(),
        impossible,
        differences,
        notes);
  }

  /** What {@code check} says: all that keeps a migration from beginning. */
  public List<String> problems() {
    List<String> problems = new ArrayList<>(impossible);
    problems.addAll(differences);
    return problems;
  }

  /**
   * Compares.
   *
   * @param order of the bounds of partitions that are there
   * @param ours names of what this migration has made there already: it may be unfinished
   */
  static SchemaPlan of(
      Schema source, Schema destination, Place place, PartitionOrder order, Set<String> ours) {
    return new Planning(source, destination, place, order, ours).plan();
  }

  /** For people: so many by their names, and how many others there are. */
  static String few(Set<String> all) {
    String first = all.stream().limit(FEW).collect(Collectors.joining(", "));
    return all.size() <= FEW ? first : "%s and %d more".formatted(first, all.size() - FEW);
  }

  private static final class Planning {
    private final Schema source;
    private final Schema destination;
    private final Place place;
    private final PartitionOrder order;
    private final Set<String> ours;
    private final List<Step> steps = new ArrayList<>();
    private final List<Difference> differences = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Map<ObjectKind, Integer> made = new TreeMap<>();

    private final Set<String> absent = new LinkedHashSet<>();
    private final Set<String> late;

    private final Map<String, String> obstacles = new LinkedHashMap<>();

    Planning(
        Schema source, Schema destination, Place place, PartitionOrder order, Set<String> ours) {
      this.source = source;
      this.destination = destination;
      this.place = place;
      this.order = order;
      this.ours = ours;
      this.late = LateObjects.of(source.objects().values());
    }

    SchemaPlan plan() {
      OwnPartitions own = OwnPartitions.of(source, destination, this::isTheirs, order);
      differences.addAll(own.differences());
      notes.addAll(own.notes());
      Set<String> theirs = own.notMade();
      for (SchemaObject object : source.objects().values()) {
        if (theirs.contains(object.isPart() ? object.partOf() : object.identity())) {
          if (!destination.has(object.identity())) {
            absent.add(object.identity());
          }
        } else if (destination.has(object.identity())) {
          SchemaObject there = destination.objects().get(object.identity());
          differences.addAll(Difference.between(source, object, destination, there));
          extras(object);
        } else if (object.isPart() && isTheirs(object.partOf())) {
          lacking(object);
        } else if (!comesWithParent(object)) {
          make(object);
        }
      }
      List<String> impossible = new ArrayList<>();
      byObstacle().forEach((why, identities) -> absent(impossible, identities, why));
      List<String> blocking = new ArrayList<>();
      differences.forEach(
          difference -> (difference.blocks() ? blocking : notes).add(difference.text()));
      Set<String> leftOut = new TreeSet<>(source.leftOut());
      leftOut.removeAll(destination.beside());
      if (!leftOut.isEmpty()) {
        notes.add(
            "%s: not made, as nothing that is made is seen to need it: %s; make it there yourself if your application does"
                .formatted(destination.shard(), String.join(", ", leftOut)));
      }
      if (!made.isEmpty()) {
        notes.add(
            0,
            "%s: will be made as on %s: %s"
                .formatted(destination.shard(), source.shard(), summary()));
      }
      return new SchemaPlan(destination.shard(), steps, impossible, blocking, notes);
    }

    /** A partition that is attached to a table with indexes is given them. */
    private boolean comesWithParent(SchemaObject object) {
      return object.follows() && isUsed(object);
    }

    /**
     * Of a partition that is attached to a table which was there before us: its applications lock
     * all partitions, so that nothing long is made of one that has rows already.
     */
    private boolean isUsed(SchemaObject part) {
      SchemaObject table = source.objects().get(part.partOf());
      return table != null
          && source.parentsOf(table).stream().anyMatch(parent -> isTheirs(parent.identity()));
    }

    private boolean isTheirs(String whole) {
      return destination.has(whole) && !ours.contains(whole);
    }

    private void lacking(SchemaObject part) {
      absent.add(part.identity());
      if (!part.follows() && !part.isUncounted() && part.kind() != ObjectKind.REPLICA_IDENTITY) {
        differences.add(Difference.lacking(source, destination, part));
      }
    }

    private void extras(SchemaObject whole) {
      if (whole.isPart()) {
        return;
      }
      for (SchemaObject part : destination.partsOf(whole.identity())) {
        if (!source.has(part.identity())
            && !part.follows()
            && !part.isUncounted()
            && part.kind() != ObjectKind.REPLICA_IDENTITY) {
          differences.add(Difference.extra(source, destination, part));
        }
      }
    }

    private void make(SchemaObject object) {
      String obstacle = place.obstacle(object, destination);
      if (!obstacle.isEmpty()) {
        obstacles.put(object.identity(), obstacle);
      }
      if (!obstacle.isEmpty() || object.needs().stream().anyMatch(absent::contains)) {
        absent.add(object.identity());
        return;
      }
      boolean schema = object.kind() == ObjectKind.SCHEMA;
      List<String> statements = new ArrayList<>(object.statements());
      String first = schema ? statements.remove(0) : "";
      for (Rights rights : object.rights()) {
        statements.addAll(rights.statements(place.unasked(rights.target(), object.owner())));
      }
      steps.add(
          new Step(
              object.identity(),
              object.owner(),
              first,
              statements,
              object.undo(),
              late.contains(object.identity()) && !isUsed(object)));
      made.merge(object.kind(), 1, Integer::sum);
      if (!object.remark().isEmpty()) {
        notes.add("%s: %s: %s".formatted(destination.shard(), object.describe(), object.remark()));
      }
    }

    /** What cannot be made, by why; nothing that must be given and that nobody needs. */
    private Map<String, List<String>> byObstacle() {
      Map<String, List<String>> all = new LinkedHashMap<>();
      obstacles.forEach(
          (identity, why) -> {
            if (!source.objects().get(identity).kind().isGiven() || !without(identity).isEmpty()) {
              all.computeIfAbsent(why, w -> new ArrayList<>()).add(identity);
            }
          });
      return all;
    }

    private Set<String> without(String identity) {
      Set<String> without = new LinkedHashSet<>();
      for (String other : absent) {
        if (source.objects().get(other).needs().contains(identity)) {
          without.add(source.objects().get(other).describe());
        }
      }
      return without;
    }

    /** One text of a few objects each; of many one text, as one cause has one remedy. */
    private void absent(List<String> impossible, List<String> identities, String why) {
      if (identities.size() <= FEW) {
        identities.forEach(identity -> absent(impossible, identity, why));
        return;
      }
      boolean vital = identities.stream().anyMatch(source.vital()::contains);
      Set<String> objects = new LinkedHashSet<>();
      identities.forEach(identity -> objects.add(source.objects().get(identity).describe()));
      (vital ? impossible : notes)
          .add("%s: %s are not there: %s".formatted(destination.shard(), few(objects), why));
    }

    private void absent(List<String> impossible, String identity, String why) {
      SchemaObject object = source.objects().get(identity);
      Set<String> without = without(identity);
      boolean vital = source.vital().contains(identity);
      String text =
          "%s: %s is not there%s: %s"
              .formatted(
                  destination.shard(),
                  object.describe(),
                  without.isEmpty() ? "" : ", and is needed by " + few(without),
                  why);
      (vital ? impossible : notes).add(text);
    }

    private String summary() {
      return made.entrySet().stream()
          .map(entry -> entry.getValue() + " " + words(entry.getKey(), entry.getValue()))
          .collect(Collectors.joining(", "));
    }

    private static String words(ObjectKind kind, int count) {
      String word = kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
      if (count == 1 || word.endsWith("s") || kind == ObjectKind.OWNED_BY) {
        return word;
      }
      return word.endsWith("y")
          ? word.substring(0, word.length() - 1) + "ies"
          : word + (word.endsWith("x") ? "es" : "s");
    }
  }
}
