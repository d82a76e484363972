/**
 * Brings one shard's committed changes of moving buckets to its change topic.
 *
 * <p>In: a replication slot and a publication that exist, the buckets that move. Out: records of
 * {@link dev.reshard.change}. Promised: every committed change to a moving bucket reaches the
 * topic, whole transactions, in commit order, at least once; a transaction of our own lanes never
 * does.
 *
 * <p>Debezium's embedded engine keeps threads, errors and the life cycle; this package replaces
 * what it does between the socket and the record. {@link dev.reshard.capture.ShardConnector} and
 * its task hand the engine our own {@code ReplicationConnection}, whose stream decodes pgoutput and
 * gives the engine ready chunks, each as one logical decoding message. So values stay PostgreSQL's
 * text (Debezium's typed values lose some), and a chunk of hundreds of rows costs what one row
 * would. Debezium's offsets are not used at all: streaming always goes on at the slot's own
 * confirmed position, and that moves only behind what Kafka has acknowledged.
 *
 * <p>The hook is a protected method of a pinned version of Debezium; {@code DebeziumHookTest} fails
 * when it changes.
 */
package dev.reshard.capture;
