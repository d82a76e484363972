package dev.reshard.sandbox;

/**
 * The roles of every sandbox server, as {@code roles.sql} creates them. A fourth, {@value #OWNER},
 * owns the tables and cannot log in.
 */
public enum SandboxRole {
  /** Sets the scene. Reshard never connects as this one. */
  SUPERUSER("postgres"),
  /** The application: reads and writes rows of the owner's tables, owns nothing. */
  APP("app"),
  /** Reshard itself, with exactly the rights its documentation asks for. */
  RESHARD("reshard");

  /** Owns the tables; a session becomes it by {@code SET ROLE}. */
  public static final String OWNER = "app_owner";

  private final String user;

  SandboxRole(String user) {
    this.user = user;
  }

  public String user() {
    return user;
  }

  /** Not a secret: the servers listen on loopback and live as long as a test. */
  public String password() {
    return user + "-password";
  }
}
