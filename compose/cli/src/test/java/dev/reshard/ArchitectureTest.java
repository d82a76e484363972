package dev.reshard;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.reshard.cutover.CutoverDecider;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Imports point one way. {@link #ARROWS} is the table of packages in the order in which they build
 * on each other: a row names all that its package may see, and only rows above it.
 *
 * <p>Where a row says more than the package's one line in the design:
 *
 * <ul>
 *   <li>a package may see {@code keyspace} where the design only implies it: its words are
 *       everybody's;
 *   <li>what builds on {@code migration} may see {@code spec}, {@code control} and {@code
 *       postgres}, in whose words its SPI speaks (the file's settings, states, the worker's lease);
 *   <li>{@code finish} sees {@code postgres}, {@code change} and {@code schema}: it undoes what
 *       they made;
 *   <li>{@code schema} sees {@code preflight}: it hands in checks of its own;
 *   <li>{@code publish} tells foreign programs what {@code control} and {@code routing} have
 *       stored;
 *   <li>{@code cli} sees {@code sandbox}: the broker of {@code kafka: embedded};
 *   <li>{@code demo} sees what it plays: an application ({@code routing}) and an operator;
 *   <li>{@code bench} sees an operator's part of it: the file, states and commands.
 * </ul>
 */
@AnalyzeClasses(packages = "dev.reshard", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final Map<String, List<String>> ARROWS =
      table(
          """
          sandbox
          keyspace
          topics     keyspace
          routing    keyspace topics
          postgres   keyspace
          guard      keyspace postgres
          change     keyspace postgres topics
          capture    keyspace postgres change
          spec       keyspace
          control    keyspace spec postgres
          plan       keyspace spec
          preflight  keyspace spec plan postgres control
          draft      keyspace spec postgres preflight
          schema     keyspace spec postgres control preflight
          throttle   keyspace spec postgres
          copy       keyspace spec plan postgres control throttle
          apply      keyspace spec postgres control change
          migration  keyspace topics postgres guard change capture spec control plan preflight schema throttle copy apply
          verify     keyspace postgres spec change control throttle copy apply migration
          probe      keyspace topics postgres spec change control migration
          shadow     keyspace topics postgres spec control migration
          cutover    keyspace topics routing postgres spec guard control apply migration
          finish     keyspace postgres spec guard change control schema throttle migration
          publish    keyspace topics routing postgres spec control migration
          cli        keyspace topics routing postgres guard change capture spec control plan preflight draft schema throttle copy apply migration verify probe shadow cutover finish publish sandbox
          demo       keyspace topics routing guard spec control plan finish cli sandbox
          bench      spec control cli sandbox
          """);

  private static final Set<String> SHADOW_VALIDATOR = Set.of("verify", "probe", "shadow");
  private static final Set<String> CUTOVER = Set.of("cutover", "finish", "publish");

  @ArchTest
  static final ArchRule packagesFormNoCycle =
      slices().matching("dev.reshard.(*)..").should().beFreeOfCycles();

  @ArchTest
  static void everyPackageSeesOnlyWhatItsRowNames(JavaClasses classes) {
    ARROWS.forEach(
        (name, seen) ->
            noClasses()
                .that()
                .resideInAPackage(of(name))
                .should()
                .dependOnClassesThat(oursBut(name, seen))
                .because("%s may see %s".formatted(name, seen))
                .check(classes));
  }

  @ArchTest
  static void theTableNamesEveryPackageAndOnlyRowsAbove(JavaClasses classes) {
    Set<String> packages =
        classes.stream()
            .map(c -> c.getPackageName().split("\\."))
            .filter(parts -> parts.length > 2)
            .map(parts -> parts[2])
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(packages, new TreeSet<>(ARROWS.keySet()));
    Set<String> above = new TreeSet<>();
    ARROWS.forEach(
        (name, seen) -> {
          assertTrue(above.containsAll(seen), name + " sees a row that is not above it: " + seen);
          above.add(name);
        });
  }

  @ArchTest
  static final ArchRule shadowValidatorDoesNotSeeCutover = apart(SHADOW_VALIDATOR, CUTOVER);

  @ArchTest
  static final ArchRule cutoverDoesNotSeeShadowValidator = apart(CUTOVER, SHADOW_VALIDATOR);

  @ArchTest
  static final ArchRule onlyCliDemoAndBenchSeeTheSandbox =
      onlySee("dev.reshard.sandbox..", "sandbox", "cli", "demo", "bench");

  @ArchTest static final ArchRule onlyCaptureSeesDebezium = onlySee("io.debezium..", "capture");

  @ArchTest
  static final ArchRule onlyShadowSeesStreams = onlySee("org.apache.kafka.streams..", "shadow");

  @ArchTest
  static final ArchRule keyspaceSeesTheJdkOnly =
      classes()
          .that()
          .resideInAPackage(of("keyspace"))
          .should()
          .onlyDependOnClassesThat(resideInAnyPackage("java..", of("keyspace")));

  @ArchTest
  static final ArchRule planningAndDecidingSeeNoIo =
      noClasses()
          .that()
          .resideInAPackage(of("plan"))
          .or()
          .belongToAnyOf(CutoverDecider.class)
          .should()
          .dependOnClassesThat(
              resideInAnyPackage(
                  "java.sql..",
                  "javax.sql..",
                  "java.net..",
                  "java.nio.file..",
                  "org.apache.kafka..",
                  "org.postgresql..",
                  of("postgres")));

  private static Map<String, List<String>> table(String text) {
    Map<String, List<String>> rows = new LinkedHashMap<>();
    text.lines()
        .map(line -> List.of(line.split("\\s+")))
        .forEach(words -> rows.put(words.get(0), words.subList(1, words.size())));
    return rows;
  }

  private static ArchRule apart(Collection<String> these, Collection<String> those) {
    return noClasses()
        .that()
        .resideInAnyPackage(of(these))
        .should()
        .dependOnClassesThat(resideInAnyPackage(of(those)));
  }

  private static ArchRule onlySee(String seen, String... packages) {
    return noClasses()
        .that()
        .resideOutsideOfPackages(of(List.of(packages)))
        .should()
        .dependOnClassesThat(resideInAnyPackage(seen));
  }

  private static DescribedPredicate<JavaClass> oursBut(String self, List<String> seen) {
    String[] allowed = of(Stream.concat(Stream.of(self), seen.stream()).toList());
    return resideInAnyPackage("dev.reshard..")
        .and(DescribedPredicate.not(resideInAnyPackage(allowed)));
  }

  private static String of(String name) {
    return "dev.reshard." + name + "..";
  }

  private static String[] of(Collection<String> names) {
    return names.stream().map(ArchitectureTest::of).toArray(String[]::new);
  }
}
