import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrayPool } from '../../backends/sim/arrays.ts';
import { SimDisk } from '../../backends/sim/disk.ts';
import type { CrashMode } from '../../backends/sim/disk-cache.ts';
import { DiskOp } from '../../backends/sim/disk-op.ts';
import { DEFAULT_DISK_LATENCY } from '../../backends/sim/disk-options.ts';
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import { Rng } from '../../engine/core/rng.ts';

const SECTORS = 24;

function newDisk(seed: number): SimDisk {
  const size = { sectors: SECTORS, metaPages: 2, maxSectors: 8 };
  const pool = new ArrayPool();
  const rng = new Rng(seed, 1);
  return new SimDisk('d', pool, 1, size, DEFAULT_DISK_LATENCY, new TraceHash(), rng);
}

const write = fc.record({
  kind: fc.constant('write' as const),
  sector: fc.nat(SECTORS - 8),
  count: fc.integer({ min: 1, max: 8 }),
  fua: fc.boolean(),
  lands: fc.boolean(),
});
const flush = fc.record({ kind: fc.constant('flush' as const), lands: fc.boolean() });
const mode = fc.constantFrom<CrashMode>('none', 'all', 'random', 'newest');

describe('a simulated disk', () => {
  it('loses whole writes of a dead process that asks for it, none of another, and no flush', () => {
    let lost = 0;
    let kept = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const disk = newDisk(seed);
      const stamps = Int32Array.from({ length: SECTORS }, (_, i) => i + 1);
      const put = (sector: number, guard: number): number =>
        disk.submit(DiskOp.Write, sector, sector, 2, false, guard, stamps, sector);
      const ops = [put(0, 1), put(2, 1), put(4, 2)];
      const flush = disk.submitFlush(1, 1);
      const gone = disk.forsake(1);
      expect(disk.writesInFlight).toBe(3 - gone.length);
      if (seed % 2 === 0) {
        for (const op of [...ops, flush]) disk.land(op);
        expect(disk.writesInFlight).toBe(0);
      } else disk.crash('all');
      expect([...disk.view.subarray(4, 6)]).toEqual([5, 6]);
      for (const sector of [0, 2]) {
        const is = [...disk.view.subarray(sector, sector + 2)];
        expect(is).toEqual(gone.includes(sector) ? [0, 0] : [sector + 1, sector + 2]);
      }
      lost += gone.length;
      kept += 2 - gone.length;
    }
    expect(Math.min(lost, kept)).toBeGreaterThan(20);
  });

  it('keeps of each sector a version at or after the last durable one, and no other', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(write, flush)), mode, fc.nat(), (steps, crash, seed) => {
        const disk = newDisk(seed);
        /** Versions of each sector that a crash may leave, oldest first. */
        const versions: number[][] = Array.from({ length: SECTORS }, () => [0]);
        let stamp = 0;
        for (const step of steps) {
          if (step.kind === 'flush') {
            const op = disk.submitFlush(1, 0);
            if (!step.lands) continue;
            disk.land(op);
            disk.release(op);
            for (const kept of versions) kept.splice(0, kept.length - 1);
            continue;
          }
          stamp += 1;
          const stamps = new Int32Array(8).fill(stamp);
          const { sector, count, fua } = step;
          const op = disk.submit(DiskOp.Write, 0, sector, count, fua, 0, stamps, 0);
          if (!step.lands) {
            // In flight at the crash: it may or may not get there. It stays so for the whole run.
            for (let i = 0; i < count; i += 1) versions[sector + i]!.unshift(stamp);
            continue;
          }
          disk.land(op);
          disk.release(op);
          for (let i = 0; i < count; i += 1) {
            expect(disk.view[sector + i]).toBe(stamp);
            if (fua) versions[sector + i]!.length = 0;
            versions[sector + i]!.push(stamp);
          }
        }
        if (steps.some((step) => step.kind === 'write' && !step.lands)) return;
        disk.crash(crash);
        for (let sector = 0; sector < SECTORS; sector += 1) {
          expect(versions[sector]).toContain(disk.media[sector]);
          expect(disk.view[sector]).toBe(disk.media[sector]);
        }
      }),
    );
  });

  it('loses everything or nothing that was not flushed when told so', () => {
    for (const [crash, kept] of [
      ['none', 0],
      ['all', 9],
    ] as const) {
      const disk = newDisk(3);
      const op = disk.submit(DiskOp.Write, 0, 4, 2, false, 0, new Int32Array(8).fill(9), 0);
      disk.land(op);
      disk.release(op);
      disk.crash(crash);
      expect(disk.media[4]).toBe(kept);
      expect(disk.media[5]).toBe(kept);
    }
  });

  it('tears a write in flight between sectors', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed += 1) {
      const disk = newDisk(seed);
      disk.submit(DiskOp.Write, 0, 0, 2, false, 0, new Int32Array(8).fill(5), 0);
      disk.crash('random');
      seen.add(`${disk.media[0]},${disk.media[1]}`);
    }
    expect([...seen].sort()).toEqual(['0,0', '0,5', '5,0', '5,5']);
  });

  it('does not flush what was taken after the flush was asked for', () => {
    const disk = newDisk(1);
    const asked = disk.submitFlush(1, 0);
    const op = disk.submit(DiskOp.Write, 0, 0, 1, false, 0, new Int32Array(8).fill(5), 0);
    disk.land(op);
    disk.release(op);
    disk.land(asked);
    disk.release(asked);
    disk.crash('none');
    expect(disk.media[0]).toBe(0);
  });

  it('keeps a metadata page as it was, as it became, or torn at 512 bytes', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const disk = newDisk(seed);
      disk.submitMeta(1, 1, 0, new Uint8Array(4096).fill(7));
      disk.crash('random');
      const bytes = disk.meta.subarray(4096);
      for (let at = 0; at < 4096; at += 1) {
        expect(bytes[at]).toBe(bytes[Math.floor(at / 512) * 512]!);
      }
      seen.add(String(bytes.filter((byte) => byte === 7).length));
    }
    expect(seen.size).toBeGreaterThan(3);
  });
});
