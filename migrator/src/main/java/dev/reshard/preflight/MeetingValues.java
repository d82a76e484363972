package dev.reshard.preflight;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import dev.reshard.preflight.CheckSessions.Answers;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Whether rows that come together at a destination have the same value of a unique key, as when
 * every shard counts its ids from 1. All values of a small table are compared, some of a large one.
 * Confined to one thread.
 */
final class MeetingValues {
  /** Looked up on another shard, through the unique index itself. */
  private static final int VALUES = 2_000;

  private static final Duration MOST = Duration.ofSeconds(1);

  /** For all tables of a pair of shards. */
  private static final Duration ALL = Duration.ofSeconds(3);

  private final Subject subject;
  private final Map<ShardId, TimeBox> boxes = new HashMap<>();

  MeetingValues(Subject subject) {
    this.subject = subject;
  }

  /** What was compared, and what became of it. */
  enum Answer {
    /** No two shards' rows come together. */
    NOBODY_MEETS,
    /** Not in time. */
    UNKNOWN,
    /** None is the same among those compared. */
    SOME_APART,
    /** None is the same. */
    ALL_APART,
    /** Some are the same. */
    MET
  }

  /**
   * Of one index.
   *
   * @param example which, for {@link Answer#MET}
   */
  record Verdict(Answer answer, String example) {}

  /** Rows of these buckets of a shard come to, or stay at, a destination. */
  private record Side(ShardId shard, BucketSet buckets) {}

  /** One value with its row's shard key. */
  private record Row(List<String> values, String key, int bucket) {}

  Verdict of(UniqueIndex index) throws InterruptedException {
    Verdict worst = new Verdict(Answer.NOBODY_MEETS, "");
    for (ShardId destination : subject.moves().destinations()) {
      List<Side> sides = sidesAt(destination);
      for (int i = 0; i < sides.size(); i++) {
        for (int j = 0; j < i; j++) {
          Verdict verdict = compare(index, sides.get(j), sides.get(i));
          if (verdict.answer == Answer.MET) {
            return verdict;
          }
          if (worst.answer == Answer.NOBODY_MEETS || verdict.answer.compareTo(worst.answer) < 0) {
            worst = verdict;
          }
        }
      }
    }
    return worst;
  }

  private List<Side> sidesAt(ShardId destination) {
    List<Side> sides = new ArrayList<>();
    for (Move move : subject.moves().to(destination)) {
      sides.add(new Side(move.source(), move.buckets()));
    }
    BucketSet staying =
        subject
            .plan()
            .current()
            .bucketsOf(destination)
            .minus(
                subject.moves().from(destination).stream()
                    .map(Move::buckets)
                    .reduce(BucketSet.empty(), BucketSet::plus));
    if (!staying.isEmpty()) {
      sides.add(new Side(destination, staying));
    }
    return sides;
  }

  private Verdict compare(UniqueIndex index, Side one, Side other) throws InterruptedException {
    TableId id = index.table().id();
    if (!subject.placed(one.shard).contains(index.table())
        || !subject.placed(other.shard).contains(index.table())) {
      return new Verdict(Answer.UNKNOWN, "");
    }
    boolean oneIsSmaller =
        subject.size(one.shard, id).pages() <= subject.size(other.shard, id).pages();
    return oneIsSmaller ? look(index, one, other) : look(index, other, one);
  }

