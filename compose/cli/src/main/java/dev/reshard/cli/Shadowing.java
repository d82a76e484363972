package dev.reshard.cli;

import dev.reshard.apply.ChangedKeys;
import dev.reshard.keyspace.TableId;
import dev.reshard.migration.Gate;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Service;
import dev.reshard.postgres.Lsn;
import dev.reshard.probe.Prober;
import dev.reshard.shadow.RateGate;
import dev.reshard.shadow.ShadowService;
import dev.reshard.verify.RecentChanges;
import dev.reshard.verify.VerifyOperation;
import java.util.ArrayList;
import java.util.List;

/** The shadow validator's parts, and what lanes tell them. Thread-safe. */
final class Shadowing {
  private final Migration migration;
  private final Prober prober;
  private final ShadowService rates;
  private final RecentChanges recent = new RecentChanges();

  Shadowing(Migration migration) {
    this.migration = migration;
    this.prober = new Prober(migration);
    this.rates = new ShadowService(migration);
  }

  RecentChanges recentChanges() {
    return recent;
  }

  /** In the order to start them: the topics are the rates'. */
  List<Service> services() {
    return List.of(rates, prober);
  }

  List<Gate> gates() {
    List<Gate> gates =
        new ArrayList<>(
            List.of(VerifyOperation.gate(migration), VerifyOperation.fingerprintGate(migration)));
    if (rates.isWanted()) {
      gates.add(new RateGate(rates, migration, () -> VerifyOperation.keyedRows(migration)));
    }
    return gates;
  }

  /** Who learns what lanes change. */
  ChangedKeys listener() {
    return new ChangedKeys() {
      @Override
      public void changed(TableId table, List<String> columns, List<String> key, Lsn end) {
        recent.changed(table, columns, key);
        prober.changed(table, columns, key);
      }

      @Override
      public void truncated(TableId table, Lsn end) {
        // every row is gone on both sides: nothing is left to be read or compared again
      }
    };
  }
}
