/**
 * Schedules over three and more replicas: random ones, and for each planted bug or old bug of other
 * mirrors one that leads to it. The numbers are those of the reference (history of such bugs).
 */
import { Event } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { INPUT, MS, SECTOR } from './mirror-hosts.ts';
import { Many, TRIO_CONFIG } from './mirror-many.ts';

/** Three replicas that serve under load. */
function serving(seed: number, canaries: readonly string[], config = TRIO_CONFIG): Many {
  const many = new Many({ seed, canaries, config });
  many.runFor(300 * MS);
  many.load(true);
  many.runFor((150 + (seed % 7) * 20) * MS);
  return many;
}

/** Runs until `done`, or for some seconds. */
function until(many: Many, done: () => boolean): void {
  const limit = many.now + 5_000 * MS;
  while (many.now < limit && !done()) many.runFor(MS / 2);
}

const has = (many: Many, ...nodes: readonly number[]): boolean =>
  many.record.members.map((m) => m.node).join() === nodes.join();

/** One random run: six faults under load, then everything heals and must be equal. */
export function manySwarm(
  seed: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = TRIO_CONFIG,
): Many {
  const many = serving(seed, canaries, config);
  for (let fault = 0; fault < 6 && many.violations.length === 0; fault += 1) {
    many.runFor(200 * MS);
    const { hole } = many;
    if (hole !== null) many.violations.push(hole);
    many.runFor(200 * MS);
    many.fault();
  }
  many.runFor(1_000 * MS);
  if (many.violations.length === 0) many.settle();
  return many;
}

/**
 * #2 and #32: the primary dies with writes under way, and the link between the survivors is cut at
 * the same time. They have different tails, and neither was told.
 */
export function survivorsDiffer(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  many.load(false);
  many.cutWhere((a, b) => a === 2 && b === 3);
  many.powerOff(1);
  until(many, () => many.takeOvers > 0);
  many.runFor(300 * MS);
  many.healAll();
  many.settle();
  return many;
}

/** RULE-18: one is left out, the writes under way then end, and whoever knew of it dies. */
export function leftOutThenDark(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  many.load(false);
  many.cutWhere((_, b) => b === 3);
  until(many, () => has(many, 1, 2));
  many.runFor(400 * MS);
  many.powerOff(1);
  until(many, () => many.takeOvers > 0);
  many.settle();
  return many;
}

/** RULE-19: one is left out that has everything, and all who stay lose power at once. */
export function shrunkThenDark(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  many.load(false);
  many.cutWhere((a, b) => a === 2 || b === 2);
  until(many, () => has(many, 1, 3));
  many.powerOff(1);
  many.powerOff(3);
  many.runFor(100 * MS);
  many.powerOn(3);
  many.runFor(1_500 * MS);
  many.settle();
  return many;
}

/**
 * #5, #22 and RULE-17: alone the primary writes, copies to one, which leads then and copies to the
 * other. What the copy changed in its target the third lacks.
 */
export function copiedOnward(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  many.cutWhere(() => true);
  until(many, () => has(many, 1));
  many.runFor(200 * MS);
  many.load(false);
  many.healAll();
  many.cutWhere((_, b) => b === 3);
  until(many, () => has(many, 1, 2));
  // Long enough for every extent to be stable, and nothing but the map to say what 3 lacks.
  many.runFor(200 * MS);
  many.powerOff(1);
  until(many, () => many.takeOvers > 0);
  many.healAll();
  many.settle();
  return many;
}

/** #16: two targets of one source, both cut off in the middle of it, meet each other. */
export function halfCopiesMeet(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  many.cutWhere(() => true);
  until(many, () => has(many, 1));
  many.runFor(400 * MS);
  many.load(false);
  many.healAll();
  until(many, () => many.host(2).linkState === 'SyncTarget');
  many.cutWhere((a) => a === 1);
  many.runFor(300 * MS);
  many.healAll();
  many.settle();
  return many;
}

/** #33: two are left out at a time; the end of one copy must not be the end of the other. */
export function twoComeBack(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  many.cutWhere(() => true);
  until(many, () => has(many, 1));
  many.runFor(200 * MS);
  many.healAll();
  until(many, () => has(many, 1, 2, 3));
  if (!has(many, 1, 2, 3)) many.violations.push('LAW-heals: a copy that waited was forgotten');
  many.settle();
  return many;
}

/** #1: a secondary is away in good order while the primary writes, and comes back. */
export function awayInOrder(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  many.crashCore(3, 600 * MS);
  many.runFor(500 * MS);
  many.load(false);
  many.runFor(300 * MS);
  many.settle();
  return many;
}

/** #15: writes go on while one is admitted, over and over, and then the primary dies. */
export function admittedUnderLoad(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  for (let n = 0; n < 3; n += 1) {
    many.cutWhere((_, b) => b === 3);
    until(many, () => has(many, 1, 2));
    many.healAll();
    until(many, () => has(many, 1, 2, 3));
    many.runFor((n * 3 + (seed % 5)) * MS);
  }
  many.load(false);
  many.powerOff(1);
  until(many, () => many.takeOvers > 0);
  many.settle();
  return many;
}

/** A follower loses power with the hot set as all that tells what it has and the others lack. */
export function followerDark(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  many.load(false);
  many.powerOff(1);
  many.powerOff(2);
  until(many, () => many.takeOvers > 0);
  many.runFor(300 * MS);
  many.powerOn(2);
  many.runFor(400 * MS);
  many.settle();
  return many;
}

/** A block is bad at the primary and at the first that it asks: the last one has it. */
export function lastGoodCopy(seed: number, canaries: readonly string[] = []): Many {
  const many = serving(seed, canaries);
  many.runFor(300 * MS);
  many.load(false);
  many.runFor(100 * MS);
  const first = Math.min(...many.history.sectors.keys());
  const own = many.host(many.record.primary);
  for (const { node, unreadable } of many.hosts) if (node < 3) unreadable.add(first);
  const slot = own.busyFront.indexOf(null);
  const before = many.completed;
  const [op, offset] = [Event.ReqRead, first * SECTOR];
  own.busyFront[slot] = { kind: op, first, count: 1, invoked: many.now, writes: [] };
  many.give(own, { ...INPUT, op, slot, offset, length: SECTOR });
  many.runFor(200 * MS);
  if (many.completed === before) many.violations.push('a read fails, and one copy is good');
  if (own.unreadable.size > 0) many.violations.push('the own copy is not written again');
  return many;
}
