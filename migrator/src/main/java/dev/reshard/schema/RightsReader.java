package dev.reshard.schema;

import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads who may do what with objects, and what is said about them. Stateless. */
final class RightsReader {
  private RightsReader() {}

  /**
   * Gives each object its rights.
   *
   * @param drafts by what they stand for in the catalog
   */
  static void readRights(Connection connection, Map<String, ObjectDraft> drafts)
      throws SQLException {
    Map<String, Collected> targets = new LinkedHashMap<>();
    CatalogQuery.of("rights.sql")
        .read(
            connection,
            row -> {
              ObjectDraft draft = drafts.get(row.getString("ref"));
              targets
                  .computeIfAbsent(row.getString("target"), target -> new Collected(target, draft))
                  .add(row);
            },
            drafts.keySet(),
            drafts.keySet());
    targets.values().forEach(Collected::finish);
  }

  private static final class Collected {
    private final String target;
    private final ObjectDraft draft;
    private final List<String> grants = new ArrayList<>();
    private boolean custom;

    Collected(String target, ObjectDraft draft) {
      this.target = target;
      this.draft = draft;
    }

    void add(ResultSet row) throws SQLException {
      custom |= row.getBoolean("custom");
      String privileges = row.getString("privileges");
      if (privileges == null) {
        return;
      }
      boolean own = target.endsWith(" " + draft.name);
      String column = row.getString("col");
      String where =
          (column.isEmpty() ? "" : " to column " + column) + (own ? "" : " on " + target);
      String role = row.getString("grantee");
      if (row.getBoolean("revoked")) {
        grants.add("REVOKE %s ON %s FROM %s".formatted(privileges, target, TableId.quote(role)));
        draft.facet("taken from its owner" + where, privileges);
        return;
      }
      boolean everybody = row.getBoolean("public");
      boolean passedOn = row.getBoolean("is_grantable");
      grants.add(
          "GRANT %s ON %s TO %s%s"
              .formatted(
                  privileges,
                  target,
                  everybody ? "PUBLIC" : TableId.quote(role),
                  passedOn ? " WITH GRANT OPTION" : ""));
      if (!everybody) {
        draft.need(SchemaObject.identity(ObjectKind.ROLE, role));
      }
      if (row.getBoolean("ours")) {
        return; // no difference: 'check --grants' sees to our own rights on every shard
      }
      draft.facet(
          "%s of %s%s"
              .formatted(
                  passedOn ? "rights to pass on" : "rights",
                  everybody ? "PUBLIC" : "role " + role,
                  where),
          privileges);
    }

    void finish() {
      draft.rights(new Rights(target, custom, grants));
    }
  }

  /** Adds the comments on each object and its columns. */
  static void readComments(Connection connection, Map<String, ObjectDraft> drafts)
      throws SQLException {
    CatalogQuery.of("comments.sql")
        .read(
            connection,
            row -> {
              String ref = row.getString("ref");
              ObjectDraft draft = drafts.get(ref);
              String column = row.getString("col");
              if (column != null) {
                comment(draft, "COLUMN " + draft.name + "." + column, " on column " + column, row);
              } else if (ref.equals(draft.refs.get(0))) {
                comment(draft, draft.identity(), "", row);
              }
            },
            drafts.keySet());
  }

  private static void comment(ObjectDraft draft, String target, String where, ResultSet row)
      throws SQLException {
    String text = row.getString("description");
    draft.statement("COMMENT ON %s IS %s".formatted(target, literal(text)));
    draft.facet("comment" + where, text);
  }

  /** Our sessions have {@code standard_conforming_strings} on. */
  private static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
