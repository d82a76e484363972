package dev.reshard.demo;

import dev.reshard.sandbox.Sandbox;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Ends the demo's servers when the process is told to end (Ctrl-C, SIGTERM), wherever the demo is:
 * they are processes of their own. From then on the screen shows nothing else, as all that runs
 * here finds its servers gone. Thread-safe.
 */
final class DemoStop implements AutoCloseable {
  /** What a shell makes of Ctrl-C. */
  private static final int INTERRUPTED = 130;

  private final DemoScreen screen;
  private final AtomicReference<Sandbox> sandbox = new AtomicReference<>();
  private final Thread hook = new Thread(this::stop, "demo-stop");

  private DemoStop(DemoScreen screen) {
    this.screen = screen;
  }

  static DemoStop atExit(DemoScreen screen) {
    DemoStop stop = new DemoStop(screen);
    Runtime.getRuntime().addShutdownHook(stop.hook);
    return stop;
  }

  /** From now on there is something to close; before, {@link Sandbox} looks after it. */
  void closes(Sandbox started) {
    sandbox.set(started);
  }

  private void stop() {
    screen.last("stopping servers ..");
    Sandbox started = sandbox.get();
    if (started != null) {
      started.closeNow();
      DemoFile.forgetPassword(DemoFile.FOLDER);
      Runtime.getRuntime().halt(INTERRUPTED); // the worker would wait for its servers
    }
  }

  /** After the servers' own end. */
  @Override
  public void close() {
    DemoFile.forgetPassword(DemoFile.FOLDER);
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the process is ending, and the hook is running
    }
  }
}
