package dev.reshard.preflight;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/**
 * The smallest pooler in transaction mode: one server session, lent to a client for a transaction.
 * Its first client logs in at the server itself; later ones are taken at their word. Thread-safe.
 */
final class TransactionPooler implements AutoCloseable {
  private static final int SSL_REQUEST = 80877103;

  private final String host;
  private final int port;
  private final boolean namesTheServersProcess;
  private final ServerSocket listener;
  private final Set<Socket> clients = ConcurrentHashMap.newKeySet();
  private final Semaphore serverIsFree = new Semaphore(1);
  private final List<Message> greeting = new ArrayList<>();
  private Socket server;

  private TransactionPooler(String host, int port, boolean namesTheServersProcess)
      throws IOException {
    this.host = host;
    this.port = port;
    this.namesTheServersProcess = namesTheServersProcess;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  }

  /**
   * @param namesTheServersProcess whether clients are told which process serves them, as PgBouncer
   *     does not
   */
  static TransactionPooler start(String host, int port, boolean namesTheServersProcess)
      throws IOException {
    TransactionPooler pooler = new TransactionPooler(host, port, namesTheServersProcess);
    new Thread(pooler::accept, "pooler").start();
    return pooler;
  }

  int port() {
    return listener.getLocalPort();
  }

  private static final class Message {
    private final int type;
    private final byte[] body;

    Message(int type, byte[] body) {
      this.type = type;
      this.body = body;
    }

    static Message read(DataInputStream in) throws IOException {
      int type = in.readUnsignedByte();
      return new Message(type, in.readNBytes(in.readInt() - 4));
    }

    void write(DataOutputStream out) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      DataOutputStream message = new DataOutputStream(bytes);
      message.writeByte(type);
      message.writeInt(body.length + 4);
      message.write(body);
      out.write(bytes.toByteArray());
      out.flush();
    }

    /** Whether the client has to say something now: SASL, and its second step. */
    boolean asks() {
      return type == 'R' && (body[3] == 10 || body[3] == 11);
    }
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        clients.add(client);
        new Thread(() -> serve(client), "pooler's client").start();
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      DataInputStream in = new DataInputStream(client.getInputStream());
      DataOutputStream out = new DataOutputStream(client.getOutputStream());
      login(startup(in, out), in, out);
      boolean lent = false;
      try {
        for (Message request = Message.read(in); request.type != 'X'; request = Message.read(in)) {
          if (!lent) {
            serverIsFree.acquire();
            lent = true;
          }
          request.write(toServer());
          if (request.type == 'Q' || request.type == 'S') {
            Message answer = Message.read(fromServer());
            for (; answer.type != 'Z'; answer = Message.read(fromServer())) {
              answer.write(out);
            }
            answer.write(out);
            if (answer.body[0] == 'I') {
              lent = false;
              serverIsFree.release();
            }
          }
        }
      } finally {
        if (lent) {
          serverIsFree.release();
        }
      }
    } catch (IOException e) {
      clients.remove(client); // it went away
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static byte[] startup(DataInputStream in, DataOutputStream out) throws IOException {
    byte[] body = in.readNBytes(in.readInt() - 4);
    if (new DataInputStream(new ByteArrayInputStream(body)).readInt() == SSL_REQUEST) {
      out.write('N');
      return startup(in, out);
    }
    return body;
  }

  private synchronized void login(byte[] startup, DataInputStream in, DataOutputStream out)
      throws IOException {
    if (server != null) {
      new Message('R', new byte[4]).write(out);
      for (Message message : greeting) {
        message.write(out);
      }
      return;
    }
    server = new Socket(host, port);
    toServer().writeInt(startup.length + 4);
    toServer().write(startup);
    Message answer;
    do {
      answer = Message.read(fromServer());
      if (answer.type == 'K' && !namesTheServersProcess) {
        answer = new Message('K', new byte[8]);
      }
      answer.write(out);
      if (answer.asks()) {
        Message.read(in).write(toServer());
      } else if (answer.type != 'R') {
        greeting.add(answer);
      }
    } while (answer.type != 'Z');
  }

  private DataInputStream fromServer() throws IOException {
    return new DataInputStream(server.getInputStream());
  }

  private DataOutputStream toServer() throws IOException {
    return new DataOutputStream(server.getOutputStream());
  }

  @Override
  public synchronized void close() throws IOException {
    listener.close();
    for (Socket client : clients) {
      client.close();
    }
    if (server != null) {
      server.close();
    }
  }
}
