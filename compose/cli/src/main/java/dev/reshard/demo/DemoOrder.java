package dev.reshard.demo;

/**
 * An order that a client may change. Immutable.
 *
 * @param lines its items have the numbers 1 to {@code lines}
 */
record DemoOrder(long id, long tenant, int lines) {}
