import { describe, expect, it } from 'vitest';
import { adoptGeneration, startGeneration } from '../../../engine/mirror/generation.ts';
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
  features: OWN_FEATURES,
});

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

  it('are taken over whole from the source of a finished copy', () => {
    const block = fresh(5, [4]);
    adoptGeneration(block, 9, [8, 5]);
    expect([block.generation, block.parents, block.peerGeneration]).toEqual([9, [8, 5], 9]);
  });
});
