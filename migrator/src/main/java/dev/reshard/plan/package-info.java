/**
 * Which buckets move: the fewest that reach the target.
 *
 * <p>In: today's map and the target of the spec. Out: a {@link dev.reshard.plan.Plan}. Promised:
 * pure and deterministic; a balanced map to itself moves nothing.
 */
package dev.reshard.plan;
