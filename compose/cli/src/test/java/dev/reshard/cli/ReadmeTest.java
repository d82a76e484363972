package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.spec.Spec;
import dev.reshard.spec.SpecReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeTest {
  @TempDir private Path folder;

  @Test
  void theFileThatItShowsIsAWholeMigrationFile() throws Exception {
    String readme = Files.readString(root().resolve("README.md"));
    int from = readme.indexOf("```yaml\n") + "```yaml\n".length();
    String yaml = readme.substring(from, readme.indexOf("```", from));
    Path file = folder.resolve("migration.yaml");
    Files.writeString(file, yaml.replace("${env:RESHARD_PASSWORD}", "secret"));
    Spec spec = SpecReader.read(file);
    assertEquals(2, spec.from().size());
    assertEquals(3, spec.shards().size());
  }

  @Test
  void theThrottleThatItShowsFitsIntoThatFile() throws Exception {
    String[] parts = Files.readString(root().resolve("README.md")).split("```yaml\n", 3);
    Path file = folder.resolve("migration.yaml");
    Files.writeString(
        file,
        (parts[1].split("```", 2)[0] + parts[2].split("```", 2)[0])
            .replace("${env:RESHARD_PASSWORD}", "secret"));
    Spec spec = SpecReader.read(file);
    assertEquals(2, spec.throttle().rates().size());
    assertEquals(50L << 30, spec.budget().wal().orElseThrow());
  }

  /** Tests run in the project's folder or in a module's. */
  private static Path root() throws IOException {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("README.md"))) {
      folder = folder.getParent();
    }
    return folder;
  }
}
