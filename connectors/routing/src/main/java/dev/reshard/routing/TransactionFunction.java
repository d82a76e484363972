package dev.reshard.routing;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * What an application does in one transaction on one shard.
 *
 * <p>It is called again from its beginning, with another connection, when the shard says that a
 * bucket is closing or has moved. So it must have no effect but on that connection, must not commit
 * or roll back by itself, and need not catch {@code RS001}: a savepoint does not help, as the next
 * try may be on another shard.
 */
@FunctionalInterface
public interface TransactionFunction<T> {
  /**
   * @param connection in a transaction; not to be kept, committed or closed
   */
  T run(Connection connection) throws SQLException;
}
