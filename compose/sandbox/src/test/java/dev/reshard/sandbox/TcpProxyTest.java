package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against a server that sends every byte back. */
class TcpProxyTest {
  private static final int SILENCE_MS = 200;

  private ServerSocket echo;
  private Thread echoing;
  private TcpProxy proxy;

  @BeforeEach
  void start() throws IOException {
    echo = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    echoing = new Thread(this::echoForEver, "echo");
    echoing.setDaemon(true);
    echoing.start();
    proxy = TcpProxy.to("127.0.0.1", echo.getLocalPort());
  }

  @AfterEach
  void stop() throws IOException {
    proxy.close();
    echo.close();
  }

  @Test
  void forwardsBothWays() throws IOException {
    try (Socket client = connect()) {
      assertEquals(7, echoed(client, 7));
    }
  }

  @Test
  void passesTheEndOfTheStreamOn() throws IOException {
    try (Socket client = connect()) {
      client.shutdownOutput();
      assertEquals(-1, client.getInputStream().read());
    }
  }

  @Test
  void cutEndsConnectionsAndRefusesNewOnesUntilHealed() throws IOException {
    try (Socket client = connect()) {
      assertEquals(1, echoed(client, 1));
      proxy.cut();
      assertThrows(IOException.class, () -> echoed(client, 2));
      assertThrows(IOException.class, this::connect);
      proxy.heal();
      assertThrows(IOException.class, () -> echoed(client, 3));
    }
    try (Socket client = connect()) {
      assertEquals(4, echoed(client, 4));
    }
  }

  @Test
  void slowLetsEachPiecePassLater() throws IOException {
    try (Socket client = connect()) {
      assertEquals(1, echoed(client, 1));
      proxy.slow(Duration.ofMillis(SILENCE_MS));
      long begin = System.nanoTime();
      assertEquals(2, echoed(client, 2)); // there and back
      assertTrue(System.nanoTime() - begin >= 2 * SILENCE_MS * 1_000_000L);
      proxy.heal();
      assertEquals(3, echoed(client, 3));
    }
  }

  @Test
  void forgottenConnectionsStaySilentAndNewOnesPass() throws IOException {
    try (Socket old = connect()) {
      assertEquals(1, echoed(old, 1));
      proxy.forget();
      old.setSoTimeout(SILENCE_MS);
      assertThrows(SocketTimeoutException.class, () -> echoed(old, 2));
      try (Socket fresh = connect()) {
        assertEquals(3, echoed(fresh, 3));
      }
      proxy.heal();
      assertThrows(SocketTimeoutException.class, () -> echoed(old, 4));
    }
  }

  @Test
  void stallHoldsBytesBackUntilHealed() throws IOException {
    try (Socket client = connect()) {
      assertEquals(1, echoed(client, 1));
      proxy.stall();
      client.setSoTimeout(SILENCE_MS);
      assertThrows(SocketTimeoutException.class, () -> echoed(client, 2));
      try (Socket late = connect()) {
        late.setSoTimeout(SILENCE_MS);
        assertThrows(SocketTimeoutException.class, () -> echoed(late, 3));
        proxy.heal();
        late.setSoTimeout(0);
        assertEquals(3, late.getInputStream().read());
      }
      client.setSoTimeout(0);
      assertEquals(2, client.getInputStream().read());
    }
  }

  @Test
  void aTargetThatIsDownLooksLikeABrokenConnection() throws Exception {
    echo.close();
    echoing.join(); // until then the kernel goes on taking connections
    try (Socket client = connect()) {
      assertThrows(IOException.class, () -> echoed(client, 1));
    }
  }

  @Test
  void closedIsForGood() throws IOException {
    proxy.close();
    proxy.close();
    assertThrows(IllegalStateException.class, proxy::heal);
    assertThrows(IOException.class, this::connect);
  }

  private Socket connect() throws IOException {
    return new Socket(proxy.host(), proxy.port());
  }

  private static int echoed(Socket client, int value) throws IOException {
    client.getOutputStream().write(value);
    int answer = client.getInputStream().read();
    if (answer < 0) {
      throw new IOException("closed");
    }
    return answer;
  }

  private void echoForEver() {
    try {
      while (true) {
        Socket client = echo.accept();
        Thread thread = new Thread(() -> echo(client), "echo-connection");
        thread.setDaemon(true);
        thread.start();
      }
    } catch (IOException closed) {
      // The test is over.
    }
  }

  private static void echo(Socket client) {
    try (client) {
      client.getInputStream().transferTo(client.getOutputStream());
    } catch (IOException broken) {
      // The proxy cut it.
    }
  }
}
