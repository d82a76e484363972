package dev.reshard.preflight;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.SqlBuckets;
import dev.reshard.keyspace.TableId;
import dev.reshard.plan.Plan;
import dev.reshard.postgres.Table;
import dev.reshard.preflight.CheckSessions.Answers;
import dev.reshard.spec.Spec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.stream.Stream;

/** All that this package looks at, for one migration. Confined to one thread. */
public final class Checks {
  private final Subject subject;
  private final List<Finding> listed;
  private final List<Finding> unread;
  private final List<Finding> ownFunction;
  private final List<Check> others;

  /**
   * Else it is not known which shard owns what, and only what does not ask for that is looked at.
   */
  private final boolean mapIsKnown;

  private Checks(
      Subject subject,
      List<Finding> listed,
      List<Finding> unread,
      List<Finding> ownFunction,
      List<Check> others,
      boolean mapIsKnown) {
    this.subject = subject;
    this.listed = listed;
    this.unread = unread;
    this.ownFunction = ownFunction;
    this.others = others;
    this.mapIsKnown = mapIsKnown;
  }

  /**
   * Reads the tables of every shard.
   *
   * @param plan empty if nobody knows the map, as the shard that keeps it cannot be reached
   * @param begun whether the migration is under way already
   * @param sessions stay the caller's
   * @param others checks of other modules, of the keyspace with the tables found
   */
  public static Checks read(
      Spec spec,
      Optional<Plan> plan,
      boolean begun,
      CheckSessions sessions,
      Function<Keyspace, List<Check>> others)
      throws InterruptedException {
    Answers<List<TableId>> names =
        sessions.ask(sessions.shards(), session -> TableLists.names(session, spec.keyspace()));
    TableLists lists =
        TableLists.place(
            names.values().values().stream().flatMap(List::stream).distinct().sorted().toList(),
            spec.keyspace());
    Answers<SortedMap<TableId, Table>> tables =
        sessions.ask(sessions.shards(), session -> session.tables(ids(lists.keyspace())));
    Answers<Map<TableId, TableSize>> sizes =
        sessions.ask(
            tables.values().keySet(),
            session -> TableSize.of(session, tables.values().get(session.shard())));
    Answers<Map<TableId, KeyColumn>> keys =
        sessions.ask(
            tables.values().keySet(),
            session ->
                KeyColumn.read(
                    session, lists.keyspace().sharded(), tables.values().get(session.shard())));
    List<Finding> ownFunction =
        lists.keyspace().partitioning() instanceof SqlBuckets buckets
            ? OwnFunction.problems(buckets, lists.keyspace().sharded(), sessions, tables.values())
            : List.of();
    return new Checks(
        new Subject(
            spec,
            lists.keyspace(),
            plan.orElseGet(() -> noPlan(spec)),
            begun,
            sessions,
            tables.values(),
            sizes.values(),
            keys.values(),
            ownFunction.isEmpty()),
        Stream.of(
                names.failures(),
                names.values().isEmpty() ? List.<Finding>of() : lists.problems(),
                names.values().isEmpty()
                    ? List.<Finding>of()
                    : TableLists.unknownFirst(spec.copy(), lists.keyspace()))
            .flatMap(List::stream)
            .toList(),
        Stream.of(tables.failures(), sizes.failures(), keys.failures())
            .flatMap(List::stream)
            .toList(),
        ownFunction,
        List.copyOf(others.apply(lists.keyspace())),
        plan.isPresent());
  }

  /** Nothing moves, so that every shard is concerned. */
  private static Plan noPlan(Spec spec) {
    int count = spec.keyspace().buckets().count();
    ShardMap all = ShardMap.of(1, count, Map.of(spec.control(), BucketSet.range(0, count)));
    return new Plan(all, all);
  }

  public List<Check> all() {
    List<Check> checks = new ArrayList<>();
    checks.addAll(ShardChecks.of(subject));
    checks.add(new RestartSettings(subject));
    checks.add(new ServerSettings(subject));
    checks.add(new Rights(subject));
    checks.add(check("every table in one list", () -> listed));
    checks.add(check("catalog", () -> unread));
    checks.add(new SameTables(subject));
    checks.add(new IgnoredColumns(subject));
    checks.add(new ShardKeys(subject));
    checks.add(new ShardKeyCheck(subject));
    checks.add(check("your own function", () -> ownFunction));
    checks.add(new RowKeyNotes(subject));
    checks.add(new UniqueKeys(subject));
    checks.add(new TableShapes(subject));
    checks.add(new RowSample(subject));
    checks.add(new DestinationRows(subject));
    checks.add(new ForeignKeys(subject));
    checks.add(new Databases(subject));
    checks.add(new DiskSpace(subject));
    checks.add(new OtherMigrations(subject));
    List<Check> all = new ArrayList<>();
    all.add(check("connection", subject.sessions()::unreachable));
    checks.forEach(check -> all.add(asking(check)));
    all.addAll(others);
    return all;
  }

  private Check asking(Check check) {
    return new Check() {
      @Override
      public String name() {
        return check.name();
      }

      @Override
      public List<Finding> look() throws Exception {
        return reach() == Reach.NONE ? List.of() : check.look();
      }

      @Override
      public Reach reach() {
        Set<ShardId> reachable = subject.sessions().shards();
        if (!mapIsKnown || Collections.disjoint(reachable, subject.concerned())) {
          return Reach.NONE;
        }
        return reachable.containsAll(subject.concerned()) ? Reach.ALL : Reach.SOME;
      }
    };
  }

  /**
   * Statements for a superuser of each shard that give our role its rights.
   *
   * @param all also what it has already
   */
  public List<String> grants(boolean all) throws InterruptedException {
    return Grants.sql(subject, all);
  }

  private static List<TableId> ids(Keyspace keyspace) {
    return Stream.concat(
            keyspace.sharded().stream().map(ShardedTable::id), keyspace.reference().stream())
        .toList();
  }

  /** How a check looks. */
  @FunctionalInterface
  interface Look {
    List<Finding> at() throws Exception;
  }

  static Check check(String name, Look look) {
    return new Check() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public List<Finding> look() throws Exception {
        return look.at();
      }
    };
  }
}
