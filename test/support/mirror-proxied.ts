/** A pair whose primary goes on through the other host when its own disk fails. */
import { Decision, Event } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { metadataLayout } from '../../engine/mirror/metadata.ts';
import { until } from './mirror-cases.ts';
import { blocks, done, type Ended, request, written } from './mirror-errors.ts';
import { PAIR_CONFIG, type Pair } from './mirror-pair.ts';
import { heldBack } from './mirror-receipts.ts';
import { spareOf } from './mirror-spare.ts';
import { started } from './mirror-swarm.ts';

const MS = 1000;

export const PROXY_CONFIG: MirrorConfig = { ...PAIR_CONFIG, proxies: true };

/** Whether host 1 serves without a disk of its own. */
export function goesOn(pair: Pair): boolean {
  const h = pair.host(1);
  return h.disk === 'Failed' && h.role === 'Primary' && h.proxies;
}

/** Host 1's disk fails at its next write or flush, and host 1 goes on. */
export function fails(pair: Pair): void {
  pair.host(1).broken = true;
  const write = request(pair, 1, Event.ReqWrite, 8, 8);
  until(pair, () => goesOn(pair) && write.status !== null);
  if (!goesOn(pair)) pair.violations.push('host 1 does not go on without its disk');
  if (write.status !== 0) pair.violations.push(`the write that failed ended with ${write.status}`);
}

/** A pair without load whose host 1 serves without a disk of its own. */
export function withoutDisk(
  seed: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = PROXY_CONFIG,
): Pair {
  const pair = written(seed, canaries, config);
  fails(pair);
  return pair;
}

/** The disk is whole again, and host 1's core starts anew; then both are to be equal. */
export function replaced(pair: Pair): void {
  pair.onDecision = null;
  pair.host(1).broken = false;
  pair.host(1).metaBroken = false;
  pair.crashCore(1, 50 * MS);
  pair.runFor(600 * MS);
  pair.settle();
}

/** The disk fails under load, and clients go on. */
export function failsAndGoesOn(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, PROXY_CONFIG);
  pair.runFor(200 * MS);
  const h = pair.host(1);
  h.broken = true;
  // What happened to fail last may have been the metadata, and then both.
  if (seed % 3 === 0) h.metaBroken = true;
  until(pair, () => goesOn(pair));
  const before = pair.completedBy(1);
  pair.runFor(400 * MS);
  if (pair.completedBy(1) < before + 20) pair.violations.push('clients wait for a failed disk');
  if (pair.record.primary !== 1) pair.violations.push('the volume moved');
  replaced(pair);
  return pair;
}

/** The only copy is cut off while host 1 is served through it. */
export function survivorLost(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, PROXY_CONFIG);
  pair.runFor(200 * MS);
  pair.host(1).broken = true;
  until(pair, () => goesOn(pair));
  pair.runFor(100 * MS);
  pair.cut();
  pair.runFor(pair.rng.between(50, 900) * MS);
  if (seed % 2 === 0) pair.powerOff(2);
  pair.runFor(300 * MS);
  pair.heal();
  pair.powerOn(2);
  pair.runFor(1_000 * MS);
  replaced(pair);
  return pair;
}

/** The disk fails in the midst of random faults; some time later it is whole again. */
export function failsAmidFaults(
  seed: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = PROXY_CONFIG,
): Pair {
  const pair = started(seed, canaries, config);
  const { rng } = pair;
  for (let round = 0; round < 5 && pair.violations.length === 0; round += 1) {
    const h = pair.host(1 + rng.below(2));
    pair.runFor(rng.between(20, 300) * MS);
    h.broken = true;
    h.metaBroken = rng.below(3) === 0;
    pair.runFor(rng.between(1, 40) * MS);
    if (rng.below(2) === 0) pair.fault();
    pair.runFor(rng.between(20, 500) * MS);
    if (rng.below(2) === 0) pair.fault();
    pair.runFor(300 * MS);
    h.broken = false;
    h.metaBroken = false;
    pair.crashCore(h.node, rng.between(1, 60) * MS);
    pair.runFor(400 * MS);
  }
  pair.runFor(1_000 * MS);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** Semi-synchronous, and host 2 has received a write that its disk holds back. */
export function receivedUnwritten(seed: number, canaries: readonly string[] = []): Pair {
  const pair = withoutDisk(seed, canaries, { ...PROXY_CONFIG, semiSync: true });
  for (let n = 0; n < 4; n += 1) done(pair, 1, Event.ReqWrite, 16 * n, 8);
  const disk = heldBack(pair);
  const write = request(pair, 1, Event.ReqWrite, 64, 8);
  pair.runFor(20 * MS);
  if (write.status !== null) {
    pair.violations.push('LAW-acknowledged: the only copy has a write in memory alone');
  }
  disk.release();
  until(pair, () => write.status === 0);
  replaced(pair);
  return pair;
}

/** The disk fails as the table of its spare blocks is to say where a repaired block stands. */
export function repairNeverRecorded(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries, PROXY_CONFIG);
  const [bad] = blocks(pair, 1) as [number];
  const h = pair.host(1);
  h.unreadable.add(bad + 1);
  h.stuck.set(bad + 1, 'refuses');
  const { copyA } = spareOf(pair.config);
  pair.onDecision = (at, op, _slot, offset) => {
    if (at === h && op === Decision.MetaWrite && offset >= copyA) h.metaBroken = true;
  };
  done(pair, 1, Event.ReqRead, bad, 8);
  if (!until(pair, () => goesOn(pair))) pair.violations.push('host 1 does not go on');
  const write = request(pair, 1, Event.ReqWrite, bad, 8);
  pair.runFor(300 * MS);
  if (write.status !== 0) {
    pair.violations.push('LAW-heals: a write waits for the repair of a disk that failed');
  }
  h.stuck.clear();
  h.unreadable.clear();
  replaced(pair);
  return pair;
}

