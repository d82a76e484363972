package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SandboxEngineTest {
  private final String before = System.getProperty(SandboxEngine.PROPERTY);

  @AfterEach
  void restore() {
    if (before == null) {
      System.clearProperty(SandboxEngine.PROPERTY);
    } else {
      System.setProperty(SandboxEngine.PROPERTY, before);
    }
  }

  @Test
  void isEmbeddedUnlessAskedOtherwise() {
    System.clearProperty(SandboxEngine.PROPERTY);
    assertEquals("embedded", SandboxEngine.current().name());
  }

  @Test
  void anEngineThatTheBuildLacksIsRefusedByName() {
    System.setProperty(SandboxEngine.PROPERTY, "cloud");
    SandboxException refused = assertThrows(SandboxException.class, SandboxEngine::current);
    assertTrue(refused.getMessage().contains("cloud"), refused.getMessage());
  }
}
