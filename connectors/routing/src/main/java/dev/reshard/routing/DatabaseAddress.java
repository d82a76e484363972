package dev.reshard.routing;

/**
 * Where a database is and who the application is there. Immutable. Never printed with its password.
 *
 * @param url a JDBC URL of PostgreSQL
 */
public record DatabaseAddress(String url, String user, String password) {

  /** Without the password, and without anything that the URL carries behind its question mark. */
  @Override
  public String toString() {
    return "%s as %s".formatted(url.replaceFirst("\\?.*", ""), user);
  }
}
