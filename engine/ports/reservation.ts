/**
 * The reservation port: the table of persistent reservations of one disk that several hosts see,
 * as a disk array keeps it (SPC-4 5.9; Linux: linux/pr.h), by the path of this host.
 *
 * Suite: test/compliance/reservation.suite.ts.
 *
 * * A key is 64 bits, as 16 lower-case hexadecimal digits, and not zero. Each path of a host has
 *   one key or none; of a device with several paths all have the same.
 * * `register` gives this host's paths that key, whatever they had; a reservation that they hold
 *   stays theirs. `release` takes this host's key off, and its reservation with it.
 * * `reserve` makes the disk writable for registered paths only, and ends in `conflict` where
 *   another path holds it, or this one has another key. Whoever holds it already has it again.
 * * `preempt` takes `victim`'s paths off the table, and its reservation over where it held one. All
 *   that they had under way is over before it ends: nothing of that reaches the disk later.
 *   `conflict` where this path has not `key`.
 * * `read` shows the table at one moment: another host's change may follow at once. `conflict`
 *   where one came in between, and it is to be read again.
 * * A write by a path without a key ends in EBADE while anybody holds the reservation.
 * * Durability: the table outlives hosts, and a loss of power of the disk where that says so
 *   (APTPL, asked for with each registration). Some arrays forget it all the same.
 * * What is `unable` may have been done or not.
 */

/** What is asked of a disk's table. */
export type ReservationOrder =
  | { readonly op: 'read' }
  | { readonly op: 'register'; readonly key: string }
  | { readonly op: 'reserve'; readonly key: string }
  | { readonly op: 'preempt'; readonly key: string; readonly victim: string }
  | { readonly op: 'release'; readonly key: string };

/** All that a table says. */
export interface ReservationTable {
  /** One more with every change of the keys; some arrays begin anew. */
  readonly generation: number;
  /** In the order of the array; one that several paths have may stand there several times. */
  readonly keys: readonly string[];
  /** Whose reservation it is; null when nobody holds one. */
  readonly holder: {
    readonly key: string;
    /** Whether it is of the type that `reserve` makes: write exclusive, registrants only. */
    readonly ours: boolean;
  } | null;
}

export type ReservationAnswer =
  | { readonly said: 'table'; readonly table: ReservationTable }
  | { readonly said: 'done' }
  | { readonly said: 'conflict' }
  /** The disk has no such table; or its path failed, by errno. */
  | { readonly said: 'unable'; readonly reason: 'unsupported' | 'failed'; readonly errno: number };
