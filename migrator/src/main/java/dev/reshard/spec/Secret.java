package dev.reshard.spec;

/** A value that is never printed, logged or stored. Immutable. */
public record Secret(String value) {
  @Override
  public String toString() {
    return "***";
  }
}
