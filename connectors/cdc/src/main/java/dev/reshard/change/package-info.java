/**
 * One shard's changes on their way through Kafka: whole transactions in commit order, values as
 * PostgreSQL's own text.
 *
 * <p>In: decoded changes from capture. Out: {@link dev.reshard.change.Transaction}s for lanes.
 * Promised: a reader gets complete transactions of the newest incarnation only, each once or more,
 * in commit order; a torn, repeated or zombie transaction is told apart, and a hole stops the
 * reader by name (HAZARDS F23).
 */
package dev.reshard.change;
