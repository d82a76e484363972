package dev.reshard.apply;

import static dev.reshard.apply.HandMade.row;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.change.RowChange;
import dev.reshard.keyspace.TableId;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** HAZARDS F8: a lane to a destination that does not have all rows yet. */
class PartialLaneIT {
  private static final Source DOCS =
      Source.of(
          "docs", List.of("tenant_id", "id", "n", "doc"), List.of("tenant_id", "id"), "tenant_id");
  private static final Source EVENTS =
      Source.of("events", List.of("tenant_id", "what"), List.of("tenant_id", "what"), "tenant_id");
  private static final String SAME = RowChange.UNCHANGED;

  private LaneKit kit;

  @BeforeEach
  void open() throws SQLException {
    kit =
        LaneKit.with(
                List.of("docs", "events"),
                List.of(),
                """
                CREATE TABLE docs (tenant_id bigint, id bigint, n int, doc text,
                                   PRIMARY KEY (tenant_id, id))""",
                "CREATE TABLE events (tenant_id bigint, what text)",
                "INSERT INTO docs VALUES (1, 1, 0, 'copied')")
            .lacking(
                Set.of(new TableId("public", "events")), Set.of(new TableId("public", "docs")));
  }

  @AfterEach
  void close() throws SQLException {
    kit.close();
  }

  @Test
  void aChangedRowThatIsNotThereIsPutInIfItCameWholeElseItsKeyIsKept() throws Exception {
    kit.source.commit(
        DOCS.update(row("1", "1", null, null), "1", "1", "5", SAME),
        DOCS.update(row("1", "2", null, null), "1", "2", "6", "whole"),
        DOCS.update(row("1", "3", null, null), "1", "3", "7", SAME),
        DOCS.delete("1", "4", null, null));
    kit.applyAll();
    assertEquals(List.of("(1,1,5,copied)", "(1,2,6,whole)"), docs());
    assertEquals(List.of("{tenant_id,id} {1,3}"), refetch());
  }

  @Test
  void aKeyIsForgottenWhenItsRowComesWholeOrGoes() throws Exception {
    for (String id : List.of("2", "3", "4", "5")) {
      kit.source.commit(DOCS.update(row("1", id, null, null), "1", id, "6", SAME));
    }
    kit.source.commit(
        DOCS.update(row("1", "2", null, null), "1", "2", "7", "whole"),
        DOCS.delete("1", "3", null, null),
        DOCS.update(row("1", "4", null, null), "1", "44", "8", SAME),
        DOCS.update(row("1", "5", null, null), "1", "55", "9", "moved"));
    kit.applyAll();
    assertEquals(List.of("(1,1,0,copied)", "(1,2,7,whole)", "(1,55,9,moved)"), docs());
    assertEquals(List.of("{tenant_id,id} {1,44}"), refetch());
  }

  @Test
  void aTruncateForgetsAllKeys() throws Exception {
    kit.source.commit(DOCS.update(row("1", "3", null, null), "1", "3", "7", SAME));
    kit.source.commit(DOCS.truncate());
    kit.applyAll();
    assertEquals(List.of(), docs());
    assertEquals(List.of(), refetch());
  }

  /** F3: its copy begins at the next anchor, with all that is changed until then. */
  @Test
  void changesOfATableThatIsNotThereYetAreLeftOut() throws Exception {
    kit.source.commit(EVENTS.insert("1", "new"), EVENTS.delete("1", "old"), EVENTS.truncate());
    kit.applyAll();
    assertEquals(List.of("0"), kit.query("SELECT count(*) FROM events"));
  }

  private List<String> docs() throws SQLException {
    return kit.query("SELECT docs::text FROM docs ORDER BY id");
  }

  private List<String> refetch() throws SQLException {
    return kit.query("SELECT key_columns::text || ' ' || row_key::text FROM reshard.refetch");
  }
}
