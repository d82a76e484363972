package dev.reshard.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.ExitCode;
import dev.reshard.cli.Main;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoCommandTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"no/such/folder/report.json", "."})
  void aReportThatCannotBeWrittenIsRefusedBeforeAnythingStarts(String report) {
    String path = folder.resolve(report).toString();
    StringWriter said = new StringWriter();
    long begin = System.nanoTime();
    assertEquals(ExitCode.USAGE.code(), demo(said, "--report", path));
    assertTrue(
        said.toString().startsWith("--report " + path + ": cannot be written ("), said::toString);
    assertTrue(said.toString().strip().endsWith("; nothing was started"), said::toString);
    assertFalse(said.toString().contains("shards become"), said::toString);
    assertTrue(Duration.ofNanos(System.nanoTime() - begin).toSeconds() < 10);
  }

  @Test
  void tryingThePathOfAReportLeavesItAsItWas() throws Exception {
    Path report = folder.resolve("report.json");
    DemoReport.tryPath(report);
    assertFalse(Files.exists(report));
    Files.writeString(report, "of yesterday");
    DemoReport.tryPath(report);
    assertEquals("of yesterday", Files.readString(report));
  }

  @Test
  void tooFewRowsAreRefused() {
    StringWriter said = new StringWriter();
    assertEquals(ExitCode.USAGE.code(), demo(said, "--rows", "19999"));
    assertTrue(said.toString().startsWith("--rows must be at least 20000"), said::toString);
  }

  private static int demo(StringWriter said, String... options) {
    PrintWriter out = new PrintWriter(said, true);
    String[] words = new String[options.length + 1];
    words[0] = "demo";
    System.arraycopy(options, 0, words, 1, options.length);
    return Main.commandLine(out).addSubcommand(new DemoCommand()).setErr(out).execute(words);
  }
}
