/**
 * Names of topics, and the records in those that are for people and foreign programs.
 *
 * <p>In: a migration's name. Out: topic names and JSON values with a version field. Promised: a
 * topic's name and the fields of a record do not change within a version.
 */
package dev.reshard.topics;
