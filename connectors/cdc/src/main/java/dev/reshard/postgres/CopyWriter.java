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
 * Loads rows of a {@link CopyReader} of the same format into a table with one {@code COPY .. FROM
 * STDIN}. Confined to one thread; the caller's transaction decides whether they stay.
 */
public final class CopyWriter implements AutoCloseable {
  private static final byte[] HEADER =
      "PGCOPY\n\u00ff\r\n\0\0\0\0\0\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);

  private static final byte[] TRAILER = {(byte) 0xff, (byte) 0xff};

  private final CopyIn copy;
  private final CopyFormat format;
  private final byte[] buffer;
  private int used;

  private CopyWriter(CopyIn copy, CopyFormat format, int batchBytes) throws SQLException {
    this.copy = copy;
    this.buffer = new byte[batchBytes];
    this.format = format;
    if (format == CopyFormat.BINARY) {
      row(HEADER, 0, HEADER.length);
    }
  }

  /**
   * Begins to load the named columns, in the order in which the rows carry them.
   *
   * @param batchBytes how much is gathered before it is sent
   */
  public static CopyWriter open(
      Connection connection, TableId table, List<Column> columns, CopyFormat format, int batchBytes)
      throws SQLException {
    return new CopyWriter(
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn(
                "COPY %s (%s) FROM STDIN %s"
                    .formatted(
                        table.quoted(),
                        columns.stream().map(Column::quoted).collect(Collectors.joining(", ")),
                        format.option())),
        format,
        batchBytes);
  }

  /** Adds one row, in the writer's format. */
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
    if (format == CopyFormat.BINARY) {
      row(TRAILER, 0, TRAILER.length);
    }
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
