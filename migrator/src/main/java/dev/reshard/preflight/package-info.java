/**
 * What is looked at before anything is changed.
 *
 * <p>In: the spec and read-only sessions. Out: findings, each with what to do. Promised: changes
 * nothing, and reports all findings at once. Other modules hand in checks of their own.
 */
package dev.reshard.preflight;
