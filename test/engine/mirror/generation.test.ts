import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adoptGeneration, mapFits, startGeneration } from '../../../engine/mirror/generation.ts';
import { OWN_FEATURES, PARENTS_MAX, type Superblock } from '../../../engine/mirror/metadata.ts';

const fresh = (generation: number, parents: number[] = []): Superblock => ({
  seq: 1,
  device: '',
  node: 1,
  boot: 1,
  epoch: 1,
  generation,
  parents,
  peerGeneration: generation,
  flags: 0,
  padded: 0,
  others: [],
  remaps: 0,
  features: OWN_FEATURES,
});

/** As a replica asks it that has one partner. */
function fits(own: Superblock, peer: { generation: number; parents: readonly number[] }): boolean {
  return mapFits(own.generation, own.peerGeneration, peer);
}

describe('generations', () => {
  it('remember where they come from, youngest first', () => {
    const block = fresh(5, [4]);
    startGeneration(block, 6);
    expect([block.generation, block.parents]).toEqual([6, [5, 4]]);
    startGeneration(block, 6);
    expect(block.parents).toEqual([5, 4]);
  });

  it('count those that were void among their parents, older than the present one', () => {
    const block = fresh(5, [4, 7]);
    startGeneration(block, 9, [6, 7, 9, 5, 0]);
    expect([block.generation, block.parents]).toEqual([9, [5, 7, 6, 4]]);
  });

  it('never forget the one that the peer may still have', () => {
    const block = fresh(5);
    for (let g = 100; g < 300; g += 1) startGeneration(block, g);
    expect(block.parents).toHaveLength(PARENTS_MAX);
    expect(block.parents).toContain(5);
    expect(block.parents[0]).toBe(298);
  });

  it('tell whose gaps a map knows: of who had what it began with, and nobody older', () => {
    fc.assert(
      fc.property(fc.nat(8), fc.nat(8), fc.nat(8), (before, had, since) => {
        // A peer in the middle of a lineage, and this replica, which went on alone from there.
        const own = fresh(1);
        for (let g = 2; g <= before + 2; g += 1) adoptGeneration(own, g, [...lineage(g - 1)]);
        const base = own.generation;
        for (let g = base + 1; g <= base + 1 + since; g += 1) startGeneration(own, g);
        const generation = Math.min(had + 1, base);
        const peer = { generation, parents: lineage(generation - 1) };
        expect(fits(own, peer)).toBe(generation === base);
        // A taker that began one and never served has all the same what it had before.
        expect(fits(own, { generation: 99, parents: lineage(generation) })).toBe(
          generation === base,
        );
        expect(fits(own, { generation: 0, parents: [] })).toBe(false);
        expect(fits(own, { generation: own.generation, parents: own.parents })).toBe(true);
      }),
    );
  });

  it('are taken over whole from the source of a finished copy', () => {
    const block = fresh(5, [4]);
    adoptGeneration(block, 9, [8, 5]);
    expect([block.generation, block.parents, block.peerGeneration]).toEqual([9, [8, 5], 9]);
  });
});

/** Generations from `newest` down to the first one. */
function lineage(newest: number): number[] {
  return Array.from({ length: newest }, (_, i) => newest - i);
}
