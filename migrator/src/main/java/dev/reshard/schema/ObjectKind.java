package dev.reshard.schema;

import java.util.Locale;

/** The kinds of things a schema is made of, in the order in which they are made. */
enum ObjectKind {
  /** Never made by us. */
  ROLE,
  /** Never made by us. */
  EXTENSION,
  /**
   * Whatever else something needs: an operator, a collation, an ignored table. Never made by us.
   */
  OTHER,
  SCHEMA,
  TYPE,
  DOMAIN,
  /** Before tables: one with an array of the domain would not let it be made. */
  DOMAIN_CONSTRAINT,
  SEQUENCE,
  FUNCTION,
  PROCEDURE,
  TABLE,
  DEFAULTS,
  CONSTRAINT,
  INDEX,
  VIEW,
  MATERIALIZED_VIEW,
  FOREIGN_KEY,
  OWNED_BY,
  STATISTICS,
  REPLICA_IDENTITY,
  RULE,
  TRIGGER,
  POLICY;

  /** The word for it in SQL. */
  String word() {
    return switch (this) {
      case OTHER -> "";
      case DOMAIN_CONSTRAINT, FOREIGN_KEY -> CONSTRAINT.name();
      default -> name().replace('_', ' ');
    };
  }

  /** {@code "constraint a_check ON public.a"}: for people. */
  String describe(String name) {
    String word =
        switch (this) {
          case OTHER -> "";
          case DEFAULTS -> "defaults of ";
          case OWNED_BY -> "owner column of sequence ";
          case REPLICA_IDENTITY -> "replica identity of ";
          default -> name().toLowerCase(Locale.ROOT).replace('_', ' ') + " ";
        };
    return word + name;
  }

  /** Whether an operator makes it, and we only look whether it is there. */
  boolean isGiven() {
    return this == ROLE || this == EXTENSION || this == OTHER;
  }

  /** Whether it shares its name space with tables. */
  boolean isRelation() {
    return this == TABLE || this == VIEW || this == MATERIALIZED_VIEW || this == SEQUENCE;
  }
}
