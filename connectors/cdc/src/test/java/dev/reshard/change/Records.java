package dev.reshard.change;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Records of a change topic as capture would make them: one incarnation of a shard. */
final class Records {
  static final ServerIdentity SERVER = new ServerIdentity("7300000000000000001", 1);
  static final Instant COMMITTED = Instant.parse("2030-01-02T03:04:05.678901Z");
  static final ChangedTable ORDERS =
      new ChangedTable(
          new TableId("public", "orders"), List.of("id", "customer", "note"), List.of(0, 1));

  private final List<byte[]> records = new ArrayList<>();
  private final TransactionEncoder encoder;

  Records(long incarnation, long confirmed) {
    this(SERVER, incarnation, confirmed);
  }

  Records(ServerIdentity server, long incarnation, long confirmed) {
    this.encoder =
        new TransactionEncoder(
            server, incarnation, new Lsn(confirmed), (record, end) -> records.add(record));
  }

  /** The records of a transaction that inserts one row for each note. */
  List<byte[]> inserts(long end, String... notes) {
    encoder.begin(new Lsn(end - 1), COMMITTED);
    for (int i = 0; i < notes.length; i++) {
      encoder.row(
          ORDERS,
          RowChange.Kind.INSERT,
          RowChange.NO_BUCKET,
          3,
          null,
          TextTuple.of(Integer.toString(i), "3", notes[i]));
    }
    encoder.commit(new Lsn(end));
    return taken();
  }

  /** As {@link #inserts}, of one record. */
  byte[] insert(long end) {
    return inserts(end, "note of " + end).get(0);
  }

  TransactionEncoder encoder() {
    return encoder;
  }

  /** What the encoder has made since the last call. */
  List<byte[]> taken() {
    List<byte[]> taken = List.copyOf(records);
    records.clear();
    return taken;
  }
}
