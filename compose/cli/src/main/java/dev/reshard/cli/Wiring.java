package dev.reshard.cli;

import dev.reshard.control.ControlStore;
import dev.reshard.control.MigrationRecord;
import dev.reshard.control.MigrationState;
import dev.reshard.control.RefusedException;
import dev.reshard.control.WorkerLease;
import dev.reshard.cutover.HandOverOperation;
import dev.reshard.cutover.RecoverPhase;
import dev.reshard.finish.CleanUpPhase;
import dev.reshard.finish.CompleteOperation;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.ServerLookup;
import dev.reshard.keyspace.ShardId;
import dev.reshard.migration.CatalogWatch;
import dev.reshard.migration.CatchUpPhase;
import dev.reshard.migration.CopyPhase;
import dev.reshard.migration.CopyReport;
import dev.reshard.migration.Gate;
import dev.reshard.migration.GateWatch;
import dev.reshard.migration.Gates;
import dev.reshard.migration.Guards;
import dev.reshard.migration.LeftOutRecord;
import dev.reshard.migration.LockWatch;
import dev.reshard.migration.Migration;
import dev.reshard.migration.NewTables;
import dev.reshard.migration.PauseOperation;
import dev.reshard.migration.PausedCopy;
import dev.reshard.migration.Phase;
import dev.reshard.migration.PreparePhase;
import dev.reshard.migration.Replication;
import dev.reshard.migration.ResumeOperation;
import dev.reshard.migration.Service;
import dev.reshard.migration.StartPhase;
import dev.reshard.migration.Throttles;
import dev.reshard.migration.WalWatch;
import dev.reshard.migration.Worker;
import dev.reshard.plan.Plan;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.SqlState;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.preflight.Check;
import dev.reshard.preflight.CheckSessions;
import dev.reshard.preflight.Checks;
import dev.reshard.preflight.TableLists;
import dev.reshard.preflight.Unreachable.Hints;
import dev.reshard.publish.TopicPublisher;
import dev.reshard.routing.ShardMapStore;
import dev.reshard.sandbox.SandboxKafka;
import dev.reshard.schema.SchemaChecks;
import dev.reshard.schema.SchemaCopy;
import dev.reshard.spec.Spec;
import dev.reshard.spec.SpecException;
import dev.reshard.verify.VerifyOperation;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the modules together for one migration file; the only class that knows them all. Confined to
 * one thread, save what it hands out.
 */
