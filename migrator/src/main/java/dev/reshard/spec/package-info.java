/**
 * The migration file, read once into records.
 *
 * <p>In: YAML text. Out: a {@link dev.reshard.spec.Spec}, or every problem of the file at once,
 * each with its line. Promised: an unknown key stops the start, secrets are never printed, and no
 * value is guessed.
 */
package dev.reshard.spec;
