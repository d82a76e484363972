package dev.reshard.sandbox;

import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.NotModifiedException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.testcontainers.containers.GenericContainer;

/**
 * A container that can go down and come back with its data.
 *
 * <p>Testcontainers' own {@code stop} removes the container, so this speaks to Docker. The host port
 * is fixed, because Docker would pick another one at each start. Confined to the caller's lock.
 */
final class ContainerProcess implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  private final GenericContainer<?> container;
  private final int hostPort;

  ContainerProcess(GenericContainer<?> container, int containerPort) {
    this.container = container;
    this.hostPort = FreePorts.next();
    container.setPortBindings(List.of("127.0.0.1:%d:%d".formatted(hostPort, containerPort)));
  }

  int hostPort() {
    return hostPort;
  }

  /** Starts the container for the first time, as Testcontainers does: once it is ready. */
  void create() {
    container.start();
  }

  void kill() {
    try {
      container.getDockerClient().killContainerCmd(container.getContainerId()).exec();
    } catch (ConflictException notRunning) {
      // It is down already, which is what the caller wants.
    }
  }

  void stop() {
    try {
      container.getDockerClient().stopContainerCmd(container.getContainerId()).exec();
    } catch (NotModifiedException notRunning) {
      // It is down already, which is what the caller wants.
    }
  }

  /** Starts the stopped container again and waits for {@code ready} to return normally. */
  void startAgain(Probe ready) {
    container.getDockerClient().startContainerCmd(container.getContainerId()).exec();
    Instant deadline = Instant.now().plus(START_TIMEOUT);
    while (true) {
      try {
        ready.check();
        return;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new SandboxException("interrupted while waiting for a container", e);
      } catch (Exception notYet) {
        if (Instant.now().isAfter(deadline)) {
          throw new SandboxException(
              "%s does not answer after %s:%n%s"
                  .formatted(container.getDockerImageName(), START_TIMEOUT, container.getLogs()),
              notYet);
        }
        Pause.milliseconds(100);
      }
    }
  }

  @Override
  public void close() {
    container.close();
  }

  /** Asks a server for something it can only answer when it is up. */
  @FunctionalInterface
  interface Probe {
    void check() throws Exception;
  }
}
