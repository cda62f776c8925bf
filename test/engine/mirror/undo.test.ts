import { describe, expect, it } from 'vitest';
import { Decision, Event, Flag } from '../../../engine/data/abi.ts';
import { DiskFlag, metadataLayout } from '../../../engine/mirror/metadata.ts';
import type { UndoLayout } from '../../../engine/mirror/undo-log.ts';
import { undoLayout, ZEROES } from '../../../engine/mirror/undo-log.ts';
import { following } from '../../support/mirror-async.ts';
import { INPUT, SIDE_PAGE } from '../../support/mirror-hosts.ts';
import type { Pair } from '../../support/mirror-pair.ts';
import {
  backAgain,
  copying,
  darkAtTheEnd,
  runsOf,
  SIDE_CONFIG,
  superblockOf,
  watched,
} from '../../support/mirror-undo.ts';

const SMALL = { ...SIDE_CONFIG, sideBytes: 64 * 4096 };
const layout = undoLayout(SIDE_CONFIG.sideBytes) as UndoLayout;

/**
 * The update of the superblock by which an asynchronous replica becomes a later image is slow; its
 * link is lost and back meanwhile, so that a copy is to begin; then its host goes dark. Whether the
 * log of the image before is whole then.
 */
function slowPoint(seed: number, canaries: readonly string[] = []): boolean {
  const { pair } = following(seed, canaries);
  const { slotA, slotB } = metadataLayout(pair.config);
  const io = pair.io.bind(pair);
  let [holds, held, last] = [false, false, pair.now];
  pair.onDecision = (h, op, _slot, page, _length, _status, flags) => {
    const own = h.node === 2 && op === Decision.MetaWrite && (flags & Flag.Side) === 0;
    if (!own || (page !== slotA && page !== slotB)) return;
    // The update that begins the log, in both slots, is some time ago: this one ends it.
    holds = h.disk === 'Inconsistent' && pair.now > last + 20_000;
    last = pair.now;
    held ||= holds;
  };
  pair.io = (h, apply, done) => {
    const slow = holds && h.node === 2;
    holds = false;
    if (!slow) io(h, apply, done);
  };
  until(pair, () => held);
  pair.cut();
  pair.runFor(600_000);
  pair.heal();
  pair.runFor(300_000);
  pair.powerOff(2);
  pair.io = io;
  pair.powerOn(2);
  pair.runFor(100_000);
  return !pair.marks.has('mirror.undo.damaged');
}

function until(pair: Pair, done: () => boolean): void {
  const limit = pair.now + 5_000_000;
  while (pair.now < limit && !done()) pair.runFor(500);
  expect(done()).toBe(true);
}

