package dev.reshard.apply;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenBoardTest {
  private final TokenBoard board = new TokenBoard();

  @Test
  void whatWasSeenIsKnownUntilTheShardLosesIt() throws InterruptedException {
    assertFalse(board.await("a", Duration.ZERO));
    board.seen(List.of("a", "b"));
    assertTrue(board.await("a", Duration.ZERO));
    board.forget();
    assertFalse(board.await("b", Duration.ZERO));
    board.seen(List.of("b"));
    assertTrue(board.await("b", Duration.ZERO));
  }
}
