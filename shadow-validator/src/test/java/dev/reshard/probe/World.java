package dev.reshard.probe;

import dev.reshard.postgres.Lsn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A source, a lane and a destination in memory, driven by one seed: values that come and go and
 * come back, a lane that stops for long, commits that are in the WAL (and may be applied) before
 * their own server shows them, as with a synchronous standby.
 */
final class World {
  private static final int KEYS = 3;

  /** A row's value and what tells its version; a null digest: no row. */
  record Row(String digest, String version) {
    static final Row NONE = new Row(null, null);
  }

  private record Commit(int key, Row row, long end, long number) {}

  private final Random random;
  private final Map<Integer, Row> source = new HashMap<>();
  private final Map<Integer, Row> destination = new HashMap<>();
  private final List<Commit> wal = new ArrayList<>();
  private final List<Commit> invisible = new ArrayList<>();
  private int appliedCommits;
  private long applied;
  private long inserted = 100;
  private long versions;
  private long nextTransaction = 700;
  private long laneStopsFor;
  private boolean damaged;

  World(long seed) {
    random = new Random(seed);
  }

  static int keys() {
    return KEYS;
  }

  /** Some things happen, or nothing. */
  void pass() {
    for (int i = random.nextInt(12); i > 0; i--) {
      switch (random.nextInt(4)) {
        case 0 -> commit(random.nextInt(KEYS));
        case 1 -> show(random.nextInt(3) == 0);
        default -> apply();
      }
    }
  }

  /** Key 0 is not written any more, all that runs ends, and the lane applies everything. */
  void settle() {
    show(true);
    laneStopsFor = 0;
    inserted += 10;
    while (appliedCommits < wal.size()) {
      apply();
    }
    applied = inserted;
  }

  /** From now on the destination's row 0 is another than the source's; nobody writes it again. */
  void damage(Row wrong) {
    settle();
    damaged = true;
    destination.put(0, wrong);
  }

  Row sourceRow(int key) {
    return source.getOrDefault(key, Row.NONE);
  }

  Row freshRow(String digest) {
    return new Row(digest, "v" + versions++);
  }

  private void commit(int key) {
    boolean isBeingWritten = invisible.stream().anyMatch(commit -> commit.key == key);
    if (isBeingWritten || (damaged && key == 0)) {
      return; // the second writer of a row waits until the first has ended
    }
    boolean there = source.containsKey(key);
    Row row =
        there && random.nextInt(3) == 0 ? Row.NONE : freshRow("xy".charAt(random.nextInt(2)) + "");
    inserted += 1 + random.nextInt(5);
    Commit commit = new Commit(key, row, inserted, nextTransaction++);
    wal.add(commit);
    invisible.add(commit);
    inserted += random.nextInt(3);
  }

  private void show(boolean all) {
    for (Iterator<Commit> each = invisible.iterator(); each.hasNext(); ) {
      Commit commit = each.next();
      if (all || random.nextBoolean()) {
        put(source, commit.key, commit.row);
        each.remove();
      }
    }
  }

  private void apply() {
    if (laneStopsFor > 0) {
      laneStopsFor--;
    } else if (random.nextInt(100) == 0) {
      laneStopsFor = random.nextInt(60);
    } else if (appliedCommits < wal.size()) {
      Commit commit = wal.get(appliedCommits++);
      put(
          destination,
          commit.key,
          commit.row.digest == null ? Row.NONE : freshRow(commit.row.digest));
      applied = commit.end;
    } else {
      applied = inserted; // a heartbeat
    }
  }

  private static void put(Map<Integer, Row> rows, int key, Row row) {
    if (row.digest == null) {
      rows.remove(key);
    } else {
      rows.put(key, row);
    }
  }

  SourceLook lookAtSource(int key) {
    Row row = sourceRow(key);
    long oldest = oldestRunning();
    pass();
    return new SourceLook(row.digest, row.version, new Lsn(inserted), oldest, 1);
  }

  DestinationLook lookAtDestination(int key) {
    Row row = destination.getOrDefault(key, Row.NONE);
    return new DestinationLook(row.digest, row.version, new Lsn(applied), 1);
  }

  long oldestRunning() {
    return invisible.stream().mapToLong(Commit::number).min().orElse(nextTransaction);
  }

  long nextTransaction() {
    return nextTransaction;
  }

  Lsn applied() {
    return new Lsn(applied);
  }
}
