package dev.reshard.shadow;

import dev.reshard.migration.Gate;
import dev.reshard.migration.Migration;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether dual reads let a cutover pass: enough of them and not one that differs, or so many that
 * the share that differs is below the spec's limit with 95 % confidence. A single difference
 * therefore shuts it until hundreds of thousands of reads outweigh it, with the default limit of
 * 0.001 %. Fewer rows than {@link #ENOUGH_READS} need no more reads than there are rows.
 * Thread-safe.
 */
public final class RateGate implements Gate {
  /** Without a difference the bound is then 1 % at most; status shows what it is. */
  static final long ENOUGH_READS = 300;

  private static final String WAIT = "wait: the worker makes them by itself";
  private static final String LOOK =
      "look at the rows with 'reshard topics tail mismatches'; why they differ must be known first";

  /** How many rows there are to read twice; empty if that is not known yet. */
  public interface RowsToRead {
    OptionalLong count() throws Exception;
  }

  private final ShadowService service;
  private final RowsToRead rows;
  private final boolean wanted;
  private final double limit;

  public RateGate(ShadowService service, Migration migration, RowsToRead rows) {
    this.service = service;
    this.rows = rows;
    this.wanted = service.isWanted();
    this.limit = migration.spec().gates().mismatch();
  }

  @Override
  public Verdict look() throws Exception {
    return wanted
        ? verdict(service.total(), Math.min(ENOUGH_READS, rows.count().orElse(ENOUGH_READS)), limit)
        : new Verdict("dual reads", true, "none asked for", "shadow: probe: 0");
  }

  /** Pure. */
  static Verdict verdict(Optional<Counts> total, long enough, double limit) {
    String wantedText =
        "no difference in %d reads, or at most %s with 95 %% confidence"
            .formatted(enough, percent(limit));
    if (total.isEmpty()) {
      return new Verdict("dual reads", false, "not counted yet", wantedText, WAIT);
    }
    long reads = total.get().compared();
    long differences = total.get().differences();
    double bound = UpperBound.of(differences, reads);
    boolean open = (differences == 0 && reads >= enough) || bound <= limit;
    String value =
        "%d of %d differ, at most %s with 95 %% confidence"
            .formatted(differences, reads, percent(bound));
    return new Verdict("dual reads", open, value, wantedText, differences == 0 ? WAIT : LOOK);
  }

  private static String percent(double share) {
    BigDecimal rounded = new BigDecimal(share * 100).round(new MathContext(2));
    return rounded.stripTrailingZeros().toPlainString() + " %";
  }
}
