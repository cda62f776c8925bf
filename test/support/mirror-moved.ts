/** Blocks that the medium does not give back, in the pair harness: they move to the spare area. */
import { Event } from '../../engine/data/abi.ts';
import { until } from './mirror-cases.ts';
import { BLOCK_SECTORS, blocks, done, mend, written } from './mirror-errors.ts';
import { type Host, SECTOR } from './mirror-hosts.ts';
import type { Pair } from './mirror-pair.ts';
import { durablyMoved, sectorAt, spareOf } from './mirror-spare.ts';
import { started } from './mirror-swarm.ts';

const MS = 1000;

/** How a block of a host is bad: it refuses writes, or takes them and gives nothing back. */
export type How = 'bad' | 'lies';

/** One sector of the block of `first` can be neither read nor written. */
export function spoilFor(h: Host, first: number, how: How): void {
  const sector = first - (first % BLOCK_SECTORS) + 3;
  h.unreadable.add(sector);
  h.stuck.set(sector, how);
}

/** Blocks of a host that stand in the spare area, by the durable table. */
export function movedOf(pair: Pair, node: number): number[] {
  return [...durablyMoved(pair.config, pair.host(node)).keys()];
}

/** A block of host 1 that was read, could not be put right where it is, and has moved. */
export function moved(seed: number, canaries: readonly string[] = []): [Pair, number] {
  const pair = written(seed, canaries);
  // Not the first of all: requests are to begin before it.
  const first = blocks(pair, 4)[3] as number;
  spoilFor(pair.host(1), first, seed % 2 === 0 ? 'bad' : 'lies');
  const block = first - (first % BLOCK_SECTORS);
  if (done(pair, 1, Event.ReqRead, block, BLOCK_SECTORS) !== 0) {
    pair.violations.push('LAW-register: the peer had it');
  }
  if (!until(pair, () => pair.marks.has('mirror.repair.moved'))) {
    pair.violations.push('LAW-heals: a block that cannot be put right stays where it is');
  }
  return [pair, first];
}

