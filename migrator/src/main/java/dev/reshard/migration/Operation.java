package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.Requests.Request;
import java.util.Set;
import java.util.function.Consumer;

/** What the worker does when an operator asks for it. */
public interface Operation {
  Command command();

  /** The states in which it can be asked for; in any other it is refused and nothing changes. */
  Set<MigrationState> states();

  /**
   * Carries it out.
   *
   * @param state in which it is asked
   * @param request who asked for what
   * @param say takes a line for the operator
   * @return the exit code of the operator's command
   */
  int run(MigrationState state, Request request, Consumer<String> say) throws Exception;
}
