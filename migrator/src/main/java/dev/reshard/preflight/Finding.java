package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.Optional;

/**
 * What a check found. Immutable. Two findings that say the same of other places are shown as one,
 * so what differs from table to table stands in {@code detail}.
 *
 * @param check who found it: {@link Check#name}
 * @param shard where, if it is about one shard
 * @param table of which table, if it is about one
 * @param detail which index, trigger, column .. of the table or shard, or how many rows; may be
 *     empty
 * @param what what is so
 * @param todo what to do about it
 * @param sql statements that do it, for {@code --fixes}; empty if somebody has to decide first
 */
public record Finding(
    Severity severity,
    String check,
    Optional<ShardId> shard,
    Optional<TableId> table,
    String detail,
    String what,
    String todo,
    String sql) {

  /** Whether a migration may start. */
  public enum Severity {
    /** It may, but somebody should know. */
    NOTE,
    /** It may not. */
    BLOCKER
  }

  private Finding(Severity severity, String what) {
    this(severity, "", Optional.empty(), Optional.empty(), "", what, "", "");
  }

  public static Finding note(String what) {
    return new Finding(Severity.NOTE, what);
  }

  public static Finding blocker(String what) {
    return new Finding(Severity.BLOCKER, what);
  }

  public boolean blocks() {
    return severity == Severity.BLOCKER;
  }

  Finding by(String name) {
    return new Finding(severity, name, shard, table, detail, what, todo, sql);
  }

  public Finding at(ShardId where) {
    return new Finding(severity, check, Optional.of(where), table, detail, what, todo, sql);
  }

  public Finding on(TableId whose) {
    return new Finding(severity, check, shard, Optional.of(whose), detail, what, todo, sql);
  }

  public Finding detail(String which) {
    return new Finding(severity, check, shard, table, which, what, todo, sql);
  }

  public Finding todo(String step) {
    return new Finding(severity, check, shard, table, detail, what, step, sql);
  }

  public Finding sql(String statements) {
    return new Finding(severity, check, shard, table, detail, what, todo, statements);
  }
}