/** Sectors go bad for good on either host, in the spare area too, under load and faults. */
export function wornUnderLoad(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.load(true, 8);
  for (let round = 0; round < 14 && pair.violations.length === 0; round += 1) {
    const h = pair.host(1 + pair.rng.below(2));
    const place = (pair.rng.below(8) * 1024 * 1024 + pair.rng.below(4) * 200 * 1024) / SECTOR;
    spoilFor(h, place + pair.rng.below(16), pair.rng.below(2) === 0 ? 'bad' : 'lies');
    // A spare block may be no better.
    if (pair.rng.below(3) === 0) spoilFor(h, h.sectors + pair.rng.below(64), 'lies');
    pair.runFor(70 * MS);
    if (round % 5 === 4) pair.fault();
    restart(pair);
  }
  // What was bad reads well from now on: whoever looks there finds what was there long ago.
  mend(pair);
  pair.runFor(1_500 * MS);
  restart(pair);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** Whoever gave its disk up, for part of a block that was refused, begins anew. */
function restart(pair: Pair): void {
  for (const { node, disk } of pair.hosts) if (disk === 'Failed') pair.crashCore(node, 5 * MS);
}

/** A client writes whole blocks that the disk of host `node` refuses: it notices nothing. */
export function refusedWhole(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const node = 1 + (seed % 2);
  const [first] = blocks(pair, 1) as [number];
  spoilFor(pair.host(node), first + BLOCK_SECTORS, 'bad');
  const before = first - (first % BLOCK_SECTORS);
  if (done(pair, 1, Event.ReqWrite, before, 3 * BLOCK_SECTORS) !== 0) {
    pair.violations.push('LAW-heals: a block that one disk refuses fails a client');
  }
  pair.runFor(50 * MS);
  if (pair.record.members.length < 2) {
    pair.violations.push('LAW-heals: a block that is refused costs the replica');
  }
  mend(pair);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** The first spare block takes what is written, and gives nothing back. */
export function spareUnread(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const h = pair.host(1);
  const [first] = blocks(pair, 1) as [number];
  const block = (first - (first % BLOCK_SECTORS)) / BLOCK_SECTORS;
  spoilFor(h, first, 'bad');
  spoilFor(h, h.sectors, 'lies');
  done(pair, 1, Event.ReqWrite, block * BLOCK_SECTORS, BLOCK_SECTORS);
  const page = durablyMoved(pair.config, h).get(block);
  if (page === undefined || page === spareOf(pair.config).first) {
    pair.violations.push('LAW-evidence: a block was moved to where it cannot be read');
  }
  mend(pair);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** A block moves and is written; then the core begins anew, and finds the old place readable. */
export function movedThenRestarted(seed: number, canaries: readonly string[] = []): Pair {
  const [pair, first] = moved(seed, canaries);
  const block = first - (first % BLOCK_SECTORS);
  done(pair, 1, Event.ReqWrite, block, BLOCK_SECTORS);
  pair.runFor(50 * MS);
  mend(pair);
  pair.crashCore(1, 5 * MS);
  pair.runFor(1_500 * MS);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** A block moved, and was written; copies of the table rot while host 1 is off. */
function rotten(copies: readonly ('A' | 'B')[], seed: number, canaries: readonly string[]): Pair {
  const [pair, first] = moved(seed, canaries);
  done(pair, 1, Event.ReqWrite, first - (first % BLOCK_SECTORS), BLOCK_SECTORS);
  pair.runFor(100 * MS);
  pair.powerOff(1);
  const h = pair.host(1);
  const { copyA, copyB } = spareOf(pair.config);
  for (const copy of copies) {
    const page = copy === 'A' ? copyA : copyB;
    h.meta.set(
      page,
      (h.meta.get(page) as Uint8Array).map((byte) => byte ^ 0x40),
    );
  }
  mend(pair);
  pair.runFor(500 * MS);
  pair.powerOn(1);
  pair.runFor(500 * MS);
  return pair;
}

/** A lost table: nobody knows what stands elsewhere, so nothing of the replica can be believed. */
export function tableLost(seed: number, canaries: readonly string[] = []): Pair {
  const pair = rotten(['A', 'B'], seed, canaries);
  if (pair.host(1).disk !== 'Failed') {
    pair.violations.push('LAW-register: a replica is used that does not know where its blocks are');
  }
  return pair;
}

/** One copy of the table is as good as two, and is two again. */
export function copyLost(seed: number, canaries: readonly string[] = []): Pair {
  const pair = rotten([seed % 2 === 0 ? 'A' : 'B'], seed, canaries);
  if (pair.host(1).disk === 'Failed') {
    pair.violations.push('LAW-heals: one bad page costs the replica');
    return pair;
  }
  pair.settle();
  return pair;
}

/** The sector of a host's disk that holds sector `sector` of the volume. */
export function standsAt(pair: Pair, node: number, sector: number): number {
  const h = pair.host(node);
  const page = durablyMoved(pair.config, h).get(Math.floor(sector / BLOCK_SECTORS)) ?? 0;
  return sectorAt(pair.config, h, sector * SECTOR, page);
}

/** A block of host 1 can be neither read nor written, and no spare block either. */
export function noPlace(seed: number, how: 'refuses' | 'lies'): Pair {
  const pair = written(seed);
  const [first] = blocks(pair, 1) as [number];
  const h = pair.host(1);
  for (const s of [first, ...spareSectors(h)]) {
    h.unreadable.add(s);
    h.stuck.set(s, how);
  }
  done(pair, 1, Event.ReqRead, first, 1);
  pair.runFor(50 * MS);
  return pair;
}

/** All sectors of a host's spare area. */
export function spareSectors(h: Host): number[] {
  return Array.from({ length: h.cache.length - h.sectors }, (_, i) => h.sectors + i);
}

/** Part of a block is refused on host `node`; without the other host, where that is host 1. */
export function refusedPart(seed: number, node: number): Pair {
  const pair = written(seed);
  if (node === 1) {
    pair.powerOff(2);
    until(pair, () => pair.record.members.length === 1 && pair.activeEpoch === pair.record.epoch);
  }
  const [first] = blocks(pair, 1) as [number];
  spoilFor(pair.host(node), first, 'bad');
  done(pair, 1, Event.ReqWrite, first - (first % BLOCK_SECTORS) + 3, 1);
  pair.runFor(50 * MS);
  return pair;
}

/** Blocks of host 1 go bad for good until so many of a hundred spare ones are in use. */
export function fillSpare(pair: Pair, node: number, percent: number): void {
  const h = pair.host(node);
  const { count } = spareOf(pair.config);
  const wanted = Math.ceil((count * percent) / 100) - (percent < 80 ? 1 : 0);
  for (let block = 300; movedOf(pair, node).length < wanted; block += 1) {
    spoilFor(h, block * BLOCK_SECTORS, 'bad');
    done(pair, 1, Event.ReqWrite, block * BLOCK_SECTORS, BLOCK_SECTORS);
  }
  pair.runFor(50 * MS);
}
