/**
 * Two shards become three while clients keep writing, and a judge that believes nobody.
 *
 * <p>In: how many rows, clients and transactions per second. Out: the data ({@link
 * dev.reshard.demo.DemoLoad}), clients that write through the router ({@link
 * dev.reshard.demo.DemoClients}), and what became of all they were told is committed ({@link
 * dev.reshard.demo.DemoChecker}). Promised: the checker asks every shard, row by row, and uses
 * neither the router nor the shard map nor anything else of Reshard.
 */
package dev.reshard.demo;
