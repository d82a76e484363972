/**
 * What tables need before a row of them is copied or replicated: a schema on each destination, and
 * a row key that contains the shard key.
 *
 * <p>In: schemas and tables as the catalogs have them. Out: destinations with the sources' schema
 * where they lacked it, made from the catalog's own definitions; tables with a usable replica
 * identity; findings for whatever differs or is not made. Each change of ours is in the cleanup
 * registry before it is made. Promised: what a destination has is never changed or dropped; what is
 * not recreated is named; no lock on a user's table is held over a round trip.
 */
package dev.reshard.schema;
