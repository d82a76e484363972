package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whether the columns that the file leaves out can be left out: rows are told apart without them,
 * nothing that is compared is made of them, and every shard that has one takes a row without it.
 * Immutable.
 */
final class IgnoredColumns implements Check {
  private static final String COLUMNS =
      """
      SELECT w.t_schema, w.t_name, w.col,
             a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
               AND NOT coalesce((SELECT t.typdefault IS NOT NULL FROM pg_type t WHERE t.oid = a.atttypid), false),
             EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion)
                        AND a.attnum = ANY (i.indkey::int2[])),
             (SELECT g.attname FROM pg_attrdef d
                JOIN pg_attribute g ON g.attrelid = d.adrelid AND g.attnum = d.adnum AND g.attgenerated <> ''
                JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                 AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid
               WHERE d.adrelid = c.oid AND p.refobjsubid = a.attnum AND g.attnum <> a.attnum LIMIT 1)
        FROM unnest(?, ?, ?) AS w(t_schema, t_name, col)
        JOIN pg_namespace n ON n.nspname = w.t_schema
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t_name AND c.relkind IN ('r', 'p')
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = w.col AND a.attnum > 0 AND NOT a.attisdropped
       ORDER BY 1, 2, 3""";

  private final Subject subject;

  IgnoredColumns(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "ignored columns";
  }

  private record There(ShardId shard, TableId table, String column, List<Finding> problems) {}

  @Override
  public List<Finding> look() throws InterruptedException {
    List<There> there = new ArrayList<>();
    if (subject.keyspace().ignored().isEmpty()) {
      return List.of();
    }
    CheckSessions.Answers<List<There>> answers = subject.sessions().ask(subject.shards(), this::on);
    answers.values().values().forEach(there::addAll);
    List<Finding> findings = new ArrayList<>(answers.failures());
    there.forEach(found -> findings.addAll(found.problems));
    for (Map.Entry<TableId, Set<String>> table : subject.keyspace().ignored().entrySet()) {
      if (!subject.tableIds().contains(table.getKey())) {
        continue; // which is a finding already
      }
      table.getValue().stream()
          .filter(
              column ->
                  there.stream()
                      .noneMatch(t -> t.table.equals(table.getKey()) && t.column.equals(column)))
          .forEach(
              column ->
                  findings.add(
                      Finding.blocker(
                              "keyspace.tables.ignored_columns names column %s, which no shard has"
                                  .formatted(column))
                          .on(table.getKey())
                          .todo("correct the name, or take it out of ignored_columns")));
      findings.addAll(unknowable(table.getKey()));
    }
    return findings;
  }

  /** Twins could not be told apart, though the application can. */
  private List<Finding> unknowable(TableId id) {
    List<Finding> findings = new ArrayList<>();
    for (ShardId shard : subject.shards()) {
      subject
          .table(shard, id)
          .filter(table -> !table.isKeyed() && table.primaryKey().isEmpty())
          .map(Table::id)
          .ifPresent(
              table ->
                  findings.add(
                      Finding.blocker(
                              "has no key, so that its rows are told apart by all their columns: none can be ignored")
                          .at(shard)
                          .on(table)
                          .todo("give it a primary key, or take it out of ignored_columns")));
    }
    return findings;
  }

  private List<There> on(CheckSession session) throws SQLException {
    List<String> schemas = new ArrayList<>();
    List<String> tables = new ArrayList<>();
    List<String> columns = new ArrayList<>();
    subject
        .keyspace()
        .ignored()
        .forEach(
            (table, names) ->
                names.forEach(
                    name -> {
                      schemas.add(table.schema());
                      tables.add(table.name());
                      columns.add(name);
                    }));
    return session.query(
        COLUMNS,
        row -> {
          TableId table = new TableId(row.getString(1), row.getString(2));
          String column = row.getString(3);
          List<Finding> problems = new ArrayList<>();
          if (row.getBoolean(4)) {
            problems.add(
                Finding.blocker(
                        "ignored column %s is NOT NULL without a default, so that no row can come without it"
                            .formatted(column))
                    .todo("give it a default there, or DROP NOT NULL"));
          }
          if (row.getBoolean(5)) {
            problems.add(
                Finding.blocker(
                        "ignored column %s belongs to a unique key, so that rows are told apart by it"
                            .formatted(column))
                    .todo("take it out of ignored_columns"));
          }
          String made = row.getString(6);
          if (made != null && !subject.keyspace().ignoredOf(table).contains(made)) {
            problems.add(
                Finding.blocker(
                        "generated column %s is made of ignored column %s".formatted(made, column))
                    .todo("ignore neither, or both"));
          }
          return new There(
              session.shard(),
              table,
              column,
              problems.stream().map(f -> f.at(session.shard()).on(table)).toList());
        },
        session.texts(schemas),
        session.texts(tables),
        session.texts(columns));
  }
}
