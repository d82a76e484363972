package dev.reshard.schema;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What we may do at a destination. Immutable.
 *
 * @param us our role's name
 * @param become the roles we may become
 * @param creators for each schema the roles that may create in it
 * @param makesSchemas whether we may create schemas
 * @param unasked for a kind of objects and the role that makes one ({@code TABLE app_owner}), who
 *     gets rights on it by ALTER DEFAULT PRIVILEGES
 */
record Place(
    String us,
    Set<String> become,
    Map<String, Set<String>> creators,
    boolean makesSchemas,
    Map<String, Set<String>> unasked) {

  /** From 16 on a member may be denied to become the role. */
  private static final String ROLES =
      "SELECT rolname, NULL FROM pg_roles WHERE pg_has_role(current_user, oid, '%s')";

  private static final String CREATORS =
      """
      SELECT quote_ident(n.nspname), r.rolname FROM pg_namespace n CROSS JOIN pg_roles r
       WHERE n.nspname !~ '^pg_' AND has_schema_privilege(r.oid, n.oid, 'CREATE')""";

  private static final String UNASKED =
      """
      SELECT CASE d.defaclobjtype WHEN 'r' THEN 'TABLE' WHEN 'S' THEN 'SEQUENCE' WHEN 'T' THEN 'TYPE'
               WHEN 'n' THEN 'SCHEMA' ELSE 'FUNCTION' END || ' ' || pg_get_userbyid(d.defaclrole),
             CASE WHEN x.grantee NOT IN (0, d.defaclrole) THEN pg_get_userbyid(x.grantee) END
        FROM pg_default_acl d LEFT JOIN LATERAL aclexplode(d.defaclacl) x ON true""";

  private static final String OURSELVES =
      "SELECT current_user, has_database_privilege(current_database(), 'CREATE')::text";

  static Place read(Connection connection) throws SQLException {
    boolean mayBeDenied = connection.getMetaData().getDatabaseMajorVersion() >= 16;
    Map<String, Set<String>> ourselves = pairs(connection, OURSELVES);
    String us = ourselves.keySet().iterator().next();
    return new Place(
        us,
        pairs(connection, ROLES.formatted(mayBeDenied ? "SET" : "MEMBER")).keySet(),
        pairs(connection, CREATORS),
        ourselves.get(us).contains("true"),
        pairs(connection, UNASKED));
  }

  private static Map<String, Set<String>> pairs(Connection connection, String sql)
      throws SQLException {
    Map<String, Set<String>> pairs = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(sql);
        ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        Set<String> values = pairs.computeIfAbsent(row.getString(1), key -> new TreeSet<>());
        if (row.getString(2) != null) {
          values.add(row.getString(2));
        }
      }
    }
    return pairs;
  }

  /**
   * Why we cannot make an object there, and what to do; empty if we can.
   *
   * @param destination what is there
   */
  String obstacle(SchemaObject object, Schema destination) {
    if (object.kind().isGiven()) {
      return switch (object.kind()) {
        case ROLE -> "roles are not made by us; CREATE ROLE it there";
        case EXTENSION -> "extensions are not made by us; CREATE EXTENSION it there";
        default -> "it is not made by us; make it there yourself";
      };
    }
    if (!object.obstacle().isEmpty()) {
      return object.obstacle();
    }
    if (!become.contains(object.owner())) {
      return "it belongs to role %s, which %s may not become there; GRANT that, or make it there yourself"
          .formatted(object.owner(), us);
    }
    if (object.kind() == ObjectKind.SCHEMA && !makesSchemas) {
      return "%s may not create schemas there; GRANT CREATE ON DATABASE".formatted(us);
    }
    for (String need : object.needs()) {
      if (!object.isPart() && need.startsWith("SCHEMA ") && destination.has(need)) {
        String schema = need.substring("SCHEMA ".length());
        if (!creators.getOrDefault(schema, Set.of()).contains(object.owner())) {
          return "role %s may not create there; GRANT CREATE ON %s TO %s"
              .formatted(object.owner(), need, object.owner());
        }
      }
    }
    return clash(object, destination);
  }

  private static String clash(SchemaObject object, Schema destination) {
    if (object.kind().isRelation()) {
      for (SchemaObject there : destination.objects().values()) {
        if (there.kind().isRelation() && there.name().equals(object.name())) {
          return "there it is a " + there.kind().word().toLowerCase(Locale.ROOT);
        }
      }
    }
    return "";
  }

  /**
   * Those who get rights on what a role makes, though nobody grants them; empty if nothing is set.
   *
   * @param target in the words of GRANT: {@code TABLE public.orders}
   */
  Optional<Set<String>> unasked(String target, String owner) {
    String kind = target.substring(0, target.indexOf(' ')).replace("PROCEDURE", "FUNCTION");
    return Optional.ofNullable(unasked.get(kind + " " + owner));
  }
}
