/**
 * Tells foreign programs what happened, through Kafka: events of a migration, the map of a
 * keyspace.
 *
 * <p>In: what the control database has stored. Out: JSON records in topics. Promised: all that is
 * stored is published at least once and in order, also when a worker dies in between or Kafka is
 * away for days; nothing ever waits for it, a cutover least of all.
 */
package dev.reshard.publish;
