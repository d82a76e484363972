package dev.reshard.demo;

import java.util.Optional;

/**
 * One row before and after a transaction, as the shard answered it. Immutable.
 *
 * @param before empty: the transaction inserted it
 * @param after empty: the transaction deleted it
 */
record Change(RowKey key, Optional<RowState> before, Optional<RowState> after) {}
