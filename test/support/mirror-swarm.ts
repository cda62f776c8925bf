/** Random schedules over the pair harness, and the schedules that show one planted bug each. */
import { Decision } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { uncovered } from './mirror-cover.ts';
import { LAYOUT } from './mirror-hosts.ts';
import { PAIR_CONFIG, Pair } from './mirror-pair.ts';

const MS = 1000;

/** One random run: six faults under load, then everything heals and must be equal. */
export function swarmRun(
  seed: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = PAIR_CONFIG,
): Pair {
  const pair = started(seed, canaries, config);
  for (let fault = 0; fault < 6 && pair.violations.length === 0; fault += 1) {
    pair.runFor(200 * MS);
    const hole = uncovered(pair);
    if (hole !== null) pair.violations.push(hole);
    pair.runFor(200 * MS);
    pair.fault();
  }
  pair.runFor(1_000 * MS);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** A pair that serves under load. */
export function started(
  seed: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = PAIR_CONFIG,
): Pair {
  const pair = new Pair({ seed, canaries, config });
  pair.runFor(300 * MS);
  pair.load(true);
  return pair;
}

/** The primary loses its link, goes alone, and loses power at once. */
export function aloneThenDark(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  pair.cut();
  // With the link back before the record is there, the flush might be left to the resync.
  pair.heal();
  const { epoch } = pair.record;
  const limit = pair.now + 2_000 * MS;
  const alone = () => pair.record.epoch > epoch && pair.activeEpoch > epoch;
  while (pair.now < limit && !alone()) pair.runFor(200);
  pair.powerOff(1);
  pair.runFor(100 * MS);
  pair.powerOn(1);
  pair.runFor(300 * MS);
  pair.settle();
  return pair;
}

/** A frozen primary thaws when another has long taken over. */
export function thawed(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(300 * MS);
  pair.freeze(1, 500 * MS);
  pair.runFor(1_500 * MS);
  pair.settle();
  return pair;
}

/** The link is lost and back before control has heard of it. */
export function blinked(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  for (let n = 0; n < 4; n += 1) {
    pair.runFor(200 * MS);
    pair.cut();
    pair.heal();
  }
  pair.runFor(200 * MS);
  pair.settle();
  return pair;
}

/** Reads go to both copies, and a link is lost and copied after, again and again. */
export function balancedReads(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, { ...PAIR_CONFIG, balanceReads: true });
  for (let n = 0; n < 3; n += 1) {
    pair.runFor(200 * MS);
    pair.cut();
    pair.runFor(400 * MS);
    pair.heal();
    pair.runFor(200 * MS);
  }
  pair.settle();
  return pair;
}

/** A random run whose clients also ask for zeroes of megabytes, across extents. */
export function longZeroes(seed: number, canaries: readonly string[] = []): Pair {
  return swarmRun(seed, canaries, { ...PAIR_CONFIG, zeroBytes: 2 << 20 });
}

/** The other host loses power as soon as a client has its zeroes of megabytes, before any flush. */
export function longThenDark(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, { ...PAIR_CONFIG, zeroBytes: 2 << 20 });
  for (let n = 0; n < 3; n += 1) {
    pair.runFor(200 * MS);
    let slot = -1;
    let over = false;
    pair.onDecision = (h, op, of, _offset, length) => {
      if (h.node !== 1) return;
      if (op === Decision.LocalWrite && length > LAYOUT.slotBytes) slot = of;
      over ||= op === Decision.Complete && of === slot;
    };
    const limit = pair.now + 2_000 * MS;
    while (!over && pair.now < limit) pair.runFor(200);
    pair.onDecision = null;
    pair.powerOff(2);
    pair.runFor(300 * MS);
    pair.powerOn(2);
    pair.runFor(600 * MS);
  }
  pair.settle();
  return pair;
}

/** Whether a read is ever issued while an overlapping write is in flight. */
export function readersWait(seed: number, canaries: readonly string[] = []): Pair {
  const pair = new Pair({ seed, canaries });
  const writes = new Map<string, readonly [number, number]>();
  pair.onDecision = (h, op, slot, offset, length) => {
    const key = `${h.node} ${slot}`;
    if (op === Decision.Complete || op === Decision.Free) writes.delete(key);
    if (op === Decision.LocalWrite) writes.set(key, [offset, offset + length]);
    if (op !== Decision.LocalRead || slot >= LAYOUT.frontSlots) return;
    for (const [other, [start, end]] of writes) {
      if (!other.startsWith(`${h.node} `) || start >= offset + length || offset >= end) continue;
      pair.violations.push(`LAW-register: a read passes a write in flight at ${offset}`);
    }
  };
  pair.runFor(300 * MS);
  pair.load(true, 8);
  pair.runFor(500 * MS);
  return pair;
}
