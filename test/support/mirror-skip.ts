/** Copies that compare before they send, and what befalls them in the middle. */
import { Decision, Event } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { ASYNC_CONFIG, asyncSwarm, following, looked } from './mirror-async.ts';
import { until } from './mirror-cases.ts';
import { uncovered } from './mirror-cover.ts';
import { done } from './mirror-errors.ts';
import { type Host, INPUT, MS } from './mirror-hosts.ts';
import { Many, TRIO_CONFIG } from './mirror-many.ts';
import { PAIR_CONFIG, Pair } from './mirror-pair.ts';
import { SUMS_CONFIG } from './mirror-sums.ts';
import { started, swarmRun } from './mirror-swarm.ts';

export const SKIP_CONFIG: MirrorConfig = { ...PAIR_CONFIG, skipEqual: 'on' };
export const SKIP_ASYNC: MirrorConfig = { ...ASYNC_CONFIG, skipEqual: 'on' };

/** What copies have sent from a host's own slots, and what was asked for in place of that. */
export interface Traffic {
  sent: number;
  asked: number;
}

/** Counts the traffic of the copies of `pair` from now on. */
export function counted(pair: Pair): Traffic {
  const traffic = { sent: 0, asked: 0 };
  const before = pair.onDecision;
  pair.onDecision = (h: Host, op, slot, offset, length, ...rest) => {
    before?.(h, op, slot, offset, length, ...rest);
    const { frontSlots, peerSlots } = h.memory.layout;
    if (slot < frontSlots + peerSlots) return;
    if (op === Decision.PeerWrite) traffic.sent += length;
    if (op === Decision.PeerRead) traffic.asked += length;
  };
  return traffic;
}

/** Heals the link, and goes on until the target has told so many digests, or the copy has ended. */
function answers(pair: Pair, node: number, enough: number, ended: () => boolean): void {
  const before = pair.onDecision;
  let told = 0;
  pair.onDecision = (h, op, ...rest) => {
    before?.(h, op, ...rest);
    if (op === Decision.PeerData && h.node === node) told += 1;
  };
  pair.heal();
  until(pair, () => told >= enough || ended());
  pair.onDecision = before;
}

/** A random run in which every copy compares. */
export function skipSwarm(seed: number, canaries: readonly string[] = []): Pair {
  return swarmRun(seed, canaries, SKIP_CONFIG);
}

/** Both have four blocks, in their caches only; then the first host writes others alone. */
export function wroteAlone(pair: Pair): void {
  const write = (block: number) => done(pair, 1, Event.ReqWrite, 8 * block, 8);
  done(pair, 1, Event.ReqFlush, 0, 0);
  for (let block = 0; block < 4; block += 1) write(block);
  const { epoch } = pair.record;
  pair.cut();
  until(pair, () => pair.record.epoch > epoch && pair.activeEpoch > epoch);
  for (let block = 4; block < 60; block += 1) write(block);
}

/**
 * The target has the newest write of a block in its cache only, which is equal to what the source
 * has; and loses power when that was compared, in the middle of the copy.
 */
