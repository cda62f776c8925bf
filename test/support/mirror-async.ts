/** A primary and its asynchronous replica, or a synchronous one beside it: what befalls them. */
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { metadataLayout } from '../../engine/mirror/metadata.ts';
import { until } from './mirror-cases.ts';
import { uncovered } from './mirror-cover.ts';
import { type Host, MS } from './mirror-hosts.ts';
import { Many, TRIO_CONFIG } from './mirror-many.ts';
import { PAIR_CONFIG, Pair } from './mirror-pair.ts';
import { PrefixWatch } from './mirror-prefix.ts';

export const ASYNC_CONFIG: MirrorConfig = {
  ...PAIR_CONFIG,
  asyncNodes: [2],
  sideBytes: 16 * 1024 * 1024,
  pointDelay: 50 * MS,
};

/** A synchronous pair, and an asynchronous third. */
export const THIRD_CONFIG: MirrorConfig = {
  ...ASYNC_CONFIG,
  ...{ nodes: TRIO_CONFIG.nodes, asyncNodes: [3] },
};

export interface Watched<Hosts> {
  readonly pair: Hosts;
  readonly watch: PrefixWatch;
}

/** Host 1 serves under load, and host 2 follows it, an image again and again. */
export function following(
  seed: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = ASYNC_CONFIG,
): Watched<Pair> {
  const pair = new Pair({ seed, canaries, config });
  const watch = new PrefixWatch(pair, 2);
  pair.load(true);
  if (!until(pair, () => watch.points > 1)) pair.violations.push('LAW-heals: no point ever');
  return { pair, watch };
}

/** Lets time pass, and looks often. */
export function looked({ pair, watch }: Watched<Pair | Many>, micros: number, step = 5 * MS): void {
  const end = pair.now + micros;
  while (pair.now < end && pair.violations.length === 0) {
    pair.runFor(step);
    watch.look();
  }
}

/** What the two would know of a difference, if all power went now. */
export function covered(pair: Pair): void {
  const hole = pair.violations.length > 0 ? null : uncovered(pair);
  if (hole !== null) pair.violations.push(hole);
}

function over({ pair, watch }: Watched<Pair>): Pair {
  pair.runFor(1_000 * MS);
  if (pair.violations.length === 0) pair.settle();
  watch.look();
  return pair;
}

/** One random run: six faults under load, then everything heals and must be equal. */
export function asyncSwarm(
  seed: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = ASYNC_CONFIG,
): Pair {
  const both = following(seed, canaries, config);
  const { pair } = both;
  for (let fault = 0; fault < 6 && pair.violations.length === 0; fault += 1) {
    looked(both, 200 * MS);
    covered(pair);
    looked(both, 200 * MS);
    pair.fault();
  }
  return over(both);
}

/** The replica loses power again and again, at any moment of its becoming an image. */
export function darkAtPoints(seed: number, canaries: readonly string[] = []): Pair {
  const both = following(seed, canaries);
  const { pair, watch } = both;
  for (let n = 0; n < 6 && pair.violations.length === 0; n += 1) {
    // Somewhere in the fifty milliseconds from one to the next.
    looked(both, pair.rng.between(1, 70 * MS), MS);
    pair.powerOff(2);
    watch.look();
    looked(both, 30 * MS);
    pair.powerOn(2);
    const { points } = watch;
    until(pair, () => watch.points > points || pair.violations.length > 0);
  }
  return over(both);
}

/** The primary loses power again and again, with writes that only its replica has for good. */
export function primaryDark(seed: number, canaries: readonly string[] = []): Pair {
  const both = following(seed, canaries);
  const { pair, watch } = both;
  for (let n = 0; n < 6 && pair.violations.length === 0; n += 1) {
    looked(both, pair.rng.between(20 * MS, 200 * MS));
    pair.powerOff(1);
    covered(pair);
    looked(both, 40 * MS);
    pair.powerOn(1);
    const { points } = watch;
    until(pair, () => watch.points > points || pair.violations.length > 0);
  }
  return over(both);
}

/** The disk of `node` takes 40 ms over a superblock from here on; answers how many it was given. */
export function slowSuperblocks(pair: Pair, node: number): () => number {
  const { slotA, slotB } = metadataLayout(pair.config);
  let slow = 0;
  let superblock = false;
  const before = pair.onDecision;
  pair.onDecision = (h, op, slot, offset, length, status, flags) => {
    before?.(h, op, slot, offset, length, status, flags);
    const slots = (offset === slotA || offset === slotB) && (flags & Flag.Side) === 0;
    superblock = h.node === node && op === Decision.MetaWrite && slots;
  };
  const io = pair.io.bind(pair);
  pair.io = (h: Host, apply, done) => {
    if (!superblock || h.node !== node) {
      io(h, apply, done);
      return;
    }
    superblock = false;
    slow += 1;
    const { life } = h;
    pair.after(40 * MS, () => {
      if (h.life === life) io(h, apply, done);
    });
  };
  return () => slow;
}

