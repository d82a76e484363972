package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FindingLinesTest {
  private static final Finding BAD = Finding.blocker("is bad").todo("mend it");

  @Test
  void oneFindingIsOneLine() {
    assertEquals(List.of("is bad; mend it"), FindingLines.of(List.of(BAD)));
    assertEquals(List.of("a: is bad; mend it"), FindingLines.of(List.of(at("a"))));
    assertEquals(
        List.of("a: public.t1 (t1_pkey): is bad; mend it"),
        FindingLines.of(List.of(at("a").on(table("public", 1)).detail("t1_pkey"))));
  }

  @Test
  void theSameOfManyTablesIsOneLineThatNamesSome() {
    List<Finding> findings =
        IntStream.rangeClosed(1, 44).mapToObj(i -> at("a").on(table("public", i))).toList();
    assertEquals(
        List.of("a: public.t1, t2, t3 and 41 more: is bad; mend it"), FindingLines.of(findings));
  }

  @Test
  void theSameOnManyShardsIsOneLine() {
    List<Finding> findings = new ArrayList<>();
    for (String shard : List.of("b", "a")) {
      findings.add(at(shard).on(table("public", 1)));
      findings.add(at(shard).on(table("other", 2)));
    }
    assertEquals(List.of("a, b: public.t1, other.t2: is bad; mend it"), FindingLines.of(findings));
  }

  @Test
  void tablesThatAreBadOnDifferentShardsAreApartUnlessThatWouldBeManyLines() {
    List<Finding> findings = new ArrayList<>();
    findings.add(at("a").on(table("public", 1)));
    findings.add(at("b").on(table("public", 2)));
    assertEquals(
        List.of("a: public.t1: is bad; mend it", "b: public.t2: is bad; mend it"),
        FindingLines.of(findings));
    findings.add(at("c").on(table("public", 3)));
    findings.add(at("d").on(table("public", 4)));
    assertEquals(
        List.of("some of a, b, c, d: public.t1, t2, t3 and 1 more: is bad; mend it"),
        FindingLines.of(findings));
  }

  @Test
  void whatDiffersIsTwoLines() {
    assertEquals(
        List.of("is bad; mend it", "is bad", "is worse"),
        FindingLines.of(List.of(BAD, Finding.blocker("is bad"), Finding.blocker("is worse"))));
  }

  @Test
  void detailsWithoutATableAreNamedUpToThree() {
    List<Finding> findings =
        IntStream.rangeClosed(1, 5).mapToObj(i -> at("a").detail("pid " + i)).toList();
    assertEquals(
        List.of("a: pid 1, pid 2, pid 3 and 2 more: is bad; mend it"), FindingLines.of(findings));
  }

  private static Finding at(String shard) {
    return BAD.at(new ShardId(shard));
  }

  private static TableId table(String schema, int number) {
    return new TableId(schema, "t" + number);
  }
}
