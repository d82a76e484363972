package dev.reshard.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * Rows as the server sends them for {@code COPY (SELECT bucket, ...) TO STDOUT}, whose first column
 * is an {@code int4} that only says where the row goes. Nothing else of a row is looked at: its
 * other columns are handed on as they came, ready for a {@link CopyWriter}. Confined to one thread.
 *
 * <p>A server sends each row as one message (PostgreSQL manual, "Message Formats", CopyData), the
 * first one of a binary copy behind the file header, so no field needs to be walked to find a row's
 * end.
 */
public final class CopyReader implements AutoCloseable {
  /** Stands for SQL's NULL in the first column. */
  public static final int NO_BUCKET = -1;

  /** Signature of 11 bytes, flags and the length of an extension (manual, COPY). */
  private static final int HEADER_BYTES = 19;

  private static final int END = 0xffff;

  private final CopyOut copy;
  private final CopyFormat format;
  private byte[] message;
  private int offset;
  private int bucket;
  private boolean header;

  private CopyReader(CopyOut copy, CopyFormat format) {
    this.copy = copy;
    this.format = format;
    this.header = format == CopyFormat.BINARY;
  }

  /**
   * @param select a query whose first column is of type {@code int4}
   */
  public static CopyReader open(Connection connection, String select, CopyFormat format)
      throws SQLException {
    return new CopyReader(
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyOut("COPY (%s) TO STDOUT %s".formatted(select, format.option())),
        format);
  }

  /** Goes to the next row; false behind the last one. */
  public boolean next() throws SQLException {
    message = null; // a large row is not kept while the next one comes
    message = copy.readFromCopy();
    if (message == null) {
      return false;
    }
    offset = 0;
    return switch (format) {
      case BINARY -> binaryRow();
      case TEXT -> textRow();
    };
  }

  private boolean binaryRow() throws SQLException {
    if (header) {
      header = false;
      offset = HEADER_BYTES + int4(HEADER_BYTES - 4);
      if (offset == message.length) {
        return next();
      }
    }
    int fields = (message[offset] & 0xff) << 8 | (message[offset + 1] & 0xff);
    if (fields == END) {
      return next();
    }
    int size = int4(offset + 2);
    bucket = size == 4 ? int4(offset + 6) : NO_BUCKET;
    offset += 4 + Math.max(size, 0);
    message[offset] = (byte) ((fields - 1) >>> 8);
    message[offset + 1] = (byte) (fields - 1);
    return true;
  }

  private boolean textRow() {
    bucket = message[0] == '\\' ? NO_BUCKET : 0;
    for (; message[offset] != '\t'; offset++) {
      bucket = bucket == NO_BUCKET ? NO_BUCKET : bucket * 10 + message[offset] - '0';
    }
    offset++;
    return true;
  }

  /** The row's first column, or {@link #NO_BUCKET}. */
  public int bucket() {
    return bucket;
  }

  /** How many bytes the row's other columns have. */
  public int length() {
    return message.length - offset;
  }

  /** Adds the row, without its first column, to what another table gets. */
  public void writeTo(CopyWriter writer) throws SQLException {
    writer.row(message, offset, message.length - offset);
  }

  /** Ends the query if it has not ended; the transaction has then failed. */
  @Override
  public void close() throws SQLException {
    if (copy.isActive()) {
      copy.cancelCopy();
    }
  }

  private int int4(int at) {
    return (message[at] & 0xff) << 24
        | (message[at + 1] & 0xff) << 16
        | (message[at + 2] & 0xff) << 8
        | (message[at + 3] & 0xff);
  }
}
