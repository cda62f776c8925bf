/**
 * The classic bugs of block mirrors, by their numbers in the design's list (1 to 20 and 34 to 39
 * are about the mirror), and the planted bug that is each of them here.
 */

/** One classic bug. */
export interface ClassicBug {
  readonly number: number;
  readonly what: string;
  /** The planted bugs that are it; none where nothing in the product could make it. */
  readonly planted: readonly string[];
  /** Where none is: why not. Else what is particular about it, if anything. */
  readonly note: string;
}

/** All of them, by number. */
export const CLASSIC_BUGS: readonly ClassicBug[] = [
  is(1, 'a write is acknowledged when the local disk has it', 'ack-early'),
  is(2, 'writes in flight are not marked when the link is lost', 'RULE-08'),
  is(
    3,
    'a dirty block is cleared when its copy is sent, not when it is confirmed',
    'clear-at-send',
  ),
  is(4, 'a flush is acknowledged before it is durable', 'flush-unawaited'),
  is(5, "what was hot in a former primary's activity log is not copied at its return", [
    'hot-forgotten',
  ]),
  is(6, 'a replica is promoted without the arbiter', 'RULE-01'),
  is(7, 'a write of a deposed primary is accepted', 'stale-epoch'),
  is(8, 'the map is durable after the first write to a region, not before', 'RULE-04'),
  is(9, 'a flush is not passed on to the peer', 'RULE-05'),
  is(10, 'on the peer a flush and a write change places', 'barrier-overtaken'),
  is(11, 'FUA is dropped', 'fua-dropped'),
  is(12, 'overlapping writes end in different orders on the two sides', 'overlap-order'),
  is(13, 'a copy of a resync overwrites a newer write', 'resync-race'),
  isNot(14, 'the direction of a resync is chosen by wall-clock time', [
    'no engine knows the wall clock, and metadata hold no time: there is nothing to compare',
  ]),
  is(15, 'the side with fewer changes loses, whoever has acknowledged data', 'fewer-changes-lose'),
  is(16, 'the generation is not renewed when a primary goes on without its peer', 'RULE-13'),
  is(17, 'the generation is renewed, but not durably', 'generation-unsynced'),
  is(
    18,
    'a replica restored from a snapshot counts as up to date',
    ['old-generation-trusted', 'map-of-another'],
    [
      'an image of the same generation, put back under a host that keeps running, is found by',
      'nobody: the table of laws says so (disk-old)',
    ],
  ),
  is(19, 'a half-copied replica is promoted', 'RULE-10'),
  is(20, 'a read is served by a copy that is not finished', [
    'balance-in-copy',
    'repair-from-dirty',
  ]),
  is(34, 'an answer of an earlier connection completes the wrong request', [
    'late-write-answer',
    'late-read-answer',
  ]),
  is(35, 'the map is short by one at the end of the device', 'end-not-mapped'),
  is(36, 'unrelated answers of a disk keep the time-out from ever ending', 'watch-restarted'),
  is(37, 'a write error on the secondary is ignored', 'peer-error-ignored'),
  is(38, 'a read error is passed on though the peer is well', 'read-error-passed'),
  is(39, 'an overflowing log of asynchronous writes drops the oldest', 'overflow-drops-oldest'),
];

/** The numbers of the classic bugs that a planted bug is. */
export function numbersOf(id: string): readonly number[] {
  return CLASSIC_BUGS.flatMap(({ number, planted }) => (planted.includes(id) ? [number] : []));
}

function is(
  number: number,
  what: string,
  planted: string | readonly string[],
  note: readonly string[] = [],
): ClassicBug {
  const ids = typeof planted === 'string' ? [planted] : planted;
  return { number, what, planted: ids, note: note.join(' ') };
}

function isNot(number: number, what: string, why: readonly string[]): ClassicBug {
  return { number, what, planted: [], note: why.join(' ') };
}
