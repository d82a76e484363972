/**
 * How fast the product is, measured beside what else a user could run.
 *
 * <p>In: how many rows, and two servers, its own ones or given ones. Out: one JSON object for each
 * measurement ({@link dev.reshard.bench.BenchResult}). Promised: it is the product that is
 * measured, its worker and its commands on a migration file as operators have it; times are read
 * from its transition log and ledger, or from rows at the destination, never from inside. On given
 * servers everything lies in databases and roles of its own, which are removed again.
 */
package dev.reshard.bench;
