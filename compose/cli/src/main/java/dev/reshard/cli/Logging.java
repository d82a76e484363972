package dev.reshard.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.FileAppender;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/** Where log lines go: to a file, and to the terminal on demand. Thread-safe. */
public final class Logging {
  private Logging() {}

  /** Where the log is, or will be. */
  static Path file() {
    return Path.of(Optional.ofNullable(System.getenv("RESHARD_LOG")).orElse("reshard.log"))
        .toAbsolutePath();
  }

  /**
   * Begins to write the log: not before something is done that is worth one, so that neither a
   * question for help nor a word too many leaves a file behind. Idempotent; a log that somebody
   * else has configured stays as it is.
   */
  public static synchronized void toFile() {
    if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)
        || context.getLogger("ROOT").iteratorForAppenders().hasNext()) {
      return;
    }
    FileAppender<ILoggingEvent> appender = new FileAppender<>();
    appender.setContext(context);
    appender.setFile(file().toString());
    appender.setEncoder(
        encoder(context, "%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level [%thread] %logger{30} %msg%n"));
    appender.start();
    context.getLogger("ROOT").addAppender(appender);
  }

  private static PatternLayoutEncoder encoder(LoggerContext context, String pattern) {
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(pattern);
    encoder.start();
    return encoder;
  }

  static void toTerminal() {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    toFile();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setTarget("System.err");
    appender.setEncoder(encoder(context, "%d{HH:mm:ss.SSS} %-5level %logger{20} %msg%n"));
    appender.start();
    context.getLogger("ROOT").addAppender(appender);
    context.getLogger("dev.reshard").setLevel(Level.DEBUG);
  }
}
