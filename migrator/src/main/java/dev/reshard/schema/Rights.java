package dev.reshard.schema;

import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Who may do what with one thing. Immutable.
 *
 * @param target in the words of GRANT: {@code TABLE public.orders}
 * @param custom whether somebody ever changed the rights that every new one begins with
 * @param grants the GRANTs (and REVOKEs from the owner) that lead there from no rights at all
 */
record Rights(String target, boolean custom, List<String> grants) {
  Rights {
    grants = List.copyOf(grants);
  }

  /**
   * The statements that give a new one these rights and no other ones.
   *
   * @param unasked roles that get rights on it by themselves, by ALTER DEFAULT PRIVILEGES of the
   *     destination; empty if it has none for such things
   */
  List<String> statements(Optional<Set<String>> unasked) {
    if (!custom && unasked.isEmpty()) {
      return List.of();
    }
    String everybody =
        Stream.concat(Stream.of("PUBLIC"), unasked.orElse(Set.of()).stream().map(TableId::quote))
            .collect(Collectors.joining(", "));
    List<String> statements = new ArrayList<>();
    statements.add("REVOKE ALL ON %s FROM %s".formatted(target, everybody));
    statements.addAll(grants);
    return statements;
  }
}
