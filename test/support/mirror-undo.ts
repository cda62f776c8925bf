/** The way back of a resync target in the pair harness: what returning would give, at any time. */
import { Decision } from '../../engine/data/abi.ts';
import type { WayBack } from '../../engine/data/messages.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import {
  chooseSuperblock,
  DiskFlag,
  decodeSuperblock,
  metadataLayout,
  type Superblock,
} from '../../engine/mirror/metadata.ts';
import { deviceBytes } from '../../engine/mirror/page.ts';
import {
  decodeUndoBatch,
  type UndoLayout,
  type UndoRun,
  undoLayout,
  ZEROES,
} from '../../engine/mirror/undo-log.ts';
import { uncovered } from './mirror-cover.ts';
import { type Host, MS, SIDE_PAGE } from './mirror-hosts.ts';
import { PAIR_CONFIG, Pair } from './mirror-pair.ts';

export const SIDE_CONFIG: MirrorConfig = { ...PAIR_CONFIG, sideBytes: 16 * 1024 * 1024 };
const BLOCK_SECTORS = 8;
const PAGE_SECTORS = 8;

/** The superblock that a start would find. */
export function superblockOf(config: MirrorConfig, h: Host): Superblock {
  const { slotA, slotB } = metadataLayout(config);
  const read = (page: number) =>
    decodeSuperblock(config, h.node, page, h.meta.get(page) as Uint8Array);
  const chosen = chooseSuperblock(read(slotA), read(slotB));
  if (!chosen.ok) throw new Error(chosen.fault);
  return chosen.block;
}

/** Every run that the host's durable log has, oldest first. */
export function runsOf(config: MirrorConfig, h: Host): UndoRun[] {
  const block = superblockOf(config, h);
  const layout = undoLayout(config.sideBytes) as UndoLayout;
  const device = deviceBytes(block.device);
  const runs: UndoRun[] = [];
  for (let number = 0; number < layout.batches; number += 1) {
    const [a, b] = layout.copies.map((copy) => {
      const page = copy + 1 + number;
      const bytes = h.meta.get(SIDE_PAGE + page);
      if (bytes === undefined) return null;
      return decodeUndoBatch(device, page, block.undo, number, bytes);
    });
    const batch = a ?? b ?? null;
    if (batch === null) return runs;
    runs.push(...batch);
  }
  return runs;
}

/** What the data would be if `from`, the disk or its cache, were returned to its image now. */
export function imageOf(h: Host, from: Uint32Array, runs: readonly UndoRun[]): Uint32Array {
  const image = from.slice(0, h.sectors);
  for (let run = runs.length - 1; run >= 0; run -= 1) {
    const { block, blocks, page } = runs[run] as UndoRun;
    const at = block * BLOCK_SECTORS;
    const count = blocks * BLOCK_SECTORS;
    const kept = h.sideAt + page * PAGE_SECTORS;
    if (page === ZEROES) image.fill(0, at, at + count);
    else image.set(h.stable.subarray(kept, kept + count), at);
  }
  return image;
}

/** Holds what returning would give against what was there when the copy began. */
export class WayBackWatch {
  readonly #pair: Pair;
  /** What each host had when its present log began. */
  readonly #begun: ({ log: number; image: Uint32Array } | null)[] = [null, null];
  readonly told: (WayBack | null)[] = [null, null];
  /** Copies that were watched, and images that came back. */
  copies = 0;
  returns = 0;

  constructor(pair: Pair) {
    this.#pair = pair;
    const report = pair.report.bind(pair);
    pair.report = (h, said) => {
      if (said.kind === 'way-back') this.told[h.node - 1] = said.wayBack;
      report(h, said);
      if (said.kind === 'event' && said.event.kind === 'mirror.return.end') this.#returned(h);
    };
    pair.onDecision = (h, op) => {
      // Nothing is overwritten before the log is durably there.
      if (op === Decision.LocalWrite) this.#begin(h);
    };
  }

  look(): void {
    for (const h of this.#pair.hosts) this.#look(h);
  }

  #begin(h: Host): void {
    const { undo } = superblockOf(this.#pair.config, h);
    const at = h.node - 1;
    if (undo === 0 || this.#begun[at]?.log === undo) return;
    this.copies += 1;
    this.#begun[at] = { log: undo, image: h.stable.slice(0, h.sectors) };
  }

  #look(h: Host): void {
    const { config, violations } = this.#pair;
    const at = h.node - 1;
    const begun = this.#begun[at];
    if (begun === null || begun === undefined) return;
    const block = superblockOf(config, h);
    if (block.undo !== begun.log) {
      this.#begun[at] = null;
      const none = block.undo === 0 && (block.flags & DiskFlag.Inconsistent) !== 0;
      if (none) {
        if (this.told[at]?.state !== 'lost') violations.push('P1: the log went too early');
      } else if ((block.flags & DiskFlag.Outdated) !== 0) this.#compare(h, begun.image, h.stable);
      return;
    }
    const runs = runsOf(config, h);
    this.#compare(h, begun.image, imageOf(h, h.stable, runs));
    if (h.powered) this.#compare(h, begun.image, imageOf(h, h.cache, runs));
  }

  #returned(h: Host): void {
    this.returns += 1;
    const begun = this.#begun[h.node - 1];
    if (begun === null || begun === undefined) return;
    this.#compare(h, begun.image, h.stable);
    const hole = uncovered(this.#pair);
    if (hole !== null) this.#pair.violations.push(hole);
    this.#begun[h.node - 1] = null;
  }

  #compare(h: Host, image: Uint32Array, now: Uint32Array): void {
    // Zeroes that come back are not told from one another.
    const zero = (stamp: number) => this.#pair.zeroes.all(Uint32Array.of(stamp));
    const content = (stamp: number) => (zero(stamp) ? 0 : stamp);
    for (let at = 0; at < image.length; at += 1) {
      const [was, is] = [image[at] as number, now[at] as number];
      if (was === is || content(was) === content(is)) continue;
      this.#pair.violations.push(`P1: sector ${at} of host ${h.node}: ${is}, and it was ${was}`);
      return;
    }
  }
}

