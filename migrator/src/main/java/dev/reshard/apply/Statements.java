package dev.reshard.apply;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Statements of one connection, kept prepared. Confined to the lane's thread. */
final class Statements {
  /** Many rows' texts of one column, as all statements have them. */
  private static final String MANY = "?::text[]";

  /** One row's text instead: it is sent as it is, not copied into an array first. */
  private static final String ONE = "ARRAY[?::text]";

  /** A longer text, in characters, is worth a statement of its own. */
  private static final int LONG_TEXT = 1 << 20;

  private final Connection connection;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();

  Statements(Connection connection) {
    this.connection = connection;
  }

  /** A statement whose parameters are to be set, in order. */
  Bound prepare(String sql) {
    return new Bound(sql);
  }

  private PreparedStatement statement(String sql) throws SQLException {
    PreparedStatement statement = prepared.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      prepared.put(sql, statement);
    }
    return statement;
  }

  /** Sets a parameter. */
  private interface Parameter {
    void set(PreparedStatement statement, int place) throws SQLException;
  }

  /** Takes parameters from the first on. */
  final class Bound {
    private final String sql;
    private final List<Parameter> many = new ArrayList<>();
    private final List<Parameter> one = new ArrayList<>();
    private boolean isLongRow;

    private Bound(String sql) {
      this.sql = sql;
    }

    /** One text of each row. */
    <T> Bound array(List<T> rows, Function<T, String> column) {
      String first = column.apply(rows.get(0));
      isLongRow |= rows.size() == 1 && first != null && first.length() > LONG_TEXT;
      many.add((statement, place) -> statement.setArray(place, sqlArray(texts(rows, column))));
      one.add((statement, place) -> statement.setString(place, first));
      return this;
    }

    /** The texts at these places of each row: an array for each place. */
    Bound arrays(List<String[]> rows, int count) {
      for (int i = 0; i < count; i++) {
        int place = i;
        array(rows, row -> row[place]);
      }
      return this;
    }

    Bound array(String[] texts) {
      return both((statement, place) -> statement.setArray(place, sqlArray(texts)));
    }

    Bound text(String value) {
      return both((statement, place) -> statement.setString(place, value));
    }

    /** How many rows it wrote. */
    int execute() throws SQLException {
      PreparedStatement statement = statement(isLongRow ? sql.replace(MANY, ONE) : sql);
      int place = 1;
      for (Parameter parameter : isLongRow ? one : many) {
        parameter.set(statement, place++);
      }
      try {
        return statement.executeUpdate();
      } finally {
        statement.clearParameters(); // it would keep the rows
      }
    }

    private Bound both(Parameter parameter) {
      many.add(parameter);
      one.add(parameter);
      return this;
    }

    private Array sqlArray(String[] texts) throws SQLException {
      return connection.createArrayOf("text", texts);
    }

    private static <T> String[] texts(List<T> rows, Function<T, String> column) {
      String[] texts = new String[rows.size()];
      for (int i = 0; i < texts.length; i++) {
        texts[i] = column.apply(rows.get(i));
      }
      return texts;
    }
  }
}
