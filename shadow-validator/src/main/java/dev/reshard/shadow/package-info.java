/**
 * Judges dual reads and counts them, with Kafka Streams.
 *
 * <p>In: the topic of shadow reads. Out: rates by table and destination, rows that differ, a gate
 * for cutovers. Promised: only a read that is settled is counted as a difference; what was counted
 * survives the process, as it is counted again from the topic.
 */
package dev.reshard.shadow;
