package dev.reshard.schema;

import dev.reshard.postgres.IgnoredColumns;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * A query of the catalog in a file beside this class. Immutable.
 *
 * <p>{@code ${ignored}} in it stands for {@link IgnoredColumns#TEST}.
 */
final class CatalogQuery {
  private static final String IGNORED = "${ignored}";

  private final String sql;

  private CatalogQuery(String sql) {
    this.sql = sql;
  }

  /** Takes one row. */
  interface RowReader {
    void read(ResultSet row) throws SQLException;
  }

  static CatalogQuery of(String file) {
    try (InputStream in = CatalogQuery.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + file);
      }
      String sql = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return new CatalogQuery(sql.replace(IGNORED, IgnoredColumns.TEST));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Runs it.
   *
   * @param lists a value for each of its parameters, which are arrays: of numbers or of text
   */
  void read(Connection connection, RowReader reader, Collection<?>... lists) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < lists.length; i++) {
        boolean numbers = lists[i].stream().allMatch(Long.class::isInstance) && !lists[i].isEmpty();
        statement.setArray(
            i + 1, connection.createArrayOf(numbers ? "int8" : "text", lists[i].toArray()));
      }
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          reader.read(row);
        }
      }
    }
  }

  /** A column of type {@code text[]}; an empty list if it is null. */
  static List<String> strings(ResultSet row, String column) throws SQLException {
    return row.getArray(column) == null
        ? List.of()
        : Arrays.asList((String[]) row.getArray(column).getArray());
  }
}
