package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.File;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Processes of their own, with a temporary directory of their own, because one must die. */
class LeftBehindIT {
  @Test
  void serversOfAKilledProcessAreRemovedByTheNextOne(@TempDir Path tmp) throws Exception {
    int orphan = runSandbox(tmp, "halt");
    new Socket(InetAddress.getLoopbackAddress(), orphan).close();
    runSandbox(tmp, "close");
    assertThrows(
        ConnectException.class, () -> new Socket(InetAddress.getLoopbackAddress(), orphan).close());
    assertEquals(List.of(), runDirectories(tmp));
  }

  /** As at Ctrl-C or SIGTERM, which end a process by the same hooks. */
  @Test
  void serversOfAProcessThatIsToldToEndAreStoppedByIt(@TempDir Path tmp) throws Exception {
    int port = runSandbox(tmp, "exit");
    assertThrows(
        ConnectException.class, () -> new Socket(InetAddress.getLoopbackAddress(), port).close());
    assertEquals(List.of(), runDirectories(tmp));
  }

  private static List<Path> runDirectories(Path tmp) throws IOException {
    try (Stream<Path> entries = Files.walk(tmp, 2)) {
      return entries.filter(entry -> entry.getFileName().toString().startsWith("run-")).toList();
    }
  }

  /** The port of the server that the process started. */
  private static int runSandbox(Path tmp, String end) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Djava.io.tmpdir=" + tmp);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(LeftBehindIT.class.getName(), end));
    File output = tmp.resolve("output").toFile();
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
    process.waitFor();
    String printed = Files.readString(output.toPath());
    return printed
        .lines()
        .filter(line -> line.startsWith("port "))
        .map(line -> Integer.parseInt(line.substring("port ".length())))
        .findFirst()
        .orElseThrow(() -> new AssertionError(printed));
  }

  /** Starts a server and ends as told; {@code halt} runs no hook, as SIGKILL would. */
  public static void main(String[] args) {
    if (args[0].equals("exit")) {
      Sandbox sandbox = Sandbox.start(Sandbox.Options.shards(1).withoutKafka());
      System.out.println("port " + sandbox.shard("a").server().port());
      System.exit(0);
    }
    SandboxPostgres server = SandboxPostgres.start();
    System.out.println("port " + server.port());
    System.out.flush();
    if (args[0].equals("halt")) {
      Runtime.getRuntime().halt(0);
    }
    server.close();
  }
}
