package dev.reshard.finish;

import java.util.ArrayList;
import java.util.List;

/**
 * How a migration is to be ended. Immutable.
 *
 * @param keepSource leave the rows of moved buckets where they were; the guards keep writes out
 * @param dropFences take the sealed guards away too: then nothing but routing keeps a late writer
 *     from the old owner
 */
public record CleanUpOptions(boolean keepSource, boolean dropFences) {
  private static final String KEEP_SOURCE = "keep-source";
  private static final String DROP_FENCES = "drop-fences";

  /** From the words that {@link #text} makes. */
  static CleanUpOptions parse(String text) {
    List<String> words = List.of(text.split(" "));
    return new CleanUpOptions(words.contains(KEEP_SOURCE), words.contains(DROP_FENCES));
  }

  /** As it is asked for and stored. */
  public String text() {
    List<String> words = new ArrayList<>();
    if (keepSource) {
      words.add(KEEP_SOURCE);
    }
    if (dropFences) {
      words.add(DROP_FENCES);
    }
    return String.join(" ", words);
  }
}