export function darkAsCompared(seed: number, canaries: readonly string[] = []): Pair {
  // Nothing but the copy flushes, and it goes on block by block.
  const slow = { barrierDelay: 60_000 * MS, barrierWrites: 4096, resyncWindow: 1 };
  const config = { ...SKIP_CONFIG, ...slow, resyncChunk: 4096 };
  const pair = new Pair({ seed, canaries, config });
  pair.runFor(300 * MS);
  wroteAlone(pair);
  answers(pair, 2, 6 + (seed % 20), () => pair.record.members.length === 2);
  pair.powerOff(2);
  const hole = uncovered(pair);
  if (hole !== null) pair.violations.push(hole);
  pair.runFor(300 * MS);
  pair.powerOn(2);
  pair.runFor(700 * MS);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/**
 * An asynchronous replica loses power when so many digests have been told: what it had of the
 * newest writes was in its cache only.
 */
export function asyncDarkAsCompared(seed: number, canaries: readonly string[] = []): Pair {
  const both = following(seed, canaries, SKIP_ASYNC);
  const { pair } = both;
  for (let n = 0; n < 6 && pair.violations.length === 0; n += 1) {
    looked(both, 40 * MS);
    pair.cut();
    pair.runFor(20 * MS);
    answers(pair, 2, 1 + ((seed + n) % 5), () => pair.host(2).linkState === 'Connected');
    pair.runFor(((seed + n) % 7) * 150);
    pair.powerOff(2);
    const hole = uncovered(pair);
    if (hole !== null) pair.violations.push(hole);
    pair.runFor(100 * MS);
    pair.powerOn(2);
    pair.runFor(500 * MS);
  }
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** A random run of an asynchronous replica in which every copy compares. */
export function asyncSkipSwarm(seed: number, canaries: readonly string[] = []): Pair {
  return asyncSwarm(seed, canaries, SKIP_ASYNC);
}

/** A target whose core has forgotten the checksums of what it wrote last: it has no opinion. */
export function vouched(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, { ...SUMS_CONFIG, skipEqual: 'on' });
  pair.runFor(100 * MS);
  pair.crashCore(2, 5 * MS);
  pair.runFor(700 * MS);
  pair.load(false);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/**
 * A target that lacks some of what was written since it was lost, and has the rest: `apart` blocks
 * of as many written.
 */
export function mostlyEqual(
  seed: number,
  config: MirrorConfig,
  apart: number,
  canaries: readonly string[] = [],
): Pair {
  const pair = new Pair({ seed, config, canaries });
  pair.runFor(300 * MS);
  for (let block = 0; block < 40; block += 1) done(pair, 1, Event.ReqWrite, 8 * block, 8);
  const { epoch } = pair.record;
  pair.cut();
  until(pair, () => pair.record.epoch > epoch && pair.activeEpoch > epoch);
  for (let block = 0; block < apart; block += 1) done(pair, 1, Event.ReqWrite, 24 * block, 8);
  return pair;
}

/**
 * Of three, host 2 misses a write that host 3 has, and host 3 one that host 1 makes alone: the
 * bytes of that are those which host 2 has had all the time, so that its copy finds them equal.
 * Then it leads, and host 3 comes back.
 */
export function sameBytesAgain(seed: number): Many {
  const many = new Many({ seed, config: { ...TRIO_CONFIG, skipEqual: 'on' } });
  many.runFor(300 * MS);
  const members = (...nodes: number[]) => {
    if (!until(many, () => many.record.members.map(({ node }) => node).join() === nodes.join()))
      throw new Error(`not ${nodes.join()}`);
    // Until every extent is cold, and the maps alone say what is missing where.
    many.runFor(300 * MS);
  };
  const first = 8 * (40 + (seed % 64));
  const write = () => {
    if (done(many, 1, Event.ReqWrite, first, 8) !== 0) throw new Error('not written');
    if (done(many, 1, Event.ReqFlush, 0, 0) !== 0) throw new Error('not flushed');
  };
  write();
  many.cutWhere((a, b) => a === 2 || b === 2);
  members(1, 3);
  write();
  many.runFor(300 * MS);
  many.cutWhere(() => true);
  members(1);
  write();
  many.runFor(300 * MS);
  const [one, two] = [many.host(1), many.host(2)];
  for (let sector = first; sector < first + 8; sector += 1) {
    two.cache[sector] = one.cache[sector] as number;
    two.stable[sector] = one.cache[sector] as number;
  }
  many.healAll();
  many.cutWhere((_, b) => b === 3);
  members(1, 2);
  const { hole } = many;
  if (hole !== null) many.violations.push(hole);
  many.powerOff(1);
  until(many, () => many.takeOvers > 0);
  many.healAll();
  if (many.violations.length === 0) many.settle();
  return many;
}

/**
 * The disk of the source has failed in this boot, so that what it shows of the newest writes is in
 * its memory alone; the target has them, and no doubt. When it has been copied to, the source loses
 * power.
 */
export function shadowsAtSource(seed: number, canaries: readonly string[] = []): Pair {
  // Nothing but flushes makes what is written stable and clean.
  const slow = { barrierDelay: 60_000 * MS, barrierWrites: 4096 };
  const pair = new Pair({ seed, canaries, config: { ...SKIP_CONFIG, ...slow } });
  pair.runFor(300 * MS);
  done(pair, 1, Event.ReqFlush, 0, 0);
  for (let block = 0; block < 20; block += 1) done(pair, 1, Event.ReqWrite, 8 * block, 8);
  const { epoch } = pair.record;
  pair.cut();
  until(pair, () => pair.record.epoch > epoch && pair.activeEpoch > epoch);
  const one = pair.host(1);
  const { record } = pair;
  pair.give(one, {
    ...INPUT,
    op: Event.Control,
    command: { kind: 'record', record, cause: 'c', doubted: true },
  });
  // A flush that failed has left them clean in memory, and never on the medium.
  one.stable.fill(0, 0, 8 * 20);
  for (let sector = 0; sector < 8 * 20; sector += 1) one.unstable.delete(sector);
  pair.heal();
  until(pair, () => pair.record.members.length === 2);
  // What was copied counts as stable on both from now on.
  done(pair, 1, Event.ReqFlush, 0, 0);
  pair.powerOff(1);
  pair.runFor(500 * MS);
  pair.powerOn(1);
  pair.settle();
  return pair;
}

/**
 * The disk of host 2 takes writes and flushes like any other, and each read takes it so long;
 * Infinity for ever.
 */
export function readsTake(pair: Pair, micros: () => number): void {
  const [decide, io] = [pair.decide.bind(pair), pair.io.bind(pair)];
  let reads = false;
  pair.decide = (h, d) => {
    reads = h.node === 2 && h.memory.decisions.op(d) === Decision.LocalRead;
    decide(h, d);
    reads = false;
  };
  pair.io = (h, apply, end) => {
    const [wait, { life }] = [reads ? micros() : 0, h];
    if (wait === 0) io(h, apply, end);
    else if (wait !== Number.POSITIVE_INFINITY) {
      pair.after(wait, () => {
        if (h.life === life) io(h, apply, end);
      });
    }
  };
}

/** A target whose disk answers no read any more, until `over` says so. */
export function readsHang(seed: number, over: () => boolean): Pair {
  const pair = mostlyEqual(seed, SKIP_CONFIG, 4);
  readsTake(pair, () => (over() ? 0 : Number.POSITIVE_INFINITY));
  return pair;
}

/** A target whose disk needs longer for each read than a peer may be silent, and answers it. */
export function readsSlowly(seed: number, canaries: readonly string[] = []): Pair {
  const pair = mostlyEqual(seed, SKIP_CONFIG, 4, canaries);
  readsTake(pair, () => 4 * pair.config.peerTimeout);
  pair.heal();
  pair.settle();
  return pair;
}
