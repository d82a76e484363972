/**
 * Compares all rows of moving buckets on the source with those on their destinations, at one
 * position at which both must be equal.
 *
 * <p>In: lanes that can be held, run to an exact position and let go ({@link
 * dev.reshard.verify.HeldLane}). Out: for each table and destination how many rows were compared
 * and which differ, by key. Promised: lag is never reported as a difference, as both sides are read
 * in snapshots of the same position; a difference in any column of any row is found, also one
 * between values that PostgreSQL calls equal, and one twin more or less; no value but a row key
 * leaves the servers; the source's throttle holds it back, and while it waits it locks nothing.
 */
package dev.reshard.verify;
