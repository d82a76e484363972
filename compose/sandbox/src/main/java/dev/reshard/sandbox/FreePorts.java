package dev.reshard.sandbox;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Hands out loopback ports that a server may leave and come back to.
 *
 * <p>They lie below Linux's ephemeral range (32768 to 60999). A port from inside it is lost once
 * the server is down: a client that keeps reconnecting to it can be given that same port as its own
 * and connect to itself, after which the server cannot start again.
 *
 * <p>Thread-safe.
 */
final class FreePorts {
  private static final int FROM = 15_000;
  private static final int TO = 32_000;
  private static final int ATTEMPTS = 200;
  private static final Set<Integer> TAKEN = new HashSet<>();

  private FreePorts() {}

  /**
   * A port nobody listens on now, and not handed out before by this process.
   *
   * @throws SandboxException if none is found
   */
  static synchronized int next() {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(FROM, TO);
      if (!TAKEN.contains(port) && isFree(port)) {
        TAKEN.add(port);
        return port;
      }
    }
    throw new SandboxException(
        "no free loopback port between %d and %d after %d attempts".formatted(FROM, TO, ATTEMPTS));
  }

  /** That port, or another if somebody listens on it. */
  static synchronized int orNext(int port) {
    if (isFree(port)) {
      TAKEN.add(port);
      return port;
    }
    return next();
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException busy) {
      return false;
    }
  }
}
