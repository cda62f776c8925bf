/** Replicas with checksums in the pair harness: disks that rot without a word, and crashes. */
import { BLOCK_BYTES } from '../../engine/core/units.ts';
import { Event } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { metadataLayout } from '../../engine/mirror/metadata.ts';
import { decodeSumPage, SUM_BLOCKS } from '../../engine/mirror/sum-page.ts';
import { until } from './mirror-cases.ts';
import { durablySuspect } from './mirror-cover.ts';
import { BLOCK_SECTORS } from './mirror-errors.ts';
import { INPUT } from './mirror-hosts.ts';
import { PAIR_CONFIG, type Pair } from './mirror-pair.ts';
import { replicaOf } from './mirror-spare.ts';
import { started, swarmRun } from './mirror-swarm.ts';
import { corrupt, different, verified } from './mirror-verify.ts';

const MS = 1000;

/** Of the three pages of the map two are in memory: some are closed and read again. */
export const SUMS_CONFIG: MirrorConfig = {
  ...PAIR_CONFIG,
  logicalBlock: 4096,
  checksums: true,
  checksumPages: 2,
};

/** A pair without load whose written blocks have checksums. */
export function summed(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, SUMS_CONFIG);
  pair.runFor(400 * MS);
  pair.load(false);
  pair.runFor(100 * MS);
  return pair;
}

/** The first blocks that a client has written, `count` at most. */
export function writtenBlocks(pair: Pair, count: number): number[] {
  const found = new Set<number>();
  for (const sector of pair.history.sectors.keys()) {
    if (pair.host(1).cache[sector] !== 0) found.add(Math.floor(sector / BLOCK_SECTORS));
  }
  return [...found].sort((a, b) => a - b).slice(0, count);
}

/** The client reads a block at `node`, and has its answer; false when that was an error. */
export function readBlock(pair: Pair, node: number, block: number): boolean {
  const h = pair.host(node);
  const slot = h.busyFront.indexOf(null);
  const first = block * BLOCK_SECTORS;
  const failed = pair.failedReads.length;
  const [kind, count] = [Event.ReqRead, BLOCK_SECTORS];
  h.busyFront[slot] = { kind, first, count, invoked: pair.now, writes: [] };
  const offset = block * BLOCK_BYTES;
  pair.give(h, { ...INPUT, op: kind, slot, offset, length: BLOCK_BYTES });
  if (!until(pair, () => h.busyFront[slot] === null, 1_000 * MS)) throw new Error('no answer');
  return pair.failedReads.length === failed;
}

/** What stands in the blocks of a host. */
export function contents(pair: Pair, node: number, of: readonly number[]): number[][] {
  return of.map((block) => {
    const from = block * BLOCK_SECTORS;
    return [...pair.host(node).cache.subarray(from, from + BLOCK_SECTORS)];
  });
}

/** Under load one disk rots, again and again, then the other; a comparison heals the rest. */
export function rotting(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, SUMS_CONFIG);
  pair.runFor(300 * MS);
  for (const node of [1, 2, 1]) {
    for (let n = 0; n < 3; n += 1) {
      const known = writtenBlocks(pair, 24);
      corrupt(
        pair,
        node,
        [n, n + 7, n + 13].map((at) => known[at] as number),
      );
      pair.runFor(20 * MS);
    }
    pair.load(false);
    pair.runFor(50 * MS);
    const { findings } = verified(pair, pair.record.primary, { level: 'digest' });
    for (const { right, why, block } of findings) {
      if (right === 3 - node && why === 'checksum') continue;
      pair.violations.push(`block ${block}: ${right} is said to be right, by ${why}`);
    }
    until(pair, () => different(pair).length === 0, 500 * MS);
    pair.load(true);
  }
  needless(pair);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** A random run in which no disk does wrong: whatever crashes, no checksum may say that one did. */
export function honest(seed: number, canaries: readonly string[] = []): Pair {
  const pair = swarmRun(seed, canaries, SUMS_CONFIG);
  needless(pair);
  if (pair.marks.has('mirror.sums.mismatch')) {
    pair.violations.push('a disk that did no wrong is accused');
  }
  return pair;
}

function needless(pair: Pair): void {
  for (const sector of pair.failedReads) {
    pair.violations.push(`a read of sector ${sector} failed, and one copy was right`);
  }
}

/** Whether the page with a block's checksum is open on the disk of `node`: a crash forgets it. */
function isOpen(pair: Pair, node: number, block: number): boolean {
  const { meta } = pair.host(node);
  const { device } = replicaOf(pair.config, meta);
  const index = Math.floor(block / SUM_BLOCKS);
  const page = metadataLayout(pair.config).sums + index;
  const bytes = meta.get(page);
  if (bytes === undefined) return false;
  return decodeSumPage(device, page, index, bytes, new Uint32Array(SUM_BLOCKS)) === 'open';
}

/**
 * Cores die one after the other, with pages open. What was hot is copied then, and has checksums;
 * the first written block that was cold, and of which those nodes have none now.
 */
