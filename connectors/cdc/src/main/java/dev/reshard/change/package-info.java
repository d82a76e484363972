/**
 * One shard's changes on their way through Kafka: whole transactions in commit order, values as
 * PostgreSQL's own text.
 *
 * <p>In: decoded changes from capture. Out: {@link dev.reshard.change.Transaction}s for lanes.
 * Promised: a reader gets complete transactions of the newest incarnation only, each once, in
 * commit order; a torn, repeated or zombie transaction is told apart, and a hole stops the reader
 * by name (HAZARDS F23).
 *
 * <p>The topic holds one kind of record, the chunk ({@code Chunk.avsc}, Avro single-object
 * encoding), so DDL never changes its schema. A chunk says of which transaction it is by the
 * <em>start</em> of the commit record, not by its end: PostgreSQL tells the start before the first
 * row and the end after the last one, and a large transaction must leave before it was read to its
 * end. Only the last chunk carries the end, and every comparison of positions uses that (F19).
 *
 * <p>The writing half is {@link dev.reshard.change.TransactionEncoder} and {@link
 * dev.reshard.change.ChangeWriter}, the reading half {@link dev.reshard.change.ChangeReader}.
 */
package dev.reshard.change;
