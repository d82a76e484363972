/**
 * Brings an application's transactions to the shard that owns their rows, while owners change.
 *
 * <p>In: the shard map of the control database ({@link dev.reshard.routing.ShardMapStore}), and
 * what a shard's guard says when it refuses a write. Out: transactions that ran on the owner.
 * Promised: a transaction runs on one shard only, is repeated as a whole or not at all, and never
 * after an answer to COMMIT that was lost.
 *
 * <pre>{@code
 * try (ShardRouter router = ShardRouter.open(
 *     RouterConfig.of("shop", new HashBuckets(MODULO, 1024),
 *         new DatabaseAddress(controlUrl, "app", password),
 *         Map.of(new ShardId("a"), new DatabaseAddress(urlOfA, "app", password),
 *                new ShardId("b"), new DatabaseAddress(urlOfB, "app", password))))) {
 *   long id = router.write("4711", connection -> orders.insert(connection, 4711, order));
 *   List<Order> orders = router.read("4711", connection -> orders.of(connection, 4711));
 * }
 * }</pre>
 *
 * <p>The function may be called several times, each time in a new transaction on a new connection:
 * it must change nothing but that database, and must not commit.
 */
package dev.reshard.routing;
