package dev.reshard.guard;

import dev.reshard.keyspace.TableId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/** A table's lock could not be had in time; nothing was changed on it. Names who holds it. */
public final class TableBusyException extends SQLException {
  private static final long serialVersionUID = 1;

  private final transient List<Writer> holders;

  TableBusyException(TableId table, Duration waited, List<Writer> holders, SQLException last) {
    super(
        ("no lock on %s within %d s, nothing was changed on it. In the way: %s. Let them end, or end "
                + "them with pg_terminate_backend(pid) or ROLLBACK PREPARED, then try again")
            .formatted(table, waited.toSeconds(), holders.isEmpty() ? "nobody any more" : holders),
        "55P03",
        last);
    this.holders = List.copyOf(holders);
  }

  /** Whose locks were in the way at the last look. */
  public List<Writer> holders() {
    return holders;
  }
}
