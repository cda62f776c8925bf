/** Sectors of a simulated disk that cannot be read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrayPool } from '../../backends/sim/arrays.ts';
import { SimDisk } from '../../backends/sim/disk.ts';
import { DiskIlls } from '../../backends/sim/disk-ills.ts';
import { DiskOp } from '../../backends/sim/disk-op.ts';
import { DEFAULT_DISK_LATENCY } from '../../backends/sim/disk-options.ts';
import { LatentErrors } from '../../backends/sim/latent-errors.ts';
import { Spoils } from '../../backends/sim/spoils.ts';
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import { Rng } from '../../engine/core/rng.ts';
import { Status } from '../../engine/data/abi.ts';

const SECTORS = 64;

function made(seed: number): { readonly disk: SimDisk; readonly latent: LatentErrors } {
  const size = { sectors: SECTORS, metaPages: 1, maxSectors: 8 };
  const latent = new LatentErrors(() => new Rng(seed, 2));
  const pool = new ArrayPool();
  const hash = new TraceHash();
  const rng = new Rng(seed, 1);
  const [spoils, ills] = [new Spoils(), new DiskIlls()];
  const latency = DEFAULT_DISK_LATENCY;
  const disk = new SimDisk('d', pool, 1, size, latency, hash, rng, spoils, ills, latent);
  return { disk, latent };
}

function write(disk: SimDisk, sector: number, stamp: number): void {
  const op = disk.submit(DiskOp.Write, 0, sector, 1, false, 0, new Int32Array([stamp]), 0);
  disk.land(op);
  expect(disk.statusOf(op)).toBe(0);
  disk.release(op);
}

/** What a read of `count` sectors says, or how it failed. */
function read(disk: SimDisk, sector: number, count: number): number | readonly number[] {
  const op = disk.submit(DiskOp.Read, 0, sector, count, false, 0, null, 0);
  disk.land(op);
  const stamps = new Int32Array(count);
  disk.copyOut(op, stamps, 0);
  const status = disk.statusOf(op);
  disk.release(op);
  return status === 0 ? [...stamps] : status;
}

describe('a latent error', () => {
  it('fails every read that touches it, gives nothing away, and harms no other', () => {
    const { disk, latent } = made(1);
    for (let at = 0; at < SECTORS; at += 1) write(disk, at, at + 100);
    latent.strike([9, 10]);
    expect(read(disk, 8, 1)).toEqual([108]);
    expect(read(disk, 8, 2)).toBe(Status.Medium);
    expect(read(disk, 10, 8)).toBe(Status.Medium);
    expect(read(disk, 11, 3)).toEqual([111, 112, 113]);
    expect([disk.view[9], disk.media[9], latent.struck]).toEqual([109, 0, 2]);
  });

  it('is gone when its sector is written, or outlives it, or refuses it, until it is over', () => {
    let outlived = 0;
    let refused = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const { disk, latent } = made(seed);
      latent.strike([5]);
      if (latent.refuses(5)) {
        const op = disk.submit(DiskOp.Write, 0, 4, 2, false, 0, new Int32Array([6, 7]), 0);
        disk.land(op);
        expect(disk.statusOf(op)).toBe(Status.Medium);
        disk.release(op);
        latent.mend([5]);
        // The refused one stays as it is, and no other.
        expect(read(disk, 4, 2)).toEqual([6, 0]);
        refused += 1;
        continue;
      }
      write(disk, 5, 7);
      const after = read(disk, 5, 1);
      if (after === Status.Medium) outlived += 1;
      else expect(after).toEqual([7]);
      latent.mend([5]);
      expect(read(disk, 5, 1)).toEqual([7]);
      expect(latent.any).toBe(false);
    }
    expect(outlived).toBeGreaterThan(10);
    expect(outlived).toBeLessThan(70);
    expect(refused).toBeGreaterThan(10);
    expect(refused).toBeLessThan(70);
  });

  it('outlives a loss of power', () => {
    const { disk, latent } = made(3);
    latent.strike([5]);
    disk.crash('all');
    expect(read(disk, 5, 1)).toBe(Status.Medium);
  });

  it('is drawn within one block, among the places written last', () => {
    fc.assert(
      fc.property(fc.nat(1000), (seed) => {
        const { disk, latent } = made(seed);
        for (let at = 0; at < SECTORS; at += 1) write(disk, at, at < 16 ? at : at + 50);
        const drawn = latent.draw(disk.view);
        expect(drawn.length).toBeGreaterThan(0);
        const block = Math.floor((drawn[0] as number) / 8);
        for (const [i, at] of drawn.entries()) {
          expect([at, Math.floor(at / 8)]).toEqual([(drawn[0] as number) + i, block]);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('a transient error', () => {
  it('strikes as often as it was told, and never again when it is over', () => {
    const { disk, latent } = made(4);
    write(disk, 3, 9);
    latent.change(250_000);
    let failed = 0;
    for (let n = 0; n < 1000; n += 1) if (read(disk, 3, 1) === Status.Medium) failed += 1;
    expect(failed).toBeGreaterThan(180);
    expect(failed).toBeLessThan(320);
    latent.change(-250_000);
    for (let n = 0; n < 100; n += 1) expect(read(disk, 3, 1)).toEqual([9]);
  });
});
