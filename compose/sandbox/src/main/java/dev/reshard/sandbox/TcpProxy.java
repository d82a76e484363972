package dev.reshard.sandbox;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A loopback port that forwards to a server until it is told to misbehave.
 *
 * <p>PostgreSQL takes it as it is. A Kafka client would bypass it after its first request, unless
 * the broker advertises the proxy's port ({@link SandboxKafka#startIn(Path, int)}).
 *
 * <p>Thread-safe.
 */
public final class TcpProxy implements AutoCloseable {
  private static final long ACCEPT_ENDS_MS = 1_000;

  private static final Logger log = LoggerFactory.getLogger(TcpProxy.class);
  private static final int BUFFER_BYTES = 1 << 16;

  private enum State {
    FORWARDING,
    SLOW,
    STALLED,
    CUT,
    CLOSED
  }

  /** Where the server listens; asked for each connection. */
  private interface TargetPort {
    int get() throws IOException;
  }

  private final String targetHost;
  private final TargetPort targetPort;
  private final int port = FreePorts.next();
  private final Set<Socket> open = new HashSet<>();
  private State state = State.CUT;
  private Duration latency = Duration.ZERO;

  /** Grows when connections are forgotten; each knows in which it was made. */
  private int generation;

  private ServerSocket listener;
  private Thread acceptor;

  private TcpProxy(String targetHost, TargetPort targetPort) {
    this.targetHost = targetHost;
    this.targetPort = targetPort;
  }

  /** Starts a proxy that forwards. The target need not be up; it is dialled per connection. */
  public static TcpProxy to(String targetHost, int targetPort) {
    return forwarding(targetHost, () -> targetPort);
  }

  /** To the broker that runs on a directory's data, on whichever port it has then. */
  public static TcpProxy toBrokerIn(Path directory) {
    return forwarding(
        "127.0.0.1",
        () ->
            KafkaDirectory.brokerPort(directory)
                .orElseThrow(() -> new IOException("no broker was ever in " + directory)));
  }

  private static TcpProxy forwarding(String targetHost, TargetPort targetPort) {
    TcpProxy proxy = new TcpProxy(targetHost, targetPort);
    proxy.heal();
    return proxy;
  }

  public static TcpProxy to(SandboxPostgres server) {
    return to(server.host(), server.port());
  }

  public String host() {
    return "127.0.0.1";
  }

  /** Stays the same for the proxy's life. */
  public int port() {
    return port;
  }

  /** Resets every connection and refuses new ones: a process that died. */
  public synchronized void cut() {
    change(State.CUT);
    closeSockets();
  }

  /**
   * Lets no byte pass and closes nothing: a network that swallows packets. New connections are
   * accepted and stay silent.
   */
  public synchronized void stall() {
    change(State.STALLED);
    listen();
  }

  /**
   * Lets each piece of up to 64 KB of a connection pass after this long: a network that is far away
   * and narrow.
   */
  public synchronized void slow(Duration perPiece) {
    latency = perPiece;
    change(State.SLOW);
    listen();
  }

  /**
   * Lets no byte of the present connections pass, ever, also when their other end closes them: a
   * firewall that has lost its memory. New ones are forwarded.
   */
  public synchronized void forget() {
    generation++;
    notifyAll();
  }

  /** Forwards again. What was stalled arrives late; what was cut stays cut. */
  public synchronized void heal() {
    change(State.FORWARDING);
    listen();
  }

  /** Ends the proxy for good, with all of its connections. Idempotent. */
  @Override
  public synchronized void close() {
    state = State.CLOSED;
    notifyAll();
    closeSockets();
  }

  private void change(State next) {
    if (state == State.CLOSED) {
      throw new IllegalStateException("the proxy on port " + port + " is closed");
    }
    state = next;
    notifyAll();
  }

  private void listen() {
    if (listener != null) {
      return;
    }
    try {
      ServerSocket opened = new ServerSocket();
      opened.setReuseAddress(true);
      opened.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      listener = opened;
      acceptor = daemon("accept", () -> acceptFrom(opened));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot listen on port " + port, e);
    }
  }

  private void closeSockets() {
    if (listener != null) {
      closeQuietly(listener);
      listener = null;
      awaitAcceptor();
    }
    open.forEach(TcpProxy::reset);
    open.clear();
  }

  /** While a thread is still inside accept(), the kernel goes on taking connections. */
  private void awaitAcceptor() {
    try {
      acceptor.join(ACCEPT_ENDS_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void acceptFrom(ServerSocket accepting) {
    try {
      while (true) {
        Socket client = accepting.accept();
        daemon("connection", () -> serve(client));
      }
    } catch (IOException closed) {
      // By cut() or close(); listen() starts another thread.
    }
  }

  /** Moves bytes both ways until both ends have finished or either breaks. */
  private void serve(Socket client) {
    Socket server = new Socket();
    int made = generation();
    try {
      if (register(client) && mayPass(made) && register(server)) {
        server.connect(new InetSocketAddress(targetHost, targetPort.get()));
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        Thread up = daemon("up", () -> pump(client, server, made));
        pump(server, client, made);
        up.join();
      }
    } catch (IOException unreachable) {
      // The client sees a reset, as from a server that is down.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      forget(client);
      forget(server);
    }
  }

  private synchronized int generation() {
    return generation;
  }

  private void pump(Socket from, Socket to, int made) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        if (!mayPass(made)) {
          return;
        }
        out.write(buffer, 0, read);
      }
      if (mayPass(made)) {
        to.shutdownOutput();
      }
    } catch (IOException broken) {
      reset(from);
      reset(to);
    }
  }

  /** Waits while stalled or forgotten, or once if slow; false once cut or closed. */
  private synchronized boolean mayPass(int made) {
    long slowUntil = System.nanoTime() + latency.toNanos();
    while (isSilent(made) || (state == State.SLOW && System.nanoTime() < slowUntil)) {
      try {
        if (isSilent(made)) {
          wait();
        } else {
          TimeUnit.NANOSECONDS.timedWait(this, slowUntil - System.nanoTime());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return state == State.FORWARDING || state == State.SLOW;
  }

  private boolean isSilent(int made) {
    boolean isOpen = state != State.CUT && state != State.CLOSED;
    return state == State.STALLED || (isOpen && made < generation);
  }

  private synchronized boolean register(Socket socket) {
    return state != State.CUT && state != State.CLOSED && open.add(socket);
  }

  private synchronized void forget(Socket socket) {
    open.remove(socket);
    reset(socket);
  }

  /** Closes with a reset; on a connection that both ends finished it is a plain close. */
  private static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
    } catch (IOException alreadyClosed) {
      // Then closing it again does nothing.
    }
    closeQuietly(socket);
  }

  private static void closeQuietly(Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      log.debug("closing {}", closeable, e);
    }
  }

  private Thread daemon(String part, Runnable task) {
    Thread thread = new Thread(task, "tcp-proxy-%d-%s".formatted(port, part));
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
