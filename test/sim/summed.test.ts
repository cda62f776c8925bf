import { describe, expect, it } from 'vitest';
import { mustKnow } from '../../backends/sim/oracle/truth.ts';
import { SummedBlocks } from '../../backends/sim/summed.ts';
import { Ground, SECTORS } from './oracle-ground.ts';

const FIRST = 8;

/** A write to both disks, by life 0 of their cores; host 2's disk rots then. */
function rotten(length = 8): { readonly ground: Ground; life: number } {
  const made = { ground: new Ground(), life: 0 };
  const { ground } = made;
  for (const { disk } of ground.truth.replicas) {
    disk.summed = new SummedBlocks(SECTORS, () => made.life);
  }
  const op = ground.invokeWrite(FIRST, length);
  for (const node of [1, 2]) ground.put(node, op, true);
  ground.history.complete(op);
  ground.replica(2).disk.rot(1);
  return made;
}

/** The first spoiled sector of host 2, and its stamp. */
function spoiledSector({ truth, spoils }: Ground): readonly [sector: number, stamp: number] {
  const view = truth.replicas[1]?.disk.view ?? new Int32Array();
  const sector = view.findIndex((stamp) => spoils.spoiled(stamp));
  return [sector, view[sector] as number];
}

describe('what an engine with checksums must know', () => {
  it('is that a block is spoiled which it has written whole, in this life', () => {
    const { ground } = rotten();
    expect(mustKnow(ground.truth, ...spoiledSector(ground))).toBe(true);
  });

  it('is nothing of what an earlier life wrote, or of a part of a block', () => {
    const made = rotten();
    made.life = 1;
    expect(mustKnow(made.ground.truth, ...spoiledSector(made.ground))).toBe(false);
    const part = rotten(4).ground;
    expect(mustKnow(part.truth, ...spoiledSector(part))).toBe(false);
  });

  it('is nothing where its metadata are spoiled as well', () => {
    const { ground } = rotten();
    ground.replica(2).disk.metaSpoiled = true;
    expect(mustKnow(ground.truth, ...spoiledSector(ground))).toBe(false);
  });

  it('is nothing of a block that was spoiled when it came', () => {
    const { ground } = rotten();
    const [sector, stamp] = spoiledSector(ground);
    const { disk } = ground.replica(1);
    // A copy brings what rotted there.
    const stamps = new Int32Array(8).fill(stamp);
    const op = disk.submit(2, 0, FIRST, 8, true, 0, stamps, 0);
    disk.land(op);
    disk.release(op);
    expect(mustKnow(ground.truth, sector, stamp)).toBe(false);
  });
});
