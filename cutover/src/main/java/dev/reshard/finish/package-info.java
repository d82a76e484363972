/**
 * The end of a migration: what moved is purged where it no longer belongs, and everything that was
 * made is removed, save the sealed guards.
 *
 * <p>In: a migration whose units are all at rest. Out: nothing of it but sealed guards. Promised:
 * the purge begins only after replication slots and lanes are gone (HAZARDS F15); what could not be
 * removed is named and tried again.
 */
package dev.reshard.finish;
