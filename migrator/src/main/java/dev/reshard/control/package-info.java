/**
 * The durable state of a migration, in schema {@code reshard} of the control database: states,
 * units, bucket claims, the worker's lease, the cleanup registry, requests of operators.
 *
 * <p>In: what the worker decided and what operators ask. Out: what is true. Promised: every move is
 * stored, by compare-and-set and under the lease, before it is acted on; whatever is made outside
 * is registered before it is made; an illegal move is refused and changes nothing.
 */
package dev.reshard.control;
