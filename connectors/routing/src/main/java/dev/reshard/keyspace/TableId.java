package dev.reshard.keyspace;

/** A table's schema and name, as they stand in the catalog (not quoted). Immutable. */
public record TableId(String schema, String name) implements Comparable<TableId> {
  public TableId {
    if (schema.isEmpty() || name.isEmpty()) {
      throw new IllegalArgumentException("a table needs a schema and a name");
    }
  }

  /** The name to put into a statement: both parts quoted. */
  public String quoted() {
    return quote(schema) + "." + quote(name);
  }

  /** Quotes one identifier so that any name is safe in a statement. */
  public static String quote(String identifier) {
    return '"' + identifier.replace("\"", "\"\"") + '"';
  }

  @Override
  public int compareTo(TableId other) {
    int bySchema = schema.compareTo(other.schema);
    return bySchema != 0 ? bySchema : name.compareTo(other.name);
  }

  /** {@code schema.name}, for people. */
  @Override
  public String toString() {
    return schema + "." + name;
  }
}
