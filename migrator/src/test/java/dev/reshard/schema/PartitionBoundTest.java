package dev.reshard.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.schema.PartitionBound.Kind;
import dev.reshard.schema.PartitionBound.Text;
import dev.reshard.schema.PartitionBound.Value;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PartitionBoundTest {
  private static final PartitionBound DEFAULT =
      new PartitionBound(Kind.DEFAULT, List.of(), List.of());

  @Test
  void aBoundIsReadAsTheServerWritesIt() {
    assertEquals(
        Optional.of(
            new Text(
                Kind.RANGE,
                List.of(new Value("it's, (a) 'b'", false), new Value("MINVALUE", true)),
                List.of(new Value("7", false), new Value("MAXVALUE", false)))),
        Text.of("FOR VALUES FROM ('it''s, (a) ''b''', MINVALUE) TO (7, 'MAXVALUE')"));
    assertEquals(
        Optional.of(
            new Text(
                Kind.LIST,
                List.of(
                    new Value("", false),
                    new Value("NULL", true),
                    new Value("101", false),
                    new Value("true", false)),
                List.of())),
        Text.of("FOR VALUES IN ('', NULL, B'101', true)"));
    assertEquals(
        Optional.of(
            new Text(Kind.HASH, List.of(new Value("4", false), new Value("3", false)), List.of())),
        Text.of("FOR VALUES WITH (modulus 4, remainder 3)"));
    assertEquals(Optional.of(new Text(Kind.DEFAULT, List.of(), List.of())), Text.of("DEFAULT"));
    for (String other : List.of("", "FOR VALUES FROM (1", "FOR VALUES FROM (1) TO (2)x")) {
      assertEquals(Optional.empty(), Text.of(other), other);
    }
    assertEquals(
        Set.of("1", "3"),
        Text.of("FOR VALUES FROM (MINVALUE, 1) TO (2, 3)").orElseThrow().valuesAt(1));
  }

  @Test
  void rangesThatOnlyTouchDoNotOverlap() {
    assertFalse(range(0, 10).overlaps(range(10, 20)));
    assertFalse(range(10, 20).overlaps(range(0, 10)));
    assertTrue(range(0, 10).overlaps(range(9, 20)));
    assertTrue(range(0, 10).overlaps(range(3, 4)));
    assertTrue(range(3, 4).overlaps(range(0, 10)));
  }

  @Test
  void aRangeIsCoveredByThoseThatLeaveNoHole() {
    assertTrue(range(0, 10).isCoveredBy(List.of(range(5, 12), range(-3, 5))));
    assertFalse(range(0, 10).isCoveredBy(List.of(range(6, 12), range(-3, 5))));
    assertFalse(range(0, 10).isCoveredBy(List.of(range(1, 12))));
    assertFalse(range(0, 10).isCoveredBy(List.of(range(0, 9))));
    assertTrue(range(0, 10).isCoveredBy(List.of(DEFAULT)));
    PartitionBound wide = new PartitionBound(Kind.RANGE, List.of(1, 5), List.of(2, 1));
    PartitionBound low =
        new PartitionBound(
            Kind.RANGE, List.of(1, Integer.MIN_VALUE), List.of(1, Integer.MAX_VALUE));
    assertTrue(wide.overlaps(low));
    assertFalse(wide.isCoveredBy(List.of(low)));
  }

  @Test
  void aListIsCoveredByThoseThatHaveAllItsValues() {
    assertTrue(list(1, 2).overlaps(list(2, 3)));
    assertFalse(list(1, 2).overlaps(list(3)));
    assertFalse(list(1, 2).isCoveredBy(List.of(list(2, 3))));
    assertTrue(list(1, 2).isCoveredBy(List.of(list(2, 3), list(1))));
  }

  @Test
  void aRemainderIsCoveredByItsPartsOrByAWholeOne() {
    assertTrue(hash(2, 1).overlaps(hash(4, 3)));
    assertFalse(hash(2, 1).overlaps(hash(4, 2)));
    assertFalse(hash(2, 1).isCoveredBy(List.of(hash(4, 3))));
    assertTrue(hash(2, 1).isCoveredBy(List.of(hash(4, 3), hash(4, 1))));
    assertTrue(hash(2, 1).isCoveredBy(List.of(hash(4, 3), hash(8, 1), hash(8, 5))));
    assertTrue(hash(4, 3).isCoveredBy(List.of(hash(2, 1))));
    assertFalse(hash(3, 0).isCoveredBy(List.of(hash(4, 0), hash(4, 3)))); // 6 of 12 is in neither
    assertTrue(hash(3, 0).isCoveredBy(List.of(hash(2, 0), hash(2, 1))));
  }

  @Test
  void onlyTheDefaultOverlapsTheDefault() {
    assertTrue(DEFAULT.overlaps(DEFAULT));
    assertFalse(DEFAULT.overlaps(range(0, 10)));
    assertFalse(range(0, 10).overlaps(DEFAULT));
    assertFalse(DEFAULT.isCoveredBy(List.of(range(0, 10))));
  }

  private static PartitionBound range(int from, int to) {
    return new PartitionBound(Kind.RANGE, List.of(from), List.of(to));
  }

  private static PartitionBound list(Integer... values) {
    return new PartitionBound(Kind.LIST, Stream.of(values).toList(), List.of());
  }

  private static PartitionBound hash(int modulus, int remainder) {
    return new PartitionBound(Kind.HASH, List.of(modulus, remainder), List.of());
  }
}
