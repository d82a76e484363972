package dev.reshard.apply;

import static dev.reshard.apply.HandMade.row;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.apply.LaneException.Problem;
import dev.reshard.apply.LaneFilter.Fate;
import dev.reshard.change.RowChange;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** HAZARDS F33: what may be merged, and what is a step of its own. */
class CoalescerTest {
  private static final String U = RowChange.UNCHANGED;
  private static final Source KEYED =
      Source.of("t", List.of("tenant_id", "id", "a", "b"), List.of("tenant_id", "id"), "tenant_id");
  private static final Source KEYLESS =
      Source.of("t", List.of("tenant_id", "a"), List.of("tenant_id", "a"), "tenant_id");

  private final Coalescer coalescer = coalescer(KEYED, List.of());

  private static Coalescer coalescer(Source source, List<String> identifying) {
    RowKey key = RowKey.of(source.table(), identifying);
    BitSet neverSet = new BitSet();
    for (int place : key.places()) {
      neverSet.set(place);
    }
    return new Coalescer(source.table(), key, neverSet, 1000, 1 << 20);
  }

  private void insert(String... values) {
    coalescer.add(Fate.INSERT, KEYED.insert(values));
  }

  private void update(String... values) {
    coalescer.add(Fate.UPDATE, KEYED.update(values, values));
  }

  private void delete(String tenant, String id) {
    coalescer.add(Fate.DELETE, KEYED.delete(tenant, id, null, null));
  }

  private Step.Net net() {
    List<Step> steps = coalescer.steps();
    assertEquals(1, steps.size());
    return assertInstanceOf(Step.Net.class, steps.get(0));
  }

  @Test
  void anInsertAndItsUpdatesAreOneInsert() {
    insert("1", "1", "x", "y");
    update("1", "1", "z", U);
    Step.Net net = net();
    assertArrayEquals(row("1", "1", "z", "y"), net.inserts().get(0));
    assertTrue(net.updates().isEmpty() && net.deletes().isEmpty());
  }

  @Test
  void anInsertAndItsDeleteAreNothing() {
    insert("1", "1", "x", "y");
    delete("1", "1");
    Step.Net net = net();
    assertTrue(net.inserts().isEmpty() && net.updates().isEmpty() && net.deletes().isEmpty());
  }

  @Test
  void mergedUpdatesKeepTheEarlierValueWhereTheLaterOneIsUnchanged() {
    update("1", "1", U, "b1");
    update("1", "1", "a2", U);
    Step.Net net = net();
    BitSet both = new BitSet();
    both.set(2, 4);
    assertArrayEquals(row("1", "1", "a2", "b1"), net.updates().get(both).get(0).values());
    assertEquals(1, net.updates().size());
  }

  @Test
  void updatesOfDifferentShapesAreDifferentStatements() {
    update("1", "1", U, "b1");
    update("1", "2", "a1", U);
    update("1", "3", U, "b3");
    assertEquals(2, net().updates().size());
  }

  @Test
  void anUpdateAndADeleteAreADelete() {
    update("1", "1", "x", "y");
    delete("1", "1");
    Step.Net net = net();
    assertEquals(1, net.deletes().size());
    assertTrue(net.updates().isEmpty());
  }

  @Test
  void aDeleteAndAnInsertAreBoth() {
    delete("1", "1");
    insert("1", "1", "new", null);
    update("1", "1", "newer", null);
    Step.Net net = net();
    assertEquals(1, net.deletes().size());
    assertArrayEquals(row("1", "1", "newer", null), net.inserts().get(0));
  }

  @Test
  void aKeyChangeIsAStepOfItsOwnInItsPlace() {
    update("1", "1", "x", "y");
    coalescer.add(Fate.UPDATE, KEYED.update(row("1", "1", null, null), "2", "1", "x", U));
    update("2", "1", "z", "y");
    List<Step> steps = coalescer.steps();
    assertEquals(3, steps.size());
    assertInstanceOf(Step.KeyChange.class, steps.get(1));
  }

  @Test
  void aTruncateIsAStepOfItsOwnInItsPlace() {
    insert("1", "1", "x", "y");
    coalescer.add(Fate.TRUNCATE, KEYED.truncate());
    insert("1", "1", "x", "y");
    List<Step> steps = coalescer.steps();
    assertEquals(3, steps.size());
    assertInstanceOf(Step.Clear.class, steps.get(1));
  }

  @Test
  void changesThatContradictEachOtherAreRefused() {
    insert("1", "1", "x", "y");
    assertEquals(
        Problem.INCONSISTENT,
        assertThrows(LaneException.class, () -> insert("1", "1", "x", "y")).problem());
    delete("3", "1");
    assertThrows(LaneException.class, () -> delete("3", "1"));
    assertThrows(LaneException.class, () -> update("3", "1", "x", "y"));
  }

  @Test
  void stepsHoldNoMoreRowsThanTheLimit() {
    RowKey key = RowKey.of(KEYED.table(), List.of());
    Coalescer small = new Coalescer(KEYED.table(), key, new BitSet(), 2, 1 << 20);
    for (int i = 0; i < 5; i++) {
      small.add(Fate.INSERT, KEYED.insert("1", "" + i, "x", "y"));
    }
    assertEquals(3, small.steps().size());
  }

  @Test
  void withoutAKeyInsertsAreCollectedAndTheRestIsDoneOneByOne() {
    Coalescer keyless = coalescer(KEYLESS, List.of());
    keyless.add(Fate.INSERT, KEYLESS.insert("1", "x"));
    keyless.add(Fate.INSERT, KEYLESS.insert("1", "x"));
    keyless.add(Fate.DELETE, KEYLESS.delete("1", "x"));
    keyless.add(Fate.UPDATE, KEYLESS.update(row("1", "x"), "1", U));
    List<Step> steps = keyless.steps();
    assertEquals(3, steps.size());
    assertEquals(2, assertInstanceOf(Step.Net.class, steps.get(0)).inserts().size());
    assertInstanceOf(Step.RemoveOne.class, steps.get(1));
    assertArrayEquals(row("1", "x"), assertInstanceOf(Step.ChangeOne.class, steps.get(2)).values());
  }

  @Test
  void wholeOldRowsAreToldApartByThePrimaryKeyWhereThereIsOne() {
    Source full =
        Source.of(
            "t", List.of("id", "a", "tenant_id"), List.of("id", "a", "tenant_id"), "tenant_id");
    Coalescer keyed = coalescer(full, List.of("id", "tenant_id"));
    keyed.add(Fate.UPDATE, full.update(row("7", "x", "1"), "7", "y", "1"));
    keyed.add(Fate.DELETE, full.delete("7", "y", "1"));
    List<Step> steps = keyed.steps();
    assertEquals(1, steps.size());
    Step.Net net = assertInstanceOf(Step.Net.class, steps.get(0));
    assertArrayEquals(row("7", "1"), net.deletes().get(0));
  }
}
