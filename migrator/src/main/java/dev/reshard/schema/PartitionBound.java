package dev.reshard.schema;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which rows a partition takes. Immutable.
 *
 * @param from of a range where it begins, place by place of the key; of a list its values; of a
 *     hash modulus and remainder. A value is its rank among those of its table's bounds
 * @param to of a range where it ends, exclusive
 */
record PartitionBound(Kind kind, List<Integer> from, List<Integer> to) {
  enum Kind {
    RANGE,
    LIST,
    HASH,
    DEFAULT
  }

  /** More remainders than anybody has partitions. */
  private static final int MOST_REMAINDERS = 1 << 16;

  private static final Comparator<List<Integer>> BY_PLACE =
      (one, other) -> {
        for (int i = 0; i < one.size(); i++) {
          int compared = one.get(i).compareTo(other.get(i));
          if (compared != 0) {
            return compared;
          }
        }
        return 0;
      };

  PartitionBound {
    from = List.copyOf(from);
    to = List.copyOf(to);
  }

  /** Whether there can be a row that both take: then both cannot be partitions of one table. */
  boolean overlaps(PartitionBound other) {
    if (kind != other.kind || kind == Kind.DEFAULT) {
      return kind == other.kind;
    }
    return switch (kind) {
      case RANGE -> BY_PLACE.compare(from, other.to) < 0 && BY_PLACE.compare(other.from, to) < 0;
      case LIST -> from.stream().anyMatch(other.from::contains);
      case HASH -> (from.get(1) - other.from.get(1)) % divisor(from.get(0), other.from.get(0)) == 0;
      case DEFAULT -> true;
    };
  }

  private static int divisor(int one, int other) {
    return other == 0 ? one : divisor(other, one % other);
  }

  /** Whether each row that it takes is taken by one of these. */
  boolean isCoveredBy(Collection<PartitionBound> others) {
    if (others.stream().anyMatch(other -> other.kind == Kind.DEFAULT)) {
      return true;
    }
    return switch (kind) {
      case RANGE -> isFilledBy(others);
      case LIST ->
          from.stream().allMatch(v -> others.stream().anyMatch(other -> other.from.contains(v)));
      case HASH -> remaindersAreAmong(others);
      case DEFAULT -> false;
    };
  }

  private boolean isFilledBy(Collection<PartitionBound> others) {
    List<PartitionBound> inOrder =
        others.stream()
            .filter(this::overlaps)
            .sorted(Comparator.comparing(PartitionBound::from, BY_PLACE))
            .toList();
    List<Integer> reached = from;
    for (PartitionBound other : inOrder) {
      if (BY_PLACE.compare(other.from, reached) <= 0 && BY_PLACE.compare(other.to, reached) > 0) {
        reached = other.to;
      }
    }
    return BY_PLACE.compare(reached, to) >= 0;
  }

  private boolean remaindersAreAmong(Collection<PartitionBound> others) {
    long common = from.get(0);
    for (PartitionBound other : others) {
      int modulus = other.from.get(0);
      common = common / divisor(modulus, (int) (common % modulus)) * modulus;
      if (common > MOST_REMAINDERS) {
        return false;
      }
    }
    int modulus = (int) common;
    for (int remainder = from.get(1); remainder < modulus; remainder += from.get(0)) {
      PartitionBound one = new PartitionBound(kind, List.of(modulus, remainder), List.of());
      if (others.stream().noneMatch(one::overlaps)) {
        return false;
      }
    }
    return true;
  }

  /**
   * A value as the server writes it.
   *
   * @param text without its quotes
   * @param word whether it is none, but a word: MINVALUE, MAXVALUE or NULL
   */
  record Value(String text, boolean word) {
    private static final Set<String> WORDS = Set.of("MINVALUE", "MAXVALUE", "NULL");
  }

  /**
   * A bound in the server's words, {@code pg_get_expr(relpartbound)}. Immutable.
   *
   * @param from as in {@link PartitionBound}
   * @param to as in {@link PartitionBound}
   */
  record Text(Kind kind, List<Value> from, List<Value> to) {
    private static final String RANGE = "FOR VALUES FROM (";
    private static final String TO = " TO (";
    private static final String LIST = "FOR VALUES IN (";
    private static final String HASH = "FOR VALUES WITH (modulus ";
    private static final String REMAINDER = ", remainder ";

    /** Empty if it is none that we know. */
    static Optional<Text> of(String bound) {
      List<Value> from = new ArrayList<>();
      List<Value> to = new ArrayList<>();
      if (bound.equals("DEFAULT")) {
        return Optional.of(new Text(Kind.DEFAULT, from, to));
      }
      if (bound.startsWith(RANGE)) {
        int end = read(bound, RANGE.length(), from);
        boolean known = end > 0 && bound.startsWith(TO, end);
        return known && read(bound, end + TO.length(), to) == bound.length()
            ? Optional.of(new Text(Kind.RANGE, from, to))
            : Optional.empty();
      }
      if (bound.startsWith(LIST)) {
        return read(bound, LIST.length(), from) == bound.length()
            ? Optional.of(new Text(Kind.LIST, from, to))
            : Optional.empty();
      }
      if (bound.startsWith(HASH) && bound.contains(REMAINDER)) {
        int middle = bound.indexOf(REMAINDER);
        from.add(new Value(bound.substring(HASH.length(), middle), false));
        from.add(
            new Value(bound.substring(middle + REMAINDER.length(), bound.length() - 1), false));
        return Optional.of(new Text(Kind.HASH, from, to));
      }
      return Optional.empty();
    }

    /** Reads values up to the closing bracket; where it ends behind that, or -1. */
    private static int read(String text, int begin, List<Value> values) {
      int at = begin;
      while (at < text.length()) {
        StringBuilder value = new StringBuilder();
        boolean bits = text.startsWith("B'", at);
        boolean quoted = bits || text.charAt(at) == '\'';
        at += bits ? 2 : quoted ? 1 : 0;
        for (; at < text.length(); at++) {
          char next = text.charAt(at);
          if (quoted && next == '\'') {
            at++;
            if (!text.startsWith("'", at)) {
              break;
            }
          } else if (!quoted && (next == ',' || next == ')')) {
            break;
          }
          value.append(next);
        }
        String read = value.toString();
        values.add(new Value(read, !quoted && Value.WORDS.contains(read)));
        if (text.startsWith(")", at)) {
          return at + 1;
        }
        if (!text.startsWith(", ", at)) {
          return -1;
        }
        at += 2;
      }
      return -1;
    }

    /** The values that stand at one place of the key. */
    Set<String> valuesAt(int place) {
      Set<String> values = new HashSet<>();
      List<Value> here = new ArrayList<>();
      if (kind == Kind.LIST) {
        here.addAll(from);
      } else if (kind == Kind.RANGE) {
        here.add(from.get(place));
        here.add(to.get(place));
      }
      here.stream().filter(value -> !value.word).forEach(value -> values.add(value.text));
      return values;
    }
  }
}