describe('the undo log of a resync target', () => {
  it('keeps the image that the copy overwrites, sector for sector, whatever cuts it short', () => {
    for (let seed = 1; seed <= 6; seed += 1) expect(backAgain(seed).violations).toEqual([]);
  });

  it('is kept until the generation of the copy is durable', () => {
    for (let seed = 1; seed <= 5; seed += 1) expect(darkAtTheEnd(seed).violations).toEqual([]);
  });

  it('stands where it is until the update that gives it up is durable', () => {
    for (let seed = 1; seed <= 5; seed += 1) expect([seed, slowPoint(seed)]).toEqual([seed, true]);
    const planted = [1, 2, 3, 4, 5].map((seed) => slowPoint(seed, ['head-over-image']));
    expect(planted).toContain(false);
  });

  it('is told of while a copy is under way, and no longer', () => {
    const { pair, watch } = copying(3);
    watched(pair, watch, 50_000);
    expect(watch.told[1]).toMatchObject({ state: 'kept', reason: '', generation: 100 });
    expect(watch.copies).toBe(1);
    pair.settle();
    expect(pair.violations).toEqual([]);
    expect(watch.told[1]).toBeNull();
  });

  it('takes no room for blocks that held zeroes', () => {
    const { pair } = copying(3);
    const target = pair.hosts[1];
    until(pair, () => runsOf(SIDE_CONFIG, target).length > 20);
    const runs = runsOf(SIDE_CONFIG, target);
    expect(runs.some(({ page }) => page === ZEROES)).toBe(true);
    let next = layout.payload;
    for (const { page, blocks } of runs) {
      if (page === ZEROES) continue;
      expect(page).toBeGreaterThanOrEqual(layout.payload);
      next += blocks;
    }
    expect(Math.max(...runs.map(({ page, blocks }) => (page === ZEROES ? 0 : page + blocks)))).toBe(
      next,
    );
  });

  it('names no block twice, also after a restart in the midst of the copy', () => {
    const { pair, watch } = copying(5);
    for (let n = 0; n < 3; n += 1) {
      watched(pair, watch, 15_000);
      pair.crashCore(2, 10_000);
      watched(pair, watch, 150_000);
    }
    const seen = new Set<number>();
    for (const { block, blocks } of runsOf(SIDE_CONFIG, pair.hosts[1])) {
      for (let b = block; b < block + blocks; b += 1) {
        expect(seen.has(b)).toBe(false);
        seen.add(b);
      }
    }
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('is given up, durably and before anything else is overwritten, when it is full', () => {
    const { pair, watch } = copying(4, [], SMALL);
    until(pair, () => watch.told[1]?.state === 'lost');
    expect(watch.told[1]).toMatchObject({ state: 'lost', reason: 'full' });
    until(pair, () => superblockOf(SMALL, pair.hosts[1]).undo === 0);
    expect(superblockOf(SMALL, pair.hosts[1]).flags & DiskFlag.Inconsistent).toBe(1);
    watch.look();
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('holds the copy back when it is full and required, and says so at both ends', () => {
    const { pair, watch } = copying(4, [], { ...SMALL, undoRequired: true });
    until(pair, () => watch.told[1]?.state === 'held');
    expect(watch.told[1]).toMatchObject({ reason: 'full' });
    until(pair, () => pair.hosts[0].linkState === 'Refused');
    expect(pair.log.some((line) => line.includes('refused 1 undo-full'))).toBe(true);
    const before = pair.completed;
    watched(pair, watch, 2_000_000);
    expect(pair.hosts[1].disk).toBe('Inconsistent');
    expect(pair.completed).toBeGreaterThan(before + 100);
    expect(pair.violations).toEqual([]);
    pair.load(false);
    pair.command(pair.hosts[1], { kind: 'return', cause: 'c' });
    until(pair, () => watch.returns === 1);
    expect(pair.violations).toEqual([]);
  });

  it('is read from either copy of a page, and never taken for whole where one is missing', () => {
    for (const [rot, kept] of [
      [[0], 'kept'],
      [[1], 'kept'],
      [[0, 1], 'lost'],
    ] as const) {
      const { pair, watch } = copying(6);
      until(pair, () => runsOf(SIDE_CONFIG, pair.hosts[1]).length > 30);
      pair.powerOff(2);
      pair.cut();
      for (const copy of rot) {
        const page = (layout.copies[copy] as number) + 2;
        const bytes = pair.hosts[1].meta.get(SIDE_PAGE + page) as Uint8Array;
        bytes[100] = (bytes[100] as number) ^ 1;
      }
      pair.runFor(50_000);
      pair.powerOn(2);
      until(pair, () => watch.told[1]?.state === kept);
      if (kept === 'lost') expect(watch.told[1]?.reason).toBe('damaged');
      // Twice at least: every batch but the last has a whole one behind it.
      pair.heal();
      if (kept === 'lost') watch.look = () => {};
      pair.settle();
      expect(pair.violations.filter((v) => !v.startsWith('P1: the log'))).toEqual([]);
    }
  });

  it('belongs to nobody else: a log in a side area that was changed is no way back', () => {
    const { pair, watch } = copying(6);
    until(pair, () => runsOf(SIDE_CONFIG, pair.hosts[1]).length > 5);
    pair.powerOff(2);
    pair.cut();
    for (const page of [...pair.hosts[1].meta.keys()]) {
      if (page >= SIDE_PAGE) pair.hosts[1].meta.delete(page);
    }
    pair.runFor(50_000);
    pair.powerOn(2);
    until(pair, () => watch.told[1]?.state === 'lost');
    expect(watch.told[1]?.reason).toBe('damaged');
  });

  it('writes nothing to the side area but what is durable when it is done', () => {
    const { pair } = copying(7);
    let writes = 0;
    const seen = pair.onDecision;
    pair.onDecision = (h, op, ...rest) => {
      seen?.(h, op, ...rest);
      const decisions = h.memory.decisions;
      for (let d = 0; op === Decision.LocalWrite && d < decisions.capacity; d += 1) {
        if (decisions.op(d) !== Decision.LocalWrite) continue;
        if ((decisions.flags(d) & Flag.Side) === 0) continue;
        writes += 1;
        expect(decisions.flags(d) & Flag.Fua).toBe(Flag.Fua);
      }
    };
    pair.runFor(30_000);
    expect(writes).toBeGreaterThan(0);
  });

  it('is no concern of a replica without a side area', () => {
    const { pair, watch } = copying(3, [], { ...SIDE_CONFIG, sideBytes: 0 });
    pair.give(pair.hosts[1], {
      ...INPUT,
      op: Event.Control,
      command: { kind: 'return', cause: '' },
    });
    pair.settle();
    expect(pair.violations).toEqual([]);
    expect(watch.told[1]).toBeNull();
  });
});
