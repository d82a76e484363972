package dev.reshard.migration;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.control.ControlStore;
import dev.reshard.control.LeaseLostException;
import dev.reshard.control.MigrationState;
import dev.reshard.control.RefusedException;
import dev.reshard.control.Requests;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.Requests.Request;
import dev.reshard.control.WorkerLease;
import dev.reshard.postgres.SqlState;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a migration from state to state: runs the phase of each working state, keeps the services
 * running, and in the states that wait for people carries out what they ask. One thread, {@link
 * #run}; {@link #stop} may be called from any.
 */
public final class Worker {
  /** How often requests and reports are looked after, in milliseconds. */
  private static final long TICK_MS = 50;

  private static final long REPORT_EVERY_NANOS = 250_000_000;

  /** A report of many tables is stored less often: each one is a new version of a large row. */
  private static final int LARGE_REPORT = 64 * 1024;

  private static final long LARGE_REPORT_EVERY_NANOS = 1_000_000_000;
  private static final long RETRY_MS = 1_000;
  private static final long MENDED_MS = 5_000;

  /** A lane that has stopped would keep it from ending. */
  private static final Set<Command> CATCHING_UP_HEARS =
      EnumSet.of(Command.PAUSE, Command.CANCEL, Command.RESUME);

  private static final int REFUSED = 4;
  private static final int UNEXPECTED = 1;
  private static final Logger log = LoggerFactory.getLogger(Worker.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Migration migration;
  private final WorkerLease lease;
  private final Map<MigrationState, Phase> phases = new EnumMap<>(MigrationState.class);
  private final Map<Command, Operation> operations = new EnumMap<>(Command.class);
  private final List<Service> services;
  private volatile boolean stopped;
  private volatile boolean interrupted;
  private volatile boolean isCatchingUp;
  private volatile Optional<String> trouble = Optional.empty();
  private volatile Optional<String> pauseWanted = Optional.empty();

  public Worker(
      Migration migration,
      WorkerLease lease,
      List<Phase> phases,
      List<Operation> operations,
      List<Service> services) {
    this.migration = migration;
    this.lease = lease;
    phases.forEach(phase -> this.phases.put(phase.state(), phase));
    operations.forEach(operation -> this.operations.put(operation.command(), operation));
    this.services = List.copyOf(services);
  }

  /**
   * Works until the migration is in {@code until} or in a state that nothing follows, {@link #stop}
   * is called, or the lease is lost.
   *
   * @throws LeaseLostException if another worker took over
   */
  public MigrationState run(MigrationState until) throws Exception {
    Thread reporter = new Thread(this::report, "report");
    reporter.setDaemon(true);
    reporter.start();
    try {
      while (!stopped) {
        try {
          MigrationState state = migration.control().state();
          if (state == until || state.next().isEmpty()) {
            return state;
          }
          lease.requireHeld();
          step(state);
          trouble = Optional.empty();
        } catch (LeaseLostException | InterruptedException e) {
          throw e;
        } catch (Exception e) {
          waitAfter(e);
        }
      }
      return migration.control().state();
    } finally {
      stopped = true;
      reporter.join(2_000);
      for (int i = services.size() - 1; i >= 0; i--) {
        services.get(i).close();
      }
    }
  }

  /** Makes {@link #run} return soon; the migration stays as it is. */
  public void stop() {
    stopped = true;
  }

  /**
   * Pauses the migration once the phase under way has yielded, as {@code reshard pause} does; in a
   * state that cannot be paused nothing happens. For services that see what must not go on; by any
   * thread.
   *
   * @param why and what to do before {@code reshard resume}: it stands in the transition log and in
   *     the status
   */
  public void pause(String why) {
    pauseWanted = Optional.of(why);
  }

  /** Whether a phase should return as soon as it can, to be run again or not. */
  public boolean yields() {
    return stopped || interrupted || pauseWanted.isPresent() || !lease.isHeld();
  }

  /** Whether it ends, or has lost its lease: what can be gone on with by another one ends then. */
  public boolean ends() {
    return stopped || !lease.isHeld();
  }

  /** While a phase is to run, only what may end it; the rest waits until it has. */
  private Set<Command> heard(MigrationState state) {
    if (state == MigrationState.CATCHING_UP) {
      return CATCHING_UP_HEARS;
    }
    return phases.containsKey(state) ? Command.URGENT : EnumSet.allOf(Command.class);
  }

  private void runServices(MigrationState state) throws Exception {
    boolean paused = state == MigrationState.PAUSED;
    MigrationState of = paused ? migration.control().stateBeforePause().orElse(state) : state;
    for (Service service : services) {
      if (service.runsIn(of)) {
        service.hold(paused);
        service.start();
      }
    }
  }

  private void step(MigrationState state) throws Exception {
    runServices(state);
    if (pauseIfWanted(state)) {
      return;
    }
    boolean served = serve(state, heard(state));
    if (!served && phases.containsKey(state)) {
      advance(phases.get(state));
    } else if (!served) {
      Thread.sleep(TICK_MS); // the next look at what operators ask
    }
  }

  /** What could not be paused because a shard is away is paused by the next step. */
  private boolean pauseIfWanted(MigrationState state) throws Exception {
    Optional<String> why = pauseWanted;
    Operation pause = operations.get(Command.PAUSE);
    boolean paused =
        why.isPresent() && state != MigrationState.PAUSED && pause.states().contains(state);
    if (paused) {
      log.warn("{}: pauses itself: {}", migration.name(), why.get());
      Request own =
          new Request(0, Command.PAUSE, why.get(), "worker"); // nobody waits for an answer
      pause.run(state, own, line -> log.info("{}: {}", migration.name(), line));
    }
    pauseWanted = Optional.empty();
    return paused;
  }

  /**
   * What is in the way is told by the status and tried again for as long as it takes: a server that
   * is away comes back, a person mends the rest, or cancels. Nobody has to start the worker anew.
   */
  private void waitAfter(Exception e) throws InterruptedException {
    if (e instanceof SQLException sql && SqlState.isLeaseLost(sql)) {
      throw new LeaseLostException(migration.name(), lease.number());
    }
    lease.requireHeld();
    log.warn("{}: it is tried again", migration.name(), e);
    trouble = Optional.of("it is tried again, or 'reshard cancel': " + e.getMessage());
    boolean passes = e instanceof SQLException sql && SqlState.mayPass(sql);
    Thread.sleep(passes ? RETRY_MS : MENDED_MS); // it may be over then
    serveUrgent();
  }

  /** A phase that fails at once must not keep a cancel from being heard. */
  private void serveUrgent() throws InterruptedException {
    try {
      serve(migration.control().state(), Command.URGENT);
    } catch (LeaseLostException | InterruptedException e) {
      throw e;
    } catch (Exception e) {
      log.debug("nothing can be served now", e);
    }
  }

  private void advance(Phase phase) throws Exception {
    log.info("{}: {}", migration.name(), phase.state());
    isCatchingUp = phase.state() == MigrationState.CATCHING_UP;
    Phase.Outcome outcome = phase.run();
    isCatchingUp = false;
    lease.requireHeld();
    ControlStore control = migration.control();
    if (outcome.next() != phase.state()) {
      control.moveTo(phase.state(), outcome.next(), lease.number(), "worker", outcome.why());
    }
    log.info("{}: {} > {}: {}", migration.name(), phase.state(), outcome.next(), outcome.why());
  }

  /** Carries out the oldest request among these; false if there is none. */
  private boolean serve(MigrationState state, Set<Command> heard) throws Exception {
    Requests requests = migration.control().requests();
    Optional<Request> asked = requests.next(heard);
    if (asked.isEmpty()) {
      return false;
    }
    Request request = asked.get();
    if (!requests.begin(request)) {
      return true;
    }
    if (Command.URGENT.contains(request.command())) {
      requests.supersede(request);
    }
    Operation operation = operations.get(request.command());
    int exitCode;
    try {
      if (operation == null || !operation.states().contains(state)) {
        String next = state.nextStep().isEmpty() ? "wait" : state.nextStep();
        requests.say(request, "refused: the migration is %s; next: %s".formatted(state, next));
        exitCode = REFUSED;
      } else {
        exitCode = operation.run(state, request, line -> say(requests, request, line));
      }
    } catch (LeaseLostException e) {
      throw e;
    } catch (RefusedException e) {
      requests.say(request, "refused: " + e.getMessage());
      exitCode = REFUSED;
    } catch (Exception e) {
      lease.requireHeld();
      log.error("{} failed", request.command(), e);
      requests.say(request, "failed: " + e.getMessage());
      exitCode = UNEXPECTED;
    }
    lease.requireHeld(); // else it is the next worker's to answer
    requests.answer(request, exitCode);
    interrupted = false;
    return true;
  }

  private static void say(Requests requests, Request request, String line) {
    try {
      requests.say(request, line);
    } catch (SQLException e) {
      log.warn("could not tell the operator '{}'", line, e);
    }
  }

  /** Tells everybody who asks for the status what the services see, a few times a second. */
  private void report() {
    long last = 0;
    long lastLarge = 0;
    while (!stopped) {
      try {
        if (System.nanoTime() - last > REPORT_EVERY_NANOS) {
          last = System.nanoTime();
          String json = reportJson();
          if (json.length() < LARGE_REPORT || last - lastLarge > LARGE_REPORT_EVERY_NANOS) {
            lastLarge = last;
            migration.control().saveReport(json, lease.number());
          }
          Set<Command> interrupting = isCatchingUp ? CATCHING_UP_HEARS : Command.URGENT;
          interrupted = migration.control().requests().next(interrupting).isPresent();
        }
        Thread.sleep(TICK_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (SQLException | JsonProcessingException | RuntimeException e) {
        log.warn("the status report could not be stored", e);
      }
    }
  }

  private String reportJson() throws JsonProcessingException {
    Map<String, Object> report = new LinkedHashMap<>();
    services.forEach(service -> report.putAll(service.report()));
    List<String> troubles =
        Stream.concat(
                trouble.stream(), services.stream().map(Service::trouble).flatMap(Optional::stream))
            .toList();
    report.put("troubles", troubles);
    return JSON.writeValueAsString(report);
  }
}