/**
 * The disk refuses data as the table of its spare blocks is written, which it takes: so the word
 * that a block has moved comes when nobody repairs it any more. Whether it did is told.
 */
export function repairRecordedLate(seed: number): { readonly pair: Pair; readonly late: boolean } {
  const pair = written(seed, [], PROXY_CONFIG);
  const [bad, other] = blocks(pair, 2) as [number, number];
  const h = pair.host(1);
  h.unreadable.add(bad + 1);
  h.stuck.set(bad + 1, 'refuses');
  const { copyA } = spareOf(pair.config);
  let recording = false;
  let late = false;
  pair.onDecision = (at, op, _slot, offset) => {
    if (at === h && op === Decision.MetaWrite && offset >= copyA) recording = true;
  };
  const give = pair.give.bind(pair);
  pair.give = (at, input) => {
    const table = input.op === Event.MetaDone && input.offset >= copyA;
    if (at === h && table && h.disk === 'Failed') late = true;
    give(at, input);
  };
  done(pair, 1, Event.ReqRead, bad, 8);
  until(pair, () => recording);
  fails(pair);
  const writes = [bad, other, bad, other].map((at) => request(pair, 1, Event.ReqWrite, at, 8));
  pair.runFor(300 * MS);
  if (writes.some(({ status }) => status !== 0)) {
    pair.violations.push('LAW-heals: a write waits for the repair of a disk that failed');
  }
  h.stuck.clear();
  h.unreadable.clear();
  pair.give = give;
  replaced(pair);
  return { pair, late };
}

/** A comparison rewrites a block of the other host as the own disk takes no word about it. */
export function comparedMeanwhile(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries, PROXY_CONFIG);
  const [first] = blocks(pair, 1) as [number];
  const [h, other] = pair.hosts;
  other.cache[first] = 0x55;
  other.stable[first] = 0x55;
  const { map, mapPages } = metadataLayout(pair.config);
  pair.onDecision = (at, op, _slot, page) => {
    const isMap = page >= map && page < map + mapPages;
    if (at === h && op === Decision.MetaWrite && isMap) h.metaBroken = true;
  };
  const order = { id: 1, level: 'direct', from: 0, repair: true, bytesPerSecond: 0 } as const;
  pair.command(h, { kind: 'verify', order, cause: 'c' });
  if (!until(pair, () => goesOn(pair))) pair.violations.push('host 1 does not go on');
  const write = request(pair, 1, Event.ReqWrite, first, 8);
  pair.runFor(300 * MS);
  if (write.status !== 0) pair.violations.push('LAW-heals: a write waits for a comparison');
  replaced(pair);
  return pair;
}

/** A repair is under way as the disk fails: later, clients write over its block and others. */
export function repairOutlived(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries, PROXY_CONFIG);
  const [bad, other] = blocks(pair, 2) as [number, number];
  const h = pair.host(1);
  h.unreadable.add(bad + 1);
  done(pair, 1, Event.ReqRead, bad, 8);
  // The repair has begun, and is somewhere between its first read and its last.
  pair.runFor(pair.rng.between(0, 6) * MS + pair.rng.below(1000));
  fails(pair);
  const ended: Ended[] = [];
  for (let n = 0; n < 3; n += 1) {
    for (const at of [bad, other]) ended.push(request(pair, 1, Event.ReqWrite, at, 8));
    pair.runFor(pair.rng.between(1, 8) * MS);
  }
  pair.runFor(300 * MS);
  if (ended.some(({ status }) => status !== 0)) {
    pair.violations.push('LAW-heals: a write waits for the repair of a disk that failed');
  }
  replaced(pair);
  return pair;
}

/** What of host 2 is held back, and what host 1 does meanwhile and then. */
export interface Held {
  readonly pair: Pair;
  /** Whether host 1 went on, or completed the write that its disk refused, while it was held. */
  readonly early: boolean;
  readonly wentOn: boolean;
}

/** As host 1's disk fails, host 2 has a write in memory that its disk holds back. */
export function failsBeforeWritten(seed: number, canaries: readonly string[] = []): Held {
  const pair = written(seed, canaries, { ...PROXY_CONFIG, semiSync: true });
  for (let n = 0; n < 4; n += 1) done(pair, 1, Event.ReqWrite, 16 * n, 8);
  const disk = heldBack(pair);
  request(pair, 1, Event.ReqWrite, 64, 8);
  pair.runFor(5 * MS);
  return heldUntil(pair, () => disk.release());
}

/** As host 1's disk fails, host 2's metadata are not durable: the record is not known there. */
export function failsBeforeNoted(seed: number, canaries: readonly string[] = []): Held {
  const pair = written(seed, canaries, PROXY_CONFIG);
  const give = pair.give.bind(pair);
  const held: Parameters<typeof give>[] = [];
  pair.give = (at, input) => {
    if (at === pair.host(2) && input.op === Event.MetaDone) held.push([at, input]);
    else give(at, input);
  };
  return heldUntil(pair, () => {
    pair.give = give;
    for (const each of held) give(...each);
  });
}

function heldUntil(pair: Pair, release: () => void): Held {
  pair.host(1).broken = true;
  const write = request(pair, 1, Event.ReqWrite, 8, 8);
  pair.runFor(150 * MS);
  const early = goesOn(pair) || write.status !== null;
  release();
  const wentOn = until(pair, () => goesOn(pair) && write.status === 0);
  replaced(pair);
  return { pair, early, wentOn };
}