function forgetful(pair: Pair, nodes: readonly number[]): number {
  const suspect = durablySuspect(pair.config, pair.host(1).meta);
  const cold = writtenBlocks(pair, 999).filter((block) => !suspect(block));
  const block = cold.find((each) => nodes.every((node) => isOpen(pair, node, each)));
  if (block === undefined) {
    pair.load(true);
    pair.runFor(30 * MS);
    pair.load(false);
    pair.runFor(100 * MS);
    return forgetful(pair, nodes);
  }
  for (const node of nodes) {
    pair.crashCore(node, 5 * MS);
    pair.runFor(1_500 * MS);
  }
  return block;
}

/** Neither has a checksum of a block, and one copy rots: nobody knows which, nothing is changed. */
export function nobodyKnows(seed: number, canaries: readonly string[] = []): Pair {
  const pair = summed(seed, canaries);
  const block = forgetful(pair, [2, 1]);
  const before = contents(pair, 1, [block]);
  corrupt(pair, 2, [block]);
  const { findings } = verified(pair, pair.record.primary, { level: 'digest' });
  pair.runFor(200 * MS);
  const finding = findings.find((each) => each.block === block);
  if (finding?.why !== 'no-checksums') pair.violations.push(`it is said that ${finding?.why}`);
  const after = contents(pair, 1, [block]);
  if (String(after) !== String(before)) pair.violations.push('a sound copy was overwritten');
  return pair;
}

/** What has no checksum here rots and is read; the other, which has one, puts it right. */
export function readBeforeCompared(seed: number, canaries: readonly string[] = []): Pair {
  const pair = summed(seed, canaries);
  const block = forgetful(pair, [1]);
  corrupt(pair, 1, [block]);
  pair.violations.length = 0;
  readBlock(pair, 1, block);
  // What it was given nobody could know.
  pair.violations.length = 0;
  verified(pair, 1, { level: 'digest' });
  until(pair, () => different(pair).length === 0, 500 * MS);
  if (different(pair).length > 0)
    pair.violations.push('the copy that has a checksum was not believed');
  return pair;
}

/** The primary's copy rots: a repair that is ordered writes over it, not over the sound one. */
export function repairedRightly(seed: number, canaries: readonly string[] = []): Pair {
  const pair = summed(seed, canaries);
  const bad = writtenBlocks(pair, 5);
  const sound = contents(pair, 2, bad);
  corrupt(pair, 1, bad);
  const { differing, repaired } = verified(pair, 1, { level: 'digest', repair: true });
  if (repaired < differing) pair.violations.push(`only ${repaired} of ${differing} are repaired`);
  for (const node of [1, 2]) {
    const now = contents(pair, node, bad);
    if (String(now) !== String(sound)) pair.violations.push(`host ${node} has what rotted`);
  }
  return pair;
}

/**
 * A block that was written alone rots before it is copied: no copy is right any more. It goes along
 * as lost, the resync ends, and reads of it fail at both until it is written again.
 */
export function rottenSource(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, SUMS_CONFIG);
  pair.runFor(300 * MS);
  pair.cut();
  pair.runFor(1_500 * MS);
  pair.load(false);
  pair.runFor(100 * MS);
  const dirty = durablySuspect(pair.config, pair.host(1).meta);
  const block = writtenBlocks(pair, 999).find((each) => dirty(each) && isApart(pair, each));
  if (block === undefined) throw new Error('nothing was written alone');
  corrupt(pair, 1, [block]);
  pair.heal();
  until(pair, () => pair.record.members.length === 2 && pair.host(1).dirty === 0);
  if (pair.record.members.length < 2) pair.violations.push('the resync does not end');
  for (const node of [1, 2]) {
    if (node === 2) {
      pair.switchOver();
      if (!until(pair, () => pair.activeNode === 2)) throw new Error('no switch');
      pair.runFor(50 * MS);
    }
    if (readBlock(pair, node, block)) pair.violations.push(`host ${node} serves what is lost`);
  }
  return pair;
}

function isApart(pair: Pair, block: number): boolean {
  return String(contents(pair, 1, [block])) !== String(contents(pair, 2, [block]));
}

/** A closed page of checksums rots while its core is away: its blocks have none, and are read. */
export function spoiltSums(seed: number, canaries: readonly string[] = []): Pair {
  const pair = summed(seed, canaries);
  // Longer than pages stay open without a write.
  pair.runFor(12_000 * MS);
  const { sums, sumPages } = metadataLayout(pair.config);
  for (let page = sums; page < sums + sumPages; page += 1) {
    const bytes = pair.host(1).meta.get(page)?.slice();
    if (bytes === undefined) continue;
    bytes[2000] = (bytes[2000] as number) ^ 1;
    pair.host(1).meta.set(page, bytes);
  }
  pair.crashCore(1, 5 * MS);
  pair.runFor(1_500 * MS);
  for (const block of writtenBlocks(pair, 20)) readBlock(pair, pair.record.primary, block);
  needless(pair);
  return pair;
}
