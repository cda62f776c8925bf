import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OWN_FEATURES } from '../../../engine/mirror/features.ts';
import {
  APART,
  adoptGeneration,
  diskTag,
  mapFits,
  NO_DISK,
  startGeneration,
  strayOf,
} from '../../../engine/mirror/generation.ts';
import { PARENTS_MAX, type Superblock } from '../../../engine/mirror/metadata.ts';

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
  peerDisk: 0,
  others: [],
  remaps: 0,
  layout: 0,
  undo: 0,
  features: OWN_FEATURES,
});

/** As a replica asks it that has one partner. */
function fits(
  own: Superblock,
  peer: { generation: number; parents: readonly number[]; device?: number },
): boolean {
  return mapFits(own, { shared: own.peerGeneration, about: own.peerDisk }, peer);
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

  it('fit nobody where nothing is known to be equal, not even by name', () => {
    const own = fresh(5, [4]);
    own.peerGeneration = APART;
    for (const generation of [0, 4, 5]) expect(fits(own, { generation, parents: [4] })).toBe(false);
  });

  it('fit a disk that has the same ones only where it is the one that they were noted of', () => {
    const own = fresh(5, [4]);
    const peer = { generation: 5, parents: [4] };
    const [this_, other] = ['0123456789abcdef'.repeat(2), 'f'.repeat(32)].map(diskTag);
    adoptGeneration(own, 5, [4], 0, this_);
    const fit = [this_ ?? 0, other ?? 0, 0].map((device) => fits(own, { ...peer, device }));
    // A program of before says nothing of its disk, and noted none.
    expect(fit).toEqual([true, false, true]);
    adoptGeneration(own, 5, [4]);
    expect(fits(own, { ...peer, device: other ?? 0 })).toBe(true);
    adoptGeneration(own, 5, [4], 0, NO_DISK);
    expect(fits(own, { ...peer, device: this_ ?? 0 })).toBe(false);
  });

  it('know disks by tags that are never those of none', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(15), { minLength: 32, maxLength: 32 }), (digits) => {
        const tag = diskTag(digits.map((digit) => digit.toString(16)).join(''));
        expect(tag > 0 && tag < NO_DISK).toBe(true);
      }),
    );
    expect(diskTag('0'.repeat(32))).toBe(1);
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
        // A taker that began one and never served has all the same what it had before, if we know
        // that it never did. Of any other one nobody here knows what was written in it.
        const taker = { generation: 99, parents: lineage(generation) };
        const knowing = { ...own, parents: [...own.parents, 99] };
        expect(fits(knowing, taker)).toBe(generation === base);
        expect(fits(own, taker)).toBe(false);
        expect(fits(own, { generation: 0, parents: [] })).toBe(false);
        expect(fits(own, { generation: own.generation, parents: own.parents })).toBe(true);
      }),
    );
  });

  it('tell where a replica went through what another never had, whatever is forgotten', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(4), fc.nat(4), fc.nat(3), (common, own, other, kept) => {
        const shared = lineage(common + 1);
        const mine = Array.from({ length: own }, (_, i) => 100 - i);
        const theirs = Array.from({ length: other }, (_, i) => 200 - i);
        const [generation, ...parents] = [...mine, ...shared] as [number, ...number[]];
        const old = { generation, parents };
        const line = [...theirs, ...shared].slice(
          0,
          Math.max(1, theirs.length + shared.length - kept),
        );
        const young = { generation: 999, parents: line };
        // Where they have nothing in common any more there is nothing to go back to.
        const met = line.some((g) => shared.includes(g));
        expect(strayOf(old, young)).toBe(met && own > 0 ? 100 : 0);
        // A name that the young one learnt without the data does not make up for the others.
        const named = { generation: 999, parents: [...line, generation] };
        expect(strayOf(old, named)).toBe(met && own > 1 ? 99 : 0);
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
