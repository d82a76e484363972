package dev.reshard.preflight;

/** A text that goes on: what a server or a gate says, as a part of our sentence. Pure. */
public final class Clause {
  private Clause() {}

  /** Without the full stop at its end; "null" if there is none. */
  public static String of(String sentence) {
    return String.valueOf(sentence).replaceFirst("\\.$", "");
  }
}