/** A pair in which host 2 is being copied to, under load; the watch has seen it from the start. */
export function copying(
  seed: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = SIDE_CONFIG,
): { readonly pair: Pair; readonly watch: WayBackWatch } {
  const pair = new Pair({ seed, canaries, config });
  const watch = new WayBackWatch(pair);
  pair.runFor(300 * MS);
  pair.load(true);
  pair.runFor(200 * MS);
  pair.cut();
  pair.runFor(600 * MS);
  pair.heal();
  const limit = pair.now + 1_000 * MS;
  while (pair.now < limit && pair.hosts[1].linkState !== 'SyncTarget') pair.runFor(200);
  return { pair, watch };
}

/** Lets time pass, and looks often. */
export function watched(pair: Pair, watch: WayBackWatch, micros: number): void {
  const until = pair.now + micros;
  while (pair.now < until && pair.violations.length === 0) {
    pair.runFor(2 * MS);
    watch.look();
  }
}

export function orderReturn(pair: Pair, h: Host): void {
  pair.command(h, { kind: 'return', cause: 'c' });
}

/** Copies that are cut short by anything, returned from, cut short again, and at last finished. */
export function backAgain(seed: number, canaries: readonly string[] = []): Pair {
  const { pair, watch } = copying(seed, canaries);
  const { rng } = pair;
  const target = pair.host(3 - pair.record.primary);
  for (let n = 0; n < 4 && pair.violations.length === 0; n += 1) {
    watched(pair, watch, rng.between(1, 40) * MS);
    const die = rng.below(4);
    if (die === 0) pair.powerOff(target.node);
    else if (die === 1) pair.crashCore(target.node, rng.between(1, 50) * MS);
    pair.cut();
    watch.look();
    watched(pair, watch, rng.between(1, 100) * MS);
    pair.powerOn(target.node);
    watched(pair, watch, 60 * MS);
    if (rng.below(3) > 0) {
      orderReturn(pair, target);
      watched(pair, watch, rng.between(1, 60) * MS);
      if (rng.below(3) === 0) pair.powerOff(target.node);
      watch.look();
      watched(pair, watch, 60 * MS);
      pair.powerOn(target.node);
    }
    const hole = pair.violations.length === 0 ? uncovered(pair) : null;
    if (hole !== null) pair.violations.push(hole);
    pair.heal();
    watched(pair, watch, rng.between(10, 120) * MS);
  }
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** A return is ordered while the log is being read after a start, or a copy is about to go on. */
export function orderedMeanwhile(seed: number, canaries: readonly string[] = []): Pair {
  const { pair, watch } = copying(seed, canaries);
  const { rng } = pair;
  const target = pair.hosts[1];
  const report = pair.report.bind(pair);
  const late = rng.below(5) * MS;
  let awaited = '';
  pair.report = (h, said) => {
    report(h, said);
    if (h !== target || said.kind !== 'event' || said.event.kind !== awaited) return;
    awaited = '';
    pair.after(late, () => orderReturn(pair, target));
  };
  watched(pair, watch, rng.between(20, 80) * MS);
  if (rng.below(2) === 0) {
    awaited = 'mirror.attach';
    pair.powerOff(2);
    pair.cut();
    watched(pair, watch, 20 * MS);
    pair.powerOn(2);
  } else {
    pair.cut();
    watched(pair, watch, 50 * MS);
    awaited = 'mirror.target.start';
    pair.heal();
  }
  watched(pair, watch, 300 * MS);
  pair.heal();
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** The target loses power at a moment of the end of its copy. */
export function darkAtTheEnd(seed: number, canaries: readonly string[] = []): Pair {
  const { pair, watch } = copying(seed, canaries);
  pair.load(false);
  let ending = false;
  const seen = pair.onDecision;
  pair.onDecision = (h, op, ...rest) => {
    seen?.(h, op, ...rest);
    ending ||= h.node === 1 && pair.hosts[0].dirty === 0 && op === Decision.PeerMessage;
  };
  const limit = pair.now + 2_000 * MS;
  while (pair.now < limit && !ending && pair.violations.length === 0) watched(pair, watch, 500);
  watched(pair, watch, pair.rng.below(12) * MS);
  pair.powerOff(2);
  watch.look();
  pair.runFor(100 * MS);
  pair.powerOn(2);
  pair.settle();
  return pair;
}
