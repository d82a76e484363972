package dev.reshard.shadow;

/**
 * The most that a share can be, with 95 % confidence, given some of many trials: the one-sided
 * Clopper-Pearson bound, p with P(at most {@code hits} of {@code trials} | p) = 0.05. Without hits
 * it is about 3 / trials, the rule of three. Pure.
 */
final class UpperBound {
  private static final double DOUBT = 0.05;

  /** One-sided 95 % quantile of the normal distribution, for the approximation by Wilson. */
  private static final double Z = 1.6448536269514722;

  /** Beyond it Wilson's score is as good, and the exact sum long. */
  private static final long MOST_EXACT_HITS = 1_000;

  private UpperBound() {}

  /** Between 0 and 1; 1 without trials. */
  static double of(long hits, long trials) {
    if (hits < 0 || hits > trials) {
      throw new IllegalArgumentException("%d of %d".formatted(hits, trials));
    }
    if (hits == trials) {
      return 1;
    }
    if (hits == 0) {
      return -Math.expm1(Math.log(DOUBT) / trials);
    }
    return hits > MOST_EXACT_HITS ? wilson(hits, trials) : exact(hits, trials);
  }

  private static double exact(long hits, long trials) {
    double low = (double) hits / trials;
    double high = 1;
    for (int i = 0; i < 60; i++) {
      double middle = (low + high) / 2;
      if (atMost(hits, trials, middle) > DOUBT) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high;
  }

  /** The binomial distribution's P(X <= hits), summed as logarithms: its terms underflow. */
  private static double atMost(long hits, long trials, double p) {
    double odds = Math.log(p) - Math.log1p(-p);
    double term = trials * Math.log1p(-p);
    double sum = term;
    for (long i = 1; i <= hits; i++) {
      term += Math.log((double) (trials - i + 1) / i) + odds;
      double larger = Math.max(sum, term);
      sum = larger + Math.log1p(Math.exp(Math.min(sum, term) - larger));
    }
    return Math.exp(sum);
  }

  private static double wilson(long hits, long trials) {
    double share = (double) hits / trials;
    double z2 = Z * Z / trials;
    double spread = Z * Math.sqrt(share * (1 - share) / trials + z2 / (4 * trials));
    return Math.min(1, (share + z2 / 2 + spread) / (1 + z2));
  }
}
