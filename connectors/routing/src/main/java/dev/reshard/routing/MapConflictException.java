package dev.reshard.routing;

/** The stored map is not what the caller says it is; nothing was changed. */
public final class MapConflictException extends RuntimeException {
  MapConflictException(String message) {
    super(message);
  }
}
