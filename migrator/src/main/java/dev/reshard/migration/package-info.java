/**
 * The worker and the steps up to catching up: prepare, copy, catch up.
 *
 * <p>In: a migration's stored state and the requests of operators. Out: the next state. Promised:
 * every step is stored before it is taken and can be taken again after a crash. Later steps
 * (verification, cutover, clean-up) come in from their own modules as {@link
 * dev.reshard.migration.Phase}, {@link dev.reshard.migration.Operation}, {@link
 * dev.reshard.migration.Service} and {@link dev.reshard.migration.Gate}.
 */
package dev.reshard.migration;
