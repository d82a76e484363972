/**
 * Faults at random moments, and what must be true after each: clients write all the time and
 * remember what they were told is committed; a real worker, servers and a broker of their own
 * processes, a proxy between the worker and each of them. When a fault is over, the migration must
 * go on by itself, and both sides be equal, row by row.
 */
package dev.reshard.fault;
