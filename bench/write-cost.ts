/**
 * What the engine itself costs: processor time and garbage per mirrored write, both hosts' actors
 * together, and memory per TiB of volume. The loop of integers beside it tells how fast the machine
 * is: the ratio counts operations of that loop for one mirrored write.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MirrorActor } from '../engine/mirror/actor.ts';
import { BlockMap, PAGE_BLOCKS } from '../engine/mirror/block-map.ts';
import { heapLoop } from './calibration.ts';
import { median } from './fio.ts';
import { LoopPair, loopActor } from './loop-pair.ts';
import type { Figure, Figures } from './report.ts';

const TIB = 1024 ** 4;
const BLOCK_BYTES = 4096;
/** Nothing per write; the messages of a barrier, every 2048 writes, are some objects. */
const ALLOCATED_BAR = 1;
/** So few that no collection comes in between, and enough that asking for the memory is nothing. */
const SAMPLE = 200_000;
const COMMAND = 'npm run bench -- --only write-cost';
/** DRBD keeps one bit per 4 KiB and peer in memory, whatever is dirty (reference: its manual). */
const BITMAP_MIB_PER_TIB = 32;

export interface WriteCostOptions {
  readonly quick: boolean;
  readonly log: (line: string) => void;
}

export function benchWriteCost({ quick, log }: WriteCostOptions): Figures {
  // Of two the middle is no measure: one in which the compiler still works would count.
  const rounds = quick ? 3 : 7;
  const writes = quick ? 50_000 : 400_000;
  const figures: Figures = {};
  for (const depth of [1, 32]) {
    const pair = new LoopPair(256 * 1024 * 1024, depth);
    // Until the compiler has seen enough, and every extent is hot.
    pair.run(quick ? 400_000 : 600_000);
    const costs: number[] = [];
    const loops: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      loops.push(nanosOf(() => heapLoop(writes)) / writes);
      costs.push(nanosOf(() => pair.run(writes)) / writes);
      log(
        `engine, depth ${depth}, round ${round}/${rounds}: ${costs.at(-1)?.toFixed(0)} ns for a ` +
          `mirrored write; heap loop ${loops.at(-1)?.toFixed(0)} ns`,
      );
    }
    figures[`engine-mirrored-write-qd${depth}`] = figure(costs, loops, 'ns (peer: heap loop)');
    const samples = costs.map(() => garbageOf(() => pair.run(SAMPLE)) / SAMPLE);
    const garbage = Math.max(0, median(samples));
    log(`engine, depth ${depth}: ${garbage.toFixed(2)} bytes allocated for a mirrored write`);
    figures[`engine-allocated-per-write-qd${depth}`] = {
      ours: garbage,
      peer: ALLOCATED_BAR,
      ratio: garbage / ALLOCATED_BAR,
      unit: 'bytes, both hosts together (peer: bar)',
      command: COMMAND,
    };
  }
  Object.assign(figures, costOfSums(rounds, writes, log));
  Object.assign(figures, memoryPerTiB(log));
  return figures;
}

/** What keeping checksums adds to the engine's part; computing them is the backend's. */
function costOfSums(rounds: number, writes: number, log: (line: string) => void): Figures {
  const pairs = [{ checksums: true }, {}].map((change) => {
    const pair = new LoopPair(256 * 1024 * 1024, 32, change);
    pair.run(writes);
    return pair;
  });
  const [on, off] = pairs.map((): number[] => []) as [number[], number[]];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [i, pair] of pairs.entries()) {
      (i === 0 ? on : off).push(nanosOf(() => pair.run(writes)) / writes);
    }
    log(
      `engine, with checksums: ${on.at(-1)?.toFixed(0)} ns, without ${off.at(-1)?.toFixed(0)} ns`,
    );
  }
  return { 'engine-mirrored-write-qd32-checksums': figure(on, off, 'ns (peer: without)') };
}

/** An actor of a volume of 1 TiB: at rest, and with a dirty block in every page of its map. */
function memoryPerTiB(log: (line: string) => void): Figures {
  const figures: Figures = {};
  const rest = keptBy(() => keep(loopActor(TIB)));
  const worst = keptBy(() => {
    const map = new BlockMap(TIB / BLOCK_BYTES);
    for (let block = 0; block < map.blocks; block += PAGE_BLOCKS) map.mark(block);
    keep(map);
  });
  for (const [name, bytes] of [
    ['engine-memory-per-tib-clean', rest],
    ['engine-memory-per-tib-dirty-everywhere', worst],
  ] as const) {
    const ours = bytes / 1024 / 1024;
    log(`${name}: ${ours.toFixed(2)} MiB`);
    const unit = 'MiB (peer: a bit per 4 KiB, as DRBD keeps it)';
    const ratio = ours / BITMAP_MIB_PER_TIB;
    figures[name] = { ours, peer: BITMAP_MIB_PER_TIB, ratio, unit, command: COMMAND };
  }
  kept.length = 0;
  return figures;
}

const kept: (MirrorActor | BlockMap)[] = [];

function keep(what: MirrorActor | BlockMap): void {
  kept.push(what);
}

function nanosOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

/** Bytes that `work` allocates, on the heap and beside it; no collection may come in between. */
function garbageOf(work: () => void): number {
  collect();
  const before = memoryUsed();
  work();
  return memoryUsed() - before;
}

/** Bytes that are in use longer than `work` takes, on the heap and beside it. */
function keptBy(work: () => void): number {
  collect();
  const before = memoryUsed();
  work();
  collect();
  return memoryUsed() - before;
}

function memoryUsed(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Twice: an array's bytes beside the heap go after the object that held them. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  const once = runInNewContext('gc') as () => void;
  once();
  once();
}

function figure(ours: readonly number[], peer: readonly number[], unit: string): Figure {
  return {
    ours: median(ours),
    peer: median(peer),
    ratio: median(ours.map((one, round) => one / (peer[round] ?? Number.NaN))),
    unit,
    command: COMMAND,
  };
}
