package dev.reshard.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import org.junit.jupiter.api.Test;

class MentionsTest {
  @Test
  void everyWordOfABodyIsANameAsTheServerReadsIt() {
    assertEquals(
        Set.of("select", "app", "next_no", "Odd \"One\"", "größe", "x$1"),
        Mentions.words("SELECT App.NEXT_no(\"Odd \"\"One\"\"\", größe, 12, x$1);"));
  }
}
