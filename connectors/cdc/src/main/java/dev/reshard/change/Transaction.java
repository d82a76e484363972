package dev.reshard.change;

import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import java.time.Instant;
import java.util.List;

/**
 * A committed transaction as capture published it: the changes of rows in moving buckets and of
 * reference tables, in order. Immutable.
 *
 * @param incarnation which start of capture sent it; only the newest one counts
 * @param server whose WAL its positions are of
 * @param end the end of its commit record
 * @param previous the end of the transaction before it in this incarnation; for the first one the
 *     slot's confirmed position: a reader that has not come that far has missed something
 * @param committed when, by the source's clock
 * @param changes of a transaction too large for memory they are read again from Kafka at each
 *     iteration: go through them in order, on the reader's thread, before the reader is closed
 * @param tokens contents of the fence messages in it, mostly none
 * @param offset of its last record in the topic
 * @param bytes that its records take there: about as many as its rows do as text
 */
public record Transaction(
    long incarnation,
    ServerIdentity server,
    Lsn end,
    Lsn previous,
    Instant committed,
    List<RowChange> changes,
    List<String> tokens,
    long offset,
    long bytes) {}
