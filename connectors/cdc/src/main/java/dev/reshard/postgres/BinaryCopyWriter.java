package dev.reshard.postgres;

import dev.reshard.keyspace.TableId;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Loads rows of a {@link BinaryCopyReader} into a table with one {@code COPY .. FROM STDIN (FORMAT
 * binary)}. Confined to one thread; the caller's transaction decides whether they stay.
 */
public final class BinaryCopyWriter implements AutoCloseable {
  /** Large enough that the cost of a message does not show. */
  private static final int BUFFER_BYTES = 128 * 1024;

  private static final byte[] HEADER =
      "PGCOPY\n\u00ff\r\n\0\0\0\0\0\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);

  private static final byte[] TRAILER = {(byte) 0xff, (byte) 0xff};

  private final CopyIn copy;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int used;

  private BinaryCopyWriter(CopyIn copy) throws SQLException {
    this.copy = copy;
    row(HEADER, 0, HEADER.length);
  }

  /** Begins to load the named columns, in the order in which the rows carry them. */
  public static BinaryCopyWriter open(Connection connection, TableId table, List<Column> columns)
      throws SQLException {
    return new BinaryCopyWriter(
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn(
                "COPY %s (%s) FROM STDIN (FORMAT binary)"
                    .formatted(
                        table.quoted(),
                        columns.stream().map(Column::quoted).collect(Collectors.joining(", ")))));
  }

  /** Adds one row: its number of fields, then length and bytes of each. */
  void row(byte[] bytes, int offset, int length) throws SQLException {
    if (length > buffer.length - used) {
      flush();
      if (length > buffer.length) {
        copy.writeToCopy(bytes, offset, length);
        return;
      }
    }
    System.arraycopy(bytes, offset, buffer, used, length);
    used += length;
  }

  /**
   * Ends the load.
   *
   * @return how many rows the server took
   */
  public long finish() throws SQLException {
    row(TRAILER, 0, TRAILER.length);
    flush();
    return copy.endCopy();
  }

  /** Gives the load up if it was not finished; the transaction has then failed. */
  @Override
  public void close() throws SQLException {
    if (copy.isActive()) {
      copy.cancelCopy();
    }
  }

  private void flush() throws SQLException {
    copy.writeToCopy(buffer, 0, used);
    used = 0;
  }
}
