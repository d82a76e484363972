/**
 * Real servers for tests and the demo: PostgreSQL shards and one Kafka broker, started in seconds.
 *
 * <p>In: how many shards and which extra settings. Out: running servers ({@link
 * dev.reshard.sandbox.SandboxPostgres}, {@link dev.reshard.sandbox.SandboxKafka}), databases with
 * the roles Reshard is meant to run under ({@link dev.reshard.sandbox.SandboxShard}), a proxy that
 * can cut a connection, and the judge that compares tables row by row.
 *
 * <p>Promised: commits are as durable and as slow as on a server of one's own (fsync is on), the
 * role {@code reshard} has the documented rights and no others, servers can be killed and come back
 * on the same port with the same data, and after a normal exit the temporary directory keeps
 * PostgreSQL's unpacked programs and nothing else; after a kill, the next start clears up.
 *
 * <p>Tests that share servers begin at {@link dev.reshard.sandbox.SharedSandbox}, the demo and
 * benchmarks at {@link dev.reshard.sandbox.Sandbox}. Which engine runs the servers is {@link
 * dev.reshard.sandbox.SandboxEngine}'s choice. Depends on nothing else of Reshard.
 */
package dev.reshard.sandbox;
