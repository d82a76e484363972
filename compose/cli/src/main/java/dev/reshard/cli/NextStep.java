package dev.reshard.cli;

import dev.reshard.cli.WorkerReport.Lane;
import dev.reshard.control.StageUnit.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What an operator does next, as command lines to paste. Pure. */
final class NextStep {
  private static final long SILENT_MS = 10_000;
  private static final Pattern PID = Pattern.compile("pid \\d+");

  private NextStep() {}

  static List<String> of(StatusFacts facts) {
    if (facts.stored().isEmpty()) {
      return List.of(
          facts.command("check"),
          facts.command("plan"),
          facts.command("run") + "   begins it; nothing is changed before that");
    }
    if (facts.state().next().isEmpty()) {
      return List.of("nothing: all is done");
    }
    if (facts.holder().isEmpty()) {
      List<String> steps = new ArrayList<>();
      steps.add(facts.command("run") + "   goes on where the last worker stopped");
      if (waitsForPeople(facts)) {
        steps.addAll(after(inState(facts)));
      }
      return steps;
    }
    if (isSilent(facts)) {
      return List.of(
          "if %s is gone: %s   goes on where it stopped"
              .formatted(who(facts.holder().get()), facts.command("run")));
    }
    List<String> steps = new ArrayList<>();
    if (facts.state().replicates() && facts.report().lanes().stream().anyMatch(Lane::isStopped)) {
      steps.add("mend why a lane has stopped, then " + facts.command("resume"));
      steps.addAll(after(inState(facts)));
      return steps;
    }
    return inState(facts);
  }

  /** As what follows another step: only the first of them is not joined to one yet. */
  private static List<String> after(List<String> steps) {
    List<String> joined = new ArrayList<>(steps);
    if (!joined.get(0).startsWith("nothing")) {
      joined.set(0, "then " + joined.get(0));
    }
    return joined;
  }

  /** A worker that lives, but has not said anything for long. */
  private static boolean isSilent(StatusFacts facts) {
    return facts.said().filter(said -> said.ageMs() > SILENT_MS).isPresent();
  }

  private static String who(String holder) {
    Matcher pid = PID.matcher(holder);
    return pid.find() ? pid.group() : holder;
  }

  private static boolean waitsForPeople(StatusFacts facts) {
    return !facts.state().nextStep().isEmpty();
  }

  private static List<String> inState(StatusFacts facts) {
    return switch (facts.state()) {
      case PENDING, PREPARING, COPYING, CATCHING_UP ->
          List.of(
              "nothing: the worker goes on by itself. '%s' stops it for a while, '%s' gives up"
                  .formatted(facts.command("pause"), facts.named("cancel")));
      case READY_FOR_CUTOVER -> ready(facts);
      case CUTTING_OVER, ROLLING_BACK ->
          List.of("nothing: it ends within the budget; what a dead worker left is recovered first");
      case COMPLETED ->
          List.of(
              facts.named("complete") + "   once you are sure: purges, and ends the way back",
              "or " + facts.named("rollback") + "   gives all back, as long as it is not complete");
      case ROLLED_BACK ->
          List.of(
              handOver(facts) + "   hands over again, without copying",
              "or " + facts.named("complete") + "   gives up: removes all that was made");
      case PAUSED -> paused(facts);
      case FAILED ->
          List.of(
              facts.named("cancel") + "   removes all that was made; nothing has moved",
              "then mend the cause, and begin again under another name of migration");
      case CLEANING_UP, CANCELLED ->
          List.of("nothing: the worker removes what was made, for as long as it takes");
      case CLEANED -> List.of("nothing: all is done");
    };
  }

  private static List<String> ready(StatusFacts facts) {
    List<String> steps = new ArrayList<>();
    if (facts.stored().orElseThrow().verification().isEmpty()) {
      steps.add(facts.command("verify"));
    }
    steps.add((steps.isEmpty() ? "" : "then ") + handOver(facts));
    steps.add(
        nothingHasMoved(facts)
            ? "or " + facts.named("cancel") + "   gives up; nothing has moved"
            : "or " + facts.named("rollback") + "   gives back what has moved");
    return steps;
  }

  private static String handOver(StatusFacts facts) {
    boolean closed = facts.report().gates().stream().anyMatch(gate -> !gate.open());
    return facts.named("cutover") + (closed ? "   once every gate is open" : "");
  }

  private static List<String> paused(StatusFacts facts) {
    List<String> steps = new ArrayList<>(List.of(facts.command("resume") + pausedIn(facts)));
    if (nothingHasMoved(facts)) {
      steps.add("or " + facts.named("cancel") + "   gives up; nothing has moved");
    }
    return steps;
  }

  private static boolean nothingHasMoved(StatusFacts facts) {
    return facts.stored().orElseThrow().units().stream()
        .allMatch(unit -> unit.place() == Place.AT_SOURCE);
  }

  private static String pausedIn(StatusFacts facts) {
    return facts.beforePause().map(state -> "   goes on with " + state).orElse("");
  }
}