public final class Wiring implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Wiring.class);

  /** A standby takes over within this, and the time to open its sessions, after the lease ends. */
  private static final long STANDBY_MS = 250;

  private final ShardSessions sessions;
  private final ControlStore control;
  private final ServerLookup lookup;
  private final Planning planning;
  private final Hints hints;

  /** Where the file says {@code kafka: embedded}. */
  private final Optional<RehearsalKafka> kafka;

  /**
   * For a file whose place does not matter: its Kafka is not embedded.
   *
   * @param spec names brokers
   */
  public Wiring(Spec spec) {
    this(spec, "the migration file", Optional.empty());
  }

  /** For a file whose errors shall name it. */
  Wiring(Spec spec, Path file) {
    this(
        spec,
        file.toString(),
        spec.embedsKafka() ? Optional.of(RehearsalKafka.beside(file)) : Optional.empty());
  }

  private Wiring(Spec spec, String file, Optional<RehearsalKafka> kafka) {
    if (spec.embedsKafka() && kafka.isEmpty()) {
      throw new IllegalStateException("an embedded broker needs a place for its data");
    }
    this.kafka = kafka;
    this.hints = Hints.inFile(file);
    this.sessions =
        new ShardSessions(
            spec.migration(),
            spec.shards().values().stream()
                .map(s -> new ShardAddress(s.id(), s.url(), s.user(), s.password().value()))
                .toList(),
            spec.keyspace().ignoredColumns());
    this.control = new ControlStore(sessions, spec.control(), spec.migration());
    this.lookup = new ServerLookup(servers(spec.shards().keySet()));
    this.planning = new Planning(spec.askingBy(lookup), sessions, control, file);
  }

  /** Any shard can tell the bucket of a key, where Java cannot. */
  private List<ServerLookup.Server> servers(Set<ShardId> shards) {
    List<ServerLookup.Server> servers = new ArrayList<>();
    shards.forEach(shard -> servers.add(() -> sessions.open(shard, "buckets")));
    return servers;
  }

  public Spec spec() {
    return planning.spec();
  }

  /** What moves, and who owns what. */
  Planning planning() {
    return planning;
  }

  public ShardSessions sessions() {
    return sessions;
  }

  public ControlStore control() {
    return control;
  }

  /** Who gives a command, for the transition log. */
  static String who() {
    String host;
    try {
      host = InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      host = "unknown host";
    }
    return "%s@%s, pid %d"
        .formatted(System.getProperty("user.name"), host, ProcessHandle.current().pid());
  }

  /** Whether nobody has stored this migration yet. */
  public boolean isNew() throws SQLException {
    return planning.isNew();
  }

  /** Whether the migration has ended, and nothing of it is left. */
  public boolean isCleaned() throws SQLException {
    return !isNew() && control.state() == MigrationState.CLEANED;
  }

  /**
   * From today's map to the file's target; of a migration under way, what was stored.
   *
   * @throws SpecException if the file contradicts what is stored
   */
  public Plan plan() throws SQLException {
    return planning.plan();
  }

  private TableLists tables() throws SQLException {
    planning.readDirectory();
    try (Connection connection = sessions.open(spec().control(), "tables")) {
      return TableLists.read(connection, spec().keyspace());
    }
  }

  /** The tables of the keyspace, as the control shard has them. */
  Keyspace keyspace() throws SQLException {
    return tables().keyspace();
  }

  /** One session on each shard of the file, for {@link #checks}. */
  public CheckSessions checkSessions() throws InterruptedException {
    return CheckSessions.open(sessions, spec().shards().keySet(), hints);
  }

  /**
   * Everything that {@code check} looks at. A control shard that does not answer is a finding: then
   * the rest is looked at as if the file's map were stored; without one, what needs no map.
   */
  public Checks checks(CheckSessions through) throws SQLException, InterruptedException {
    try {
      return checks(Optional.of(plan()), !isNew(), through);
    } catch (SQLException e) {
      boolean isUnread =
          spec().keyspace().buckets() instanceof DirectoryBuckets directory && !directory.isRead();
      if (isUnread || through.shards().contains(spec().control())) {
        throw e;
      }
      return checks(planning.planOfFile(), false, through);
    }
  }

  private Checks checks(Optional<Plan> plan, boolean begun, CheckSessions through)
      throws InterruptedException {
    return Checks.read(
        spec(), plan, begun, through, keyspace -> otherChecks(keyspace, plan, begun, through));
  }

  private List<Check> otherChecks(
      Keyspace keyspace, Optional<Plan> plan, boolean begun, CheckSessions through) {
    List<Check> checks = new ArrayList<>();
    if (plan.isPresent()) {
      checks.addAll(
          SchemaChecks.of(
              new SchemaCopy(sessions, keyspace, plan.get().moves(), spec().control()),
              begun ? Optional.of(control.registry()) : Optional.empty(),
              through.shards()));
    }
    checks.add(
        kafka.isPresent()
            ? kafka.get().check(begun)
            : new KafkaCheck(
                spec(), plan.map(p -> p.moves().shards()).orElse(spec().shards().keySet()), begun));
    return checks;
  }

  /**
   * A worker that holds the lease; stores the migration first if it is new. Waits as long as a
   * worker that was killed may be taken for a living one.
   *
   * @throws RefusedException if another worker is alive, or a bucket is claimed
   */
  public RunningWorker worker() throws SQLException, InterruptedException {
    return workerWithin(WorkerLease.TTL.plusMillis(2 * STANDBY_MS));
  }

  /** The same, but waits until no other worker is alive. */
  public RunningWorker standby() throws SQLException, InterruptedException {
    return workerWithin(Duration.ofNanos(Long.MAX_VALUE));
  }

  private RunningWorker workerWithin(Duration patience) throws SQLException, InterruptedException {
    control.install();
    requireKafkaHere();
    long begin = System.nanoTime();
    WorkerLease lease = new WorkerLease(sessions, spec().control(), spec().migration());
    try {
      Optional<Long> number = lease.acquire(who());
      while (number.isEmpty()) {
        if (System.nanoTime() - begin > patience.toNanos()) {
          throw new RefusedException(
              "another worker is alive: %s; stop that one first, or wait for it with --standby"
                  .formatted(lease.holder().orElse("it has just ended")));
        }
        Thread.sleep(STANDBY_MS); // between two looks at the lease
        number = acquireAgain(lease);
      }
      return worker(lease, number.get());
    } catch (SQLException | InterruptedException | RuntimeException e) {
      lease.close();
      throw e;
    }
  }

  /** Who waits for the lease waits for the control database, too. */
  private Optional<Long> acquireAgain(WorkerLease lease) throws SQLException {
    try {
      return lease.acquire(who());
    } catch (SQLException e) {
      if (SqlState.mayPass(e)) {
        log.warn("the lease of {} cannot be looked at; again", spec().migration(), e);
        return Optional.empty();
      }
      throw e;
    }
  }

  private RunningWorker worker(WorkerLease lease, long number) throws SQLException {
    planning.requireLeftOut(); // by now: another worker may have left out more
    requireKafkaHere();
    Optional<SandboxKafka> broker = kafka.map(RehearsalKafka::start);
    try {
      return running(migration(number, broker).underLease(), lease, broker);
    } catch (SQLException | RuntimeException e) {
      broker.ifPresent(SandboxKafka::close);
      throw e;
    }
  }

  /** A migration under way needs the broker that has its changes. */
  private void requireKafkaHere() throws SQLException {
    if (kafka.isPresent() && control.load().isPresent()) {
      kafka.get().requireHere();
    }
  }

  private Migration migration(long lease, Optional<SandboxKafka> broker) throws SQLException {
    if (control.load().isEmpty()) {
      Plan plan = plan();
      try (Connection connection = sessions.open(spec().control(), "map")) {
        ShardMapStore.adopt(
            connection, spec().keyspace().name(), spec().keyspace().buckets(), plan.current());
      }
      control.create(spec().keyspace().name(), plan.moves(), plan.current().count());
    }
    MigrationRecord stored = control.load().orElseThrow();
    Keyspace keyspace = control.movedTables().keep(keyspace());
    return new Migration(
        broker.isPresent() ? spec().reachingKafka(broker.get().bootstrapServers()) : spec(),
        keyspace,
        stored.moves(),
        Planning.before(stored, planning.map()),
        sessions,
        control,
        new WorkerIdentity(spec().migration(), lease, stored.marker()));
  }

  private RunningWorker running(
      Migration migration, WorkerLease lease, Optional<SandboxKafka> broker) {
    AtomicReference<Worker> worker = new AtomicReference<>();
    CopyReport copied = new CopyReport();
    Shadowing shadowing = new Shadowing(migration);
    Replication replication = new Replication(migration, shadowing.listener());
    Guards guards = new Guards(migration);
    WalWatch wal = new WalWatch(migration, replication, why -> worker.get().pause(why));
    CatalogWatch catalogs =
        new CatalogWatch(migration, replication, why -> worker.get().pause(why), guards::lookAgain);
    NewTables newTables = new NewTables(migration);
    Throttles throttles = new Throttles(migration, wal::limits);
    List<Service> services =
        new ArrayList<>(
            List.of(
                new LeftOutRecord(migration),
                copied,
                new PausedCopy(migration, replication),
                replication,
                guards,
                catalogs,
                newTables,
                wal));
    services.addAll(shadowing.services());
    List<Gate> wayBack =
        List.of(
            Gates.lag(migration, replication),
            Gates.oldTransactions(migration),
            Gates.standbys(migration),
            guards.gate(),
            catalogs.gate(),
            newTables.gate());
    List<Gate> wayForth = new ArrayList<>(wayBack);
    wayForth.addAll(shadowing.gates());
    services.add(new GateWatch(migration, wayForth, wayBack));
    services.add(TopicPublisher.events(migration));
    BooleanSupplier yields = () -> worker.get().yields();
    BooleanSupplier ends = () -> worker.get().ends();
    CleanUpPhase cleanUp =
        new CleanUpPhase(MigrationState.CLEANING_UP, migration, guards, services, throttles, ends);
    CleanUpPhase cancel =
        new CleanUpPhase(MigrationState.CANCELLED, migration, guards, services, throttles, ends);
    List<Service> untilTheEnd = new ArrayList<>(services);
    untilTheEnd.add(throttles); // the purge waits for them, too
    untilTheEnd.add(new LockWatch(migration.name(), sessions, migration.captured()));
    untilTheEnd.add(TopicPublisher.routing(migration)); // its topic is not cleaned up
    List<Phase> phases =
        List.of(
            new StartPhase(),
            new PreparePhase(migration, guards),
            new CopyPhase(
                migration,
                guards,
                replication,
                copied,
                throttles,
                yields,
                why -> worker.get().pause(why)),
            new CatchUpPhase(migration, replication, yields),
            new RecoverPhase(MigrationState.CUTTING_OVER, migration, replication),
            new RecoverPhase(MigrationState.ROLLING_BACK, migration, replication),
            cleanUp,
            cancel);
    worker.set(
        new Worker(
            migration,
            lease,
            phases,
            List.of(
                new VerifyOperation(
                    migration, replication, shadowing.recentChanges(), throttles, yields),
                HandOverOperation.cutover(migration, replication, catalogs, wayForth),
                HandOverOperation.rollback(migration, replication, catalogs, wayBack),
                new PauseOperation(migration),
                new ResumeOperation(migration, replication, catalogs),
                CompleteOperation.complete(migration, replication, cleanUp),
                CompleteOperation.cancel(migration, replication, cancel)),
            untilTheEnd));
    return new RunningWorker(worker.get(), lease, broker);
  }

  @Override
  public void close() throws SQLException {
    lookup.close();
    control.close();
  }
}
