package dev.reshard.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.control.MigrationState;
import dev.reshard.spec.Spec;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Changes do not say columns that the server computes, so these tell no rows apart. */
@Timeout(120)
class GeneratedKeyIT {
  private RoundsScene scene;

  @BeforeEach
  void open() throws Exception {
    scene =
        new RoundsScene(
            new Spec.Copy(2),
            Map.of(
                "labels",
                """
                CREATE TABLE labels (tenant bigint NOT NULL, id bigint NOT NULL, note text,
                  label text GENERATED ALWAYS AS ('label ' || id) STORED,
                  PRIMARY KEY (tenant, label))"""));
  }

  @AfterEach
  void close() throws SQLException {
    scene.close();
  }

  @Test
  @Tag("matrix")
  void aTableWhoseKeyHoldsAGeneratedColumnIsCopiedInRoundsAndItsChangesMeetTheirRowsOnly()
      throws Exception {
    for (int chunks : new int[] {3, 20, 8}) {
      assertEquals(MigrationState.COPYING, scene.round(chunks).next());
      scene
          .a()
          .execute(
              "DELETE FROM labels WHERE id %% 100 = %d".formatted(chunks),
              "UPDATE labels SET note = 'round %d' WHERE id %% 50 = 1".formatted(chunks),
              "UPDATE labels SET id = id + 100000 WHERE id %% 100 = %d".formatted(40 + chunks));
    }
    assertEquals(MigrationState.CATCHING_UP, scene.round(Integer.MAX_VALUE).next());
    scene.a().execute("DELETE FROM labels WHERE id % 100 = 60", "UPDATE labels SET id = -id");
    scene.requireEqual();
  }
}
