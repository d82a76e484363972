package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.sandbox.RowCursor.Row;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RowOrderTest {
  private static final int[] CODE_POINTS = {
    'a', 'b', 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF
  };

  @Test
  void isTheOrderOfTheBytesOfUtf8() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      String left = text(random);
      String right = text(random);
      int byBytes =
          Arrays.compareUnsigned(
              left.getBytes(StandardCharsets.UTF_8), right.getBytes(StandardCharsets.UTF_8));
      assertEquals(
          Integer.signum(byBytes),
          Integer.signum(Row.compareBytes(left, right)),
          () -> left + " and " + right);
    }
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(5); length > 0; length--) {
      text.appendCodePoint(CODE_POINTS[random.nextInt(CODE_POINTS.length)]);
    }
    return text.toString();
  }
}
