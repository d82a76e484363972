package dev.reshard.apply;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Statements of one connection, kept prepared. Confined to the lane's thread. */
final class Statements {
  private final Connection connection;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();

  Statements(Connection connection) {
    this.connection = connection;
  }

  /** A statement whose parameters are to be set, in order. */
  Bound prepare(String sql) throws SQLException {
    PreparedStatement statement = prepared.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      prepared.put(sql, statement);
    }
    return new Bound(statement);
  }

  /** Sets parameters from the first on. */
  final class Bound {
    private final PreparedStatement statement;
    private int next = 1;

    private Bound(PreparedStatement statement) {
      this.statement = statement;
    }

    /** One text of each row. */
    <T> Bound array(List<T> rows, Function<T, String> column) throws SQLException {
      String[] texts = new String[rows.size()];
      for (int i = 0; i < texts.length; i++) {
        texts[i] = column.apply(rows.get(i));
      }
      return array(texts);
    }

    /** The texts at these places of each row: an array for each place. */
    Bound arrays(List<String[]> rows, int count) throws SQLException {
      for (int i = 0; i < count; i++) {
        int place = i;
        array(rows, row -> row[place]);
      }
      return this;
    }

    Bound array(String[] texts) throws SQLException {
      statement.setArray(next++, connection.createArrayOf("text", texts));
      return this;
    }

    Bound text(String value) throws SQLException {
      statement.setString(next++, value);
      return this;
    }

    /** How many rows it wrote. */
    int execute() throws SQLException {
      return statement.executeUpdate();
    }
  }
}
