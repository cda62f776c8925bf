import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Event } from '../../../engine/data/abi.ts';
import { until } from '../../support/mirror-cases.ts';
import { INPUT } from '../../support/mirror-hosts.ts';
import type { Pair } from '../../support/mirror-pair.ts';
import {
  contents,
  honest,
  nobodyKnows,
  readBeforeCompared,
  readBlock,
  repairedRightly,
  rottenSource,
  rotting,
  spoiltSums,
  summed,
  writtenBlocks,
} from '../../support/mirror-sums.ts';
import { corrupt, different, verified } from '../../support/mirror-verify.ts';

type Schedule = (seed: number) => Pair;

/** What each of some seeds broke. */
function broken(schedule: Schedule, seeds: number): string[] {
  const found: string[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) found.push(...schedule(seed).violations);
  return found;
}

describe('a volume with checksums', () => {
  it('never shows a client what a disk has spoiled, and heals it from the right side', () => {
    expect(broken(rotting, 12)).toEqual([]);
  });

  it('never accuses a disk that has kept its word, whatever crashes', () => {
    expect(broken(honest, 12)).toEqual([]);
  });

  it('puts a block right for the first who reads it', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(15), (seed, at) => {
        const pair = summed(seed);
        const block = writtenBlocks(pair, 16)[at] as number;
        const sound = contents(pair, 2, [block]);
        corrupt(pair, 1, [block]);
        expect(readBlock(pair, 1, block)).toBe(true);
        expect(until(pair, () => different(pair).length === 0, 500_000)).toBe(true);
        expect(contents(pair, 1, [block])).toEqual(sound);
        expect(pair.violations).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  it('fails a read of what both have lost, and none of what stands beside it', () => {
    const pair = summed(3);
    const [lost, beside] = writtenBlocks(pair, 2) as [number, number];
    corrupt(pair, 1, [lost]);
    corrupt(pair, 2, [lost]);
    expect(readBlock(pair, 1, lost)).toBe(false);
    expect(readBlock(pair, 1, beside)).toBe(true);
    const { findings } = verified(pair, 1, { level: 'digest', repair: true });
    expect(findings).toMatchObject([
      { block: lost, what: 'unreadable', right: 0, why: 'both-lost' },
    ]);
    // Looking at it has blessed nothing.
    expect(readBlock(pair, 1, lost)).toBe(false);
    expect(pair.violations).toEqual([]);
  });

  it('changes nothing where neither copy has a checksum', () => {
    expect(broken(nobodyKnows, 10)).toEqual([]);
  });

  it('believes the copy that has a checksum, though the other was read before', () => {
    expect(broken(readBeforeCompared, 10)).toEqual([]);
  });

  it('gives both copies checksums where a comparison finds them equal', () => {
    const pair = nobodyKnows(1);
    // Equal again, but for what differs: the next comparison knows of the others.
    const all = writtenBlocks(pair, 999).filter((block) => !different(pair).includes(block));
    const bad = all.slice(0, 10);
    const sound = contents(pair, 1, bad);
    corrupt(pair, 2, bad);
    const primary = pair.record.primary;
    const { findings } = verified(pair, primary, { id: 2, level: 'digest' });
    const blamed = findings.filter(({ why }) => why === 'checksum');
    expect(blamed.reduce((sum, { blocks }) => sum + blocks, 0)).toBe(bad.length);
    expect(contents(pair, 2, bad)).toEqual(sound);
  });

  it('writes what is right over what is not, wherever the primary is', () => {
    expect(broken(repairedRightly, 10)).toEqual([]);
  });

  it('copies no rotten block as a good one', () => {
    expect(broken(rottenSource, 8)).toEqual([]);
  });

  it('serves blocks whose checksums are lost as if it had none', () => {
    expect(broken(spoiltSums, 4)).toEqual([]);
    expect(spoiltSums(1).marks).toContain('mirror.sums.page-lost');
  });

  it('keeps a few pages in memory, however much of the volume is touched', () => {
    const pair = summed(1);
    for (let block = 0; block < 2048; block += 97) expect(readBlock(pair, 1, block)).toBe(true);
    expect(pair.violations).toEqual([]);
  });

  it('fails what waits for a page when its disk is given up', () => {
    const pair = summed(2);
    const h = pair.host(1);
    // So long that every page is closed: the write has to open one first.
    pair.runFor(12_000_000);
    h.metaBroken = true;
    const slot = h.busyFront.indexOf(null);
    const [op, length] = [Event.ReqWrite, 4096];
    h.busyFront[slot] = { kind: op, first: 0, count: 8, invoked: pair.now, writes: [] };
    pair.give(h, { ...INPUT, op, slot, offset: 0, length });
    expect(until(pair, () => h.busyFront[slot] === null)).toBe(true);
    expect(h.disk).toBe('Failed');
  });
});
