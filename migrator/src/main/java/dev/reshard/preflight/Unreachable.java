package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import java.net.UnknownHostException;
import java.sql.SQLException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Why a shard gives us no session, and what to do about it. Immutable.
 *
 * @param where host and port
 * @param loginIsRefused whether it is the password
 */
public record Unreachable(
    ShardId shard, String where, String what, String todo, boolean loginIsRefused) {

  /** Where people said who we are, and where shards are. */
  public record Hints(String login, String addresses) {
    /** As every command is told, save the one that drafts the file. */
    public static Hints inFile(String file) {
      return new Hints("login in " + file, "the addresses under shards in " + file);
    }
  }

  private static final Pattern HOST = Pattern.compile("//(?:[^/@]*@)?([^/?]+)");
  private static final String NO_DATABASE = "3D000";

  /** The password is wrong, or none was given. */
  private static final String REFUSED_LOGIN = "28P01";

  /**
   * Explains an error of opening a session.
   *
   * @return empty if the error is another: the shard answers
   */
  public static Optional<Unreachable> of(ShardAddress address, Hints hints, SQLException e) {
    String state = Optional.ofNullable(e.getSQLState()).orElse("");
    Unreachable unreachable = explain(address, hints, state, e);
    boolean isSession =
        state.startsWith("28")
            || state.startsWith("08")
            || state.equals(NO_DATABASE)
            || state.equals(ShardSessions.POOLED);
    return isSession ? Optional.of(unreachable) : Optional.empty();
  }

  /** Whatever the error is: nothing of the shard can be looked at. */
  static Unreachable whatever(ShardAddress address, Hints hints, SQLException e) {
    return explain(address, hints, Optional.ofNullable(e.getSQLState()).orElse(""), e);
  }

  Finding finding() {
    return Finding.blocker(what).at(shard).detail("(" + where + ")").todo(todo);
  }

  private static Unreachable explain(
      ShardAddress address, Hints hints, String state, SQLException e) {
    String what = "cannot be reached: " + reason(e);
    String todo = "nothing else of it was looked at";
    boolean loginIsRefused = state.equals(REFUSED_LOGIN) || isNoPassword(state, e);
    if (loginIsRefused) {
      what = "the password of user \"%s\" is refused".formatted(address.user());
      todo = "see " + hints.login + "; a role that is not there looks the same";
    } else if (state.equals(ShardSessions.POOLED)) {
      todo = "give the server's own address under shards";
    } else if (state.startsWith("28")) {
      todo =
          "is the role there ('reshard check --grants' prints its SQL), is login right, does pg_hba.conf let it in from here?";
    } else if (unknownHost(e)) {
      what = "cannot be reached: there is no such host";
      todo = "see " + hints.addresses;
    } else if (state.startsWith("08")) {
      todo = "see " + hints.addresses + ", whether the server is up, the network and the firewall";
    } else if (state.equals(NO_DATABASE)) {
      todo = "see " + hints.addresses;
    }
    return new Unreachable(address.id(), where(address.url()), what, todo, loginIsRefused);
  }

  /** The driver says so itself, before it asks the server. */
  private static boolean isNoPassword(String state, SQLException e) {
    return state.startsWith("08") && String.valueOf(e.getMessage()).contains("no password was");
  }

  private static boolean unknownHost(Throwable e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnknownHostException) {
        return true;
      }
    }
    return false;
  }

  private static String reason(SQLException e) {
    return Clause.of(e.getMessage());
  }

  /** Host and port of a JDBC URL, without anything that could be a secret. */
  static String where(String url) {
    Matcher host = HOST.matcher(url);
    return host.find() ? host.group(1) : "no address";
  }

  /** {@code a (host:5432): the password of user "reshard" is refused; see login in shop.yaml}. */
  @Override
  public String toString() {
    return "%s (%s): %s; %s".formatted(shard, where, what, todo);
  }
}
