/**
 * Copies the rows of moving buckets from a source to their destinations.
 *
 * <p>In: an anchor, and tables as the catalog had them before it was taken. Out: the destinations
 * hold exactly the rows of those buckets that the anchor's snapshot shows, and say so in their own
 * ledger; rows that the map does not give to the source are counted and left alone. Promised: a
 * chunk's rows and its ledger row commit together, so none is loaded twice; nothing is loaded where
 * rows of these buckets lie that we did not put there; rows of other buckets are never touched; no
 * value of a row appears in a message.
 */
package dev.reshard.copy;