/** The disk of host 2 takes long over its superblocks, and loses power in the midst of it. */
export function darkAsOpened(seed: number, canaries: readonly string[] = []): Pair {
  const both = following(seed, canaries);
  const { pair, watch } = both;
  const slow = slowSuperblocks(pair, 2);
  for (let n = 0; n < 6 && pair.violations.length === 0; n += 1) {
    const { points } = watch;
    until(pair, () => watch.points > points + 1 || pair.violations.length > 0);
    const sofar = slow();
    until(pair, () => slow() > sofar || pair.violations.length > 0);
    looked(both, pair.rng.between(1, 60) * MS, MS);
    pair.powerOff(2);
    watch.look();
    looked(both, 30 * MS);
    pair.powerOn(2);
  }
  return over(both);
}

/** The disk of host 1 takes long over some writes, and what it takes meanwhile is made stable. */
export function slowly(pair: Pair | Many): void {
  const io = pair.io.bind(pair);
  pair.io = (h: Host, apply, done) => {
    // As long as a point takes to come, and to be known here.
    const late = h.node === 1 && apply !== null && h.losable.has(apply);
    if (!late || pair.rng.below(8) > 0) {
      io(h, apply, done);
      return;
    }
    const { life } = h;
    pair.after(pair.rng.between(60, 180) * MS, () => {
      if (h.life === life) io(h, apply, done);
    });
  };
}

/** The same as {@link primaryDark} with such a disk. */
export function slowPrimaryDark(seed: number, canaries: readonly string[] = []): Pair {
  const both = following(seed, canaries);
  const { pair } = both;
  slowly(pair);
  for (let n = 0; n < 4 && pair.violations.length === 0; n += 1) {
    const end = pair.now + 400 * MS;
    while (pair.now < end && pair.violations.length === 0) {
      looked(both, 20 * MS);
      covered(pair);
    }
    pair.powerOff(1);
    covered(pair);
    pair.runFor(40 * MS);
    pair.powerOn(1);
    looked(both, 300 * MS);
  }
  return over(both);
}

/** Three replicas that serve under load, one of them asynchronous; looked at from the start. */
export function third(seed: number, canaries: readonly string[] = []): Watched<Many> {
  const pair = new Many({ seed, canaries, config: THIRD_CONFIG });
  const watch = new PrefixWatch(pair, 3);
  pair.load(true);
  if (!until(pair, () => watch.points > 1)) pair.violations.push('LAW-heals: no point ever');
  return { pair, watch };
}

/** The same, and its synchronous one is gone: the primary is alone, and its disk slow at times. */
export function besideLone(seed: number, canaries: readonly string[] = []): Watched<Many> {
  const all = third(seed, canaries);
  const { pair } = all;
  pair.powerOff(2);
  until(pair, () => pair.record.members.length === 1);
  until(pair, () => pair.host(3).linkState === 'SyncTarget');
  until(pair, () => pair.host(3).linkState === 'Connected');
  slowly(pair);
  looked(all, 400 * MS);
  return all;
}

/** One random run of those. */
export function thirdSwarm(seed: number, canaries: readonly string[] = []): Many {
  const all = third(seed, canaries);
  const { pair, watch } = all;
  for (let fault = 0; fault < 6 && pair.violations.length === 0; fault += 1) {
    looked(all, 200 * MS);
    const { hole } = pair;
    if (hole !== null) pair.violations.push(hole);
    looked(all, 200 * MS);
    pair.fault();
  }
  pair.runFor(1_000 * MS);
  if (pair.violations.length === 0) pair.settle();
  watch.look();
  return pair;
}

/** The replica hears nothing for a while, and may not be far behind. */
export function farBehind(seed: number, lagWaits: boolean): Pair {
  const both = following(seed, [], { ...ASYNC_CONFIG, lagBytes: 128 * 1024, lagWaits });
  const { pair } = both;
  pair.clog(2, 180 * MS);
  return over(both);
}

/** The same at the limit, and all power is lost as it still hears nothing. */
export function farBehindThenDark(seed: number, canaries: readonly string[] = []): Pair {
  const both = following(seed, canaries, { ...ASYNC_CONFIG, lagBytes: 128 * 1024 });
  const { pair } = both;
  pair.clog(2, 180 * MS);
  looked(both, 150 * MS);
  covered(pair);
  for (const node of [1, 2]) pair.powerOff(node);
  pair.runFor(40 * MS);
  for (const node of [1, 2]) pair.powerOn(node);
  return over(both);
}

/** Both others are away; while the asynchronous one is copied to, the other one returns. */
export function membersFirst(seed: number, canaries: readonly string[] = []): Many {
  const all = third(seed, canaries);
  const { pair } = all;
  pair.cutWhere((a, b) => a === 2 || b === 2);
  looked(all, 900 * MS);
  pair.cutWhere((a, b) => a === 3 || b === 3);
  looked(all, 900 * MS);
  for (const cable of pair.cables) {
    if (cable.ends[0].node === 1 && cable.ends[1].node === 3) cable.cut = false;
  }
  pair.connect();
  until(pair, () => pair.host(3).linkState === 'SyncTarget');
  pair.healAll();
  looked(all, 600 * MS);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** Writes of the client that have ended well so far, and flushes. */
export function endedOf(pair: Pair): { writes: number; flushes: number } {
  const ended = { writes: 0, flushes: 0 };
  const complete = pair.complete.bind(pair);
  pair.complete = (h, slot, status) => {
    const kind = h.busyFront[slot]?.kind;
    if (status === 0 && kind === Event.ReqWrite) ended.writes += 1;
    if (status === 0 && kind === Event.ReqFlush) ended.flushes += 1;
    complete(h, slot, status);
  };
  return ended;
}