  /** Looks for values of one side on the other. */
  private Verdict look(UniqueIndex index, Side one, Side other) throws InterruptedException {
    TableSize.Sample sample = subject.size(one.shard, index.table().id()).sample(VALUES);
    Optional<List<Row>> read = ask(one.shard, box -> values(box, index, sample));
    if (read.isEmpty()) {
      return new Verdict(Answer.UNKNOWN, "");
    }
    Answer apart = sample.isAll(read.get().size()) ? Answer.ALL_APART : Answer.SOME_APART;
    List<Row> rows = read.get().stream().filter(row -> one.buckets.contains(row.bucket)).toList();
    if (rows.isEmpty()) {
      return new Verdict(apart, "");
    }
    Optional<List<Row>> same = ask(other.shard, box -> same(box, index, rows));
    List<Row> met =
        same.orElse(List.of()).stream().filter(row -> other.buckets.contains(row.bucket)).toList();
    if (same.isEmpty()) {
      return new Verdict(Answer.UNKNOWN, "");
    }
    if (met.isEmpty()) {
      return new Verdict(apart, "");
    }
    String theirs =
        rows.stream()
            .filter(row -> row.values.equals(met.get(0).values))
            .map(Row::key)
            .findFirst()
            .orElse("?");
    return new Verdict(
        Answer.MET,
        "%d of %d values, e.g. of %s %s on %s and %s on %s"
            .formatted(
                met.size(),
                rows.size(),
                index.table().key(),
                theirs,
                one.shard,
                met.get(0).key,
                other.shard));
  }

  private interface Question {
    Optional<List<Row>> ask(TimeBox box) throws SQLException;
  }

  private Optional<List<Row>> ask(ShardId shard, Question question) throws InterruptedException {
    Answers<Optional<List<Row>>> answers =
        subject
            .sessions()
            .ask(
                List.of(shard),
                session ->
                    question.ask(
                        boxes.computeIfAbsent(shard, s -> new TimeBox(session, MOST, ALL))));
    return Optional.ofNullable(answers.values().get(shard)).flatMap(answer -> answer);
  }

  private Optional<List<Row>> values(TimeBox box, UniqueIndex index, TableSize.Sample sample)
      throws SQLException {
    String present =
        index.expressions().stream()
            .map(expression -> "(%s) IS NOT NULL".formatted(expression))
            .collect(Collectors.joining(" AND "));
    return box.query(
        "SELECT %s FROM %s%s WHERE (%s) AND %s AND %s LIMIT %d"
            .formatted(
                columns(box.shard(), index),
                index.table().id().quoted(),
                sample.clause(),
                index.predicate(),
                present,
                sample.condition(),
                sample.limit()),
        row -> row(index, row));
  }

  private Optional<List<Row>> same(TimeBox box, UniqueIndex index, List<Row> rows)
      throws SQLException {
    int width = index.expressions().size();
    List<String> names = IntStream.range(0, width).mapToObj(i -> "v" + i).toList();
    String cast =
        IntStream.range(0, width)
            .mapToObj(i -> names.get(i) + "::" + index.types().get(i))
            .collect(Collectors.joining(", "));
    Object[] arrays = new Object[width];
    for (int i = 0; i < width; i++) {
      int column = i;
      arrays[i] = box.texts(rows.stream().map(row -> row.values.get(column)).toList());
    }
    return box.query(
        "SELECT %s FROM %s WHERE (%s) AND (%s) IN (SELECT %s FROM unnest(%s) AS given(%s))"
            .formatted(
                columns(box.shard(), index),
                index.table().id().quoted(),
                index.predicate(),
                index.expressions().stream()
                    .map(e -> "(" + e + ")")
                    .collect(Collectors.joining(", ")),
                cast,
                names.stream().map(name -> "?::text[]").collect(Collectors.joining(", ")),
                String.join(", ", names)),
        row -> row(index, row),
        arrays);
  }

  private String columns(ShardId shard, UniqueIndex index) {
    Table table = subject.table(shard, index.table().id()).orElseThrow();
    String key = table.column(index.table().key()).quoted();
    return index.expressions().stream()
            .map(expression -> "(%s)::text, ".formatted(expression))
            .collect(Collectors.joining())
        + "%s::text, %s".formatted(key, buckets().column(key));
  }

  private Row row(UniqueIndex index, ResultSet row) throws SQLException {
    List<String> values = new ArrayList<>();
    int width = index.expressions().size();
    for (int i = 1; i <= width; i++) {
      values.add(row.getString(i));
    }
    String key = row.getString(width + 1);
    return new Row(values, key, buckets().read(row, width + 2, key));
  }

  private RowBuckets buckets() {
    return new RowBuckets(subject.keyspace().partitioning());
  }
}
