/**
 * The command line: what operators and runbooks call.
 *
 * <p>In: words and a migration file. Out: lines for people, and an exit code of {@link
 * dev.reshard.cli.ExitCode}. {@link dev.reshard.cli.Wiring} is the only class that knows every
 * module; the demo uses it too.
 */
package dev.reshard.cli;
