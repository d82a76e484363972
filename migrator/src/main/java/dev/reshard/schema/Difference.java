package dev.reshard.schema;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * Something that two shards have differently. Immutable.
 *
 * @param blocks whether rows could not move, or applications would see it after a cutover
 * @param text what, on which shard how
 */
record Difference(boolean blocks, String text) {
  /** Facets that people should know to differ, but that change no row and no answer. */
  private static final List<String> SOFT =
      List.of(
          "comment",
          "owner",
          "options",
          "storage of",
          "compression of",
          "statistics of",
          "column order",
          "version",
          "clustered",
          "access method",
          "taken from");

  /** How two objects of one identity differ. */
  static List<Difference> between(
      Schema source, SchemaObject here, Schema destination, SchemaObject there) {
    List<Difference> differences = new ArrayList<>();
    if (here.kind() == ObjectKind.REPLICA_IDENTITY) {
      return differences; // ours to set, on every shard
    }
    if (here.isUncounted() || there.isUncounted()) {
      return differences;
    }
    boolean vital = source.vital().contains(here.identity()) && !isPlainIndex(here);
    Set<String> facets = new TreeSet<>(here.facets().keySet());
    facets.addAll(there.facets().keySet());
    for (String facet : facets) {
      String mine = here.facets().get(facet);
      String other = there.facets().get(facet);
      if (!Objects.equals(mine, other)) {
        boolean soft =
            SOFT.stream().anyMatch(facet::startsWith)
                || (facet.startsWith("rights") && includes(other, mine));
        differences.add(
            new Difference(
                vital && !soft,
                "%s: %s differs in %s: %s has %s, %s has %s"
                    .formatted(
                        destination.shard(),
                        here.describe(),
                        facet,
                        source.shard(),
                        said(mine),
                        destination.shard(),
                        said(other))));
      }
    }
    return differences;
  }

  /** All that two sources have differently, as far as the keyspace needs it. */
  static List<Difference> between(Schema one, Schema other) {
    List<Difference> differences = new ArrayList<>();
    for (SchemaObject here : one.objects().values()) {
      SchemaObject there = other.objects().get(here.identity());
      if (there != null) {
        differences.addAll(between(one, here, other, there));
      } else if (isNamed(one, here)) {
        differences.add(missing(one, other, here));
      }
    }
    for (SchemaObject there : other.objects().values()) {
      if (!one.has(there.identity()) && isNamed(other, there)) {
        differences.add(missing(other, one, there));
      }
    }
    return differences;
  }

  private static boolean isNamed(Schema owner, SchemaObject object) {
    return !object.follows()
        && !object.isUncounted()
        && object.kind() != ObjectKind.REPLICA_IDENTITY
        && (!object.kind().isGiven() || owner.vital().contains(object.identity()));
  }

  private static Difference missing(Schema has, Schema lacks, SchemaObject object) {
    return new Difference(
        has.vital().contains(object.identity()) && !isPlainIndex(object),
        "%s lacks %s, which %s has".formatted(lacks.shard(), object.describe(), has.shard()));
  }

  /** A part that only the source has, of something that was at the destination before us. */
  static Difference lacking(Schema source, Schema destination, SchemaObject part) {
    return new Difference(
        source.vital().contains(part.identity()) && !isPlainIndex(part),
        "%s: %s is there, but lacks its %s; nothing is changed on what is there, so run this yourself: %s"
            .formatted(
                destination.shard(),
                part.partOf(),
                part.describe(),
                String.join("; ", part.statements())));
  }

  /** A part that only the destination has. */
  static Difference extra(Schema source, Schema destination, SchemaObject part) {
    return new Difference(
        destination.vital().contains(part.identity()) && !isPlainIndex(part),
        "%s: %s has %s there, which %s lacks"
            .formatted(destination.shard(), part.partOf(), part.describe(), source.shard()));
  }

  private static boolean isPlainIndex(SchemaObject object) {
    return object.kind() == ObjectKind.INDEX
        && !object.facets().getOrDefault("definition", "").startsWith("CREATE UNIQUE");
  }

  private static boolean includes(String more, String fewer) {
    return fewer == null
        || (more != null && Set.of(more.split(", ")).containsAll(List.of(fewer.split(", "))));
  }

  private static String said(String value) {
    return value == null ? "none" : value;
  }
}
