package dev.reshard.demo;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.Locale;

/**
 * Lines with the time since the start and what they are about; in a terminal also a line that
 * moves. Thread-safe.
 */
final class DemoScreen {
  private static final int LABEL = 18;

  /** Longer texts go on in the next line. */
  private static final int WIDTH = 110;

  private static final String GOES_ON = "      ";

  private final PrintWriter out;

  /** The launcher looks: a JVM from 22 on cannot tell by its console. */
  private final boolean terminal = Boolean.getBoolean("reshard.terminal");

  private final long startNanos = System.nanoTime();
  private boolean moving;
  private boolean ended;

  DemoScreen(PrintWriter out) {
    this.out = out;
  }

  boolean isTerminal() {
    return terminal;
  }

  /** A line after which nothing is shown any more. */
  synchronized void last(String line) {
    plain(line);
    ended = true;
  }

  synchronized boolean isEnded() {
    return ended;
  }

  synchronized void plain(String line) {
    if (ended) {
      return;
    }
    endMoving();
    out.println(line);
  }

  /** A line that stays. */
  synchronized void line(String label, String text) {
    if (ended) {
      return;
    }
    endMoving();
    String rest = text;
    String head = label;
    while (rest.length() > WIDTH && rest.lastIndexOf(' ', WIDTH) > GOES_ON.length()) {
      int end = rest.lastIndexOf(' ', WIDTH);
      out.println(compose(head, rest.substring(0, end)));
      rest = GOES_ON + rest.substring(end + 1);
      head = "";
    }
    out.println(compose(head, rest).stripTrailing());
  }

  /** A line that the next one replaces; without a terminal it is left out. */
  synchronized void moving(String label, String text) {
    if (terminal && !ended) {
      out.print("\r\u001b[K" + compose(label, text));
      out.flush();
      moving = true;
    }
  }

  private void endMoving() {
    if (moving) {
      out.print("\r\u001b[K");
      moving = false;
    }
  }

  private String compose(String label, String text) {
    long seconds = (System.nanoTime() - startNanos) / 1_000_000_000;
    return String.format(
        Locale.ROOT, "%2d:%02d  %-" + LABEL + "s %s", seconds / 60, seconds % 60, label, text);
  }

  /** Where a command of the product prints: its first line gets its name, the others none. */
  PrintWriter command(String label) {
    return new PrintWriter(
        new Writer() {
          private final StringBuilder pending = new StringBuilder();
          private boolean labelled;

          @Override
          public void write(char[] text, int from, int length) {
            pending.append(text, from, length);
          }

          @Override
          public void flush() {
            int end = pending.indexOf("\n");
            while (end >= 0) {
              line(labelled ? "" : label, pending.substring(0, end).stripTrailing());
              labelled = true;
              pending.delete(0, end + 1);
              end = pending.indexOf("\n");
            }
          }

          @Override
          public void close() {
            flush();
          }
        },
        true);
  }
}
