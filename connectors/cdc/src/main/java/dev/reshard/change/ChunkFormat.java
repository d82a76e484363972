package dev.reshard.change;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;

/** The schema of a record in a change topic and the ten bytes each begins with. Stateless. */
final class ChunkFormat {
  static final Schema SCHEMA = read();

  /** Avro's single-object encoding: C3 01 and the schema's fingerprint, lowest byte first. */
  private static final byte[] HEADER = header();

  static final int HEADER_BYTES = 10;

  /** Branches of the union that a value is. */
  static final int VALUE_NULL = 0;

  static final int VALUE_TEXT = 1;
  static final int VALUE_UNCHANGED = 2;

  private static final Schema KIND =
      SCHEMA.getField("rows").schema().getElementType().getField("kind").schema();

  private static final List<RowChange.Kind> KINDS =
      KIND.getEnumSymbols().stream().map(RowChange.Kind::valueOf).toList();

  private ChunkFormat() {}

  static int numberOf(RowChange.Kind kind) {
    return KIND.getEnumOrdinal(kind.name());
  }

  static RowChange.Kind kind(int number) {
    return KINDS.get(number);
  }

  static byte[] copyOfHeader() {
    return HEADER.clone();
  }

  static boolean hasHeader(byte[] record) {
    return record.length > HEADER_BYTES
        && Arrays.equals(record, 0, HEADER_BYTES, HEADER, 0, HEADER_BYTES);
  }

  private static Schema read() {
    try (InputStream in = ChunkFormat.class.getResourceAsStream("Chunk.avsc")) {
      return new Schema.Parser().parse(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] header() {
    byte[] header = new byte[HEADER_BYTES];
    header[0] = (byte) 0xC3;
    header[1] = 1;
    long fingerprint = SchemaNormalization.parsingFingerprint64(SCHEMA);
    for (int i = 0; i < 8; i++) {
      header[2 + i] = (byte) (fingerprint >>> (8 * i));
    }
    return header;
  }
}
