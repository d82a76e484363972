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
 * STDIN}. Confined to one thread, which leaves the connection alone until it has finished or closed
 * the writer; the caller's transaction decides whether the rows stay.
 */
public final class CopyWriter implements AutoCloseable {
  private static final byte[] HEADER =
      "PGCOPY\n\u00ff\r\n\0\0\0\0\0\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);

  private static final byte[] TRAILER = {(byte) 0xff, (byte) 0xff};

  private final CopyIn copy;
  private final CopyFormat format;
  private final CopySender sender;
  private byte[] buffer;
  private int used;

  private CopyWriter(CopyIn copy, CopyFormat format, Batches batches) throws SQLException {
    this.copy = copy;
    this.format = format;
    this.sender = new CopySender(copy, batches.ahead(), batches.bytes());
    this.buffer = sender.room();
    if (format == CopyFormat.BINARY) {
      row(HEADER, 0, HEADER.length);
    }
  }

  /**
   * How rows are gathered. Immutable.
   *
   * @param bytes how much is sent at a time
   * @param ahead how many of that may wait to be sent, while more is gathered
   */
  public record Batches(int bytes, int ahead) {
    public static final Batches DEFAULT = new Batches(512 << 10, 3);

    public Batches {
      if (bytes < 1 || ahead < 1) {
        throw new IllegalArgumentException("bytes and ahead must be >= 1");
      }
    }
  }

  /** Begins to load the named columns, in the order in which the rows carry them. */
  public static CopyWriter open(
      Connection connection,
      TableId table,
      List<Column> columns,
      CopyFormat format,
      Batches batches)
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
        batches);
  }

  /** Adds one row, in the writer's format. */
  void row(byte[] bytes, int offset, int length) throws SQLException {
    if (length > buffer.length - used) {
      flush();
      if (length > buffer.length) {
        sender.drain(); // as it is: a large row is not copied first
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
    sender.drain();
    sender.end();
    copy.writeToCopy(buffer, 0, used);
    return copy.endCopy();
  }

  /** Gives the load up if it was not finished; the transaction has then failed. */
  @Override
  public void close() throws SQLException {
    sender.end();
    if (copy.isActive()) {
      copy.cancelCopy();
    }
  }

  private void flush() throws SQLException {
    sender.send(buffer, used);
    buffer = sender.room();
    used = 0;
  }
}
