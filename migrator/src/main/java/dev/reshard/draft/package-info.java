/**
 * Drafts a migration file from what shards' catalogs, and a sample of their keys, say.
 *
 * <p>In: read-only sessions. Out: YAML, with a question wherever only the user knows the answer.
 * Promised: changes nothing, writes no password, and leaves out what it does not know, so that the
 * file is refused until that is answered.
 */
package dev.reshard.draft;
