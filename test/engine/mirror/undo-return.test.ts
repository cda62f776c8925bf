import { describe, expect, it } from 'vitest';
import { Decision } from '../../../engine/data/abi.ts';
import { DiskFlag } from '../../../engine/mirror/metadata.ts';
import type { Host } from '../../support/mirror-hosts.ts';
import type { Pair } from '../../support/mirror-pair.ts';
import {
  copying,
  orderedMeanwhile,
  orderReturn,
  runsOf,
  SIDE_CONFIG,
  superblockOf,
  type WayBackWatch,
  watched,
} from '../../support/mirror-undo.ts';

/** A copy that was cut short for good: its source is dark. */
function stranded(
  seed: number,
  blocks: number,
): { readonly pair: Pair; readonly watch: WayBackWatch; readonly target: Host } {
  const { pair, watch } = copying(seed);
  const target = pair.hosts[1];
  const limit = pair.now + 1_000_000;
  const saved = () => runsOf(SIDE_CONFIG, target).reduce((sum, run) => sum + run.blocks, 0);
  while (pair.now < limit && saved() < blocks) pair.runFor(500);
  pair.powerOff(1);
  pair.load(false);
  // It has to notice: while its source is there nothing is put back.
  for (let n = 0; n < 20 && target.linkState !== 'Connecting'; n += 1) {
    watched(pair, watch, n === 0 ? 100_000 : 20_000);
  }
  return { pair, watch, target };
}

function finished(pair: Pair, watch: WayBackWatch): boolean {
  const limit = pair.now + 2_000_000;
  while (pair.now < limit && watch.returns === 0 && pair.violations.length === 0) pair.runFor(500);
  return watch.returns > 0;
}

describe('the return of a resync target to its image', () => {
  it('gives back the image, Outdated, with its generation, and is a target again later', () => {
    const { pair, watch, target } = stranded(2, 60);
    orderReturn(pair, target);
    expect(finished(pair, watch)).toBe(true);
    const block = superblockOf(SIDE_CONFIG, target);
    expect([block.generation, block.undo]).toEqual([100, 0]);
    expect(block.flags & (DiskFlag.Inconsistent | DiskFlag.Outdated)).toBe(DiskFlag.Outdated);
    pair.runFor(50_000);
    expect([target.disk, target.role]).toEqual(['Outdated', 'Secondary']);
    pair.powerOn(1);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('leads nobody to take the old image for the newest', () => {
    const { pair, watch, target } = stranded(2, 40);
    orderReturn(pair, target);
    expect(finished(pair, watch)).toBe(true);
    // The log names it a member, in this life, with data that it does not have.
    const members = [1, 2].map((node) => ({ node, boot: pair.host(node).boot }));
    pair.commit({ primary: 2, members });
    pair.runFor(500_000);
    expect(target.role).not.toBe('Primary');
    expect(target.disk).toBe('Outdated');
  });

  it('is cut short at any write and done again, and gives the same image', () => {
    let cuts = 0;
    for (let n = 1; n <= 40; n += 3) {
      const { pair, watch, target } = stranded(9, 50);
      let writes = 0;
      let off = false;
      const seen = pair.onDecision;
      pair.onDecision = (h, op, ...rest) => {
        seen?.(h, op, ...rest);
        const writing = op === Decision.LocalWrite || op === Decision.MetaWrite;
        if (h !== target || !writing || off) return;
        writes += 1;
        if (writes < n) return;
        off = true;
        pair.after(pair.rng.below(3_000), () => {
          if (watch.returns > 0) return;
          cuts += 1;
          pair.powerOff(2);
        });
      };
      orderReturn(pair, target);
      watched(pair, watch, 60_000);
      watch.look();
      if (!target.powered) {
        pair.powerOn(2);
        watched(pair, watch, 60_000);
        orderReturn(pair, target);
      }
      expect(pair.violations).toEqual([]);
      expect(finished(pair, watch) || superblockOf(SIDE_CONFIG, target).undo === 0).toBe(true);
      pair.powerOn(1);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
    expect(cuts).toBeGreaterThan(8);
  });

  it('is refused while the source copies, without a copy, and where nothing was kept', () => {
    const { pair, watch, target } = stranded(3, 30);
    const refused: string[] = [];
    const report = pair.report.bind(pair);
    pair.report = (h, said) => {
      report(h, said);
      if (said.kind !== 'event' || said.event.kind !== 'mirror.return.refused') return;
      refused.push(String(said.event.d['reason']));
    };
    pair.powerOn(1);
    const limit = pair.now + 2_000_000;
    while (pair.now < limit && target.linkState !== 'SyncTarget') pair.runFor(500);
    orderReturn(pair, target);
    watched(pair, watch, 12_000);
    pair.settle();
    orderReturn(pair, target);
    pair.runFor(20_000);
    expect(refused).toEqual(['source-is-there', 'no-copy-begun']);
    expect(watch.returns).toBe(0);
    expect(pair.violations).toEqual([]);
  });

  it('waits until the log is read, and lets no copy begin beside it', () => {
    for (let seed = 1; seed <= 12; seed += 1) expect(orderedMeanwhile(seed).violations).toEqual([]);
  });

  it('is not overtaken by a source that comes back in the middle of it', () => {
    const { pair, watch, target } = stranded(4, 120);
    pair.powerOn(1);
    const limit = pair.now + 500_000;
    while (pair.now < limit && target.link === 0) pair.runFor(100);
    orderReturn(pair, target);
    watched(pair, watch, 400_000);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });
});
