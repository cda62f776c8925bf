import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrayPool } from '../../backends/sim/arrays.ts';
import { SimDisk } from '../../backends/sim/disk.ts';
import { DiskIlls, Ill } from '../../backends/sim/disk-ills.ts';
import { DiskOp } from '../../backends/sim/disk-op.ts';
import { DEFAULT_DISK_LATENCY, type PartSpan } from '../../backends/sim/disk-options.ts';
import { Spoils } from '../../backends/sim/spoils.ts';
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import { Rng } from '../../engine/core/rng.ts';

const SECTORS = 24;
const ALWAYS = 1_000_000;

function newDisk(seed = 1, parts: readonly PartSpan[] = []): SimDisk {
  const size = { sectors: SECTORS, metaPages: 4, maxSectors: 8, parts };
  const hash = new TraceHash();
  const ills = new DiskIlls((ill) => new Rng(seed, 100 + ill));
  const rng = new Rng(seed, 1);
  const pool = new ArrayPool();
  return new SimDisk('d', pool, 1, size, DEFAULT_DISK_LATENCY, hash, rng, new Spoils(), ills);
}

function write(disk: SimDisk, stamp: number, sector: number, count = 1, fua = false): number {
  const stamps = new Int32Array(8).fill(stamp);
  return done(disk, disk.submit(DiskOp.Write, 0, sector, count, fua, 0, stamps, 0));
}

function flush(disk: SimDisk): number {
  return done(disk, disk.submitFlush(1, 0));
}

function writePage(disk: SimDisk, page: number, byte: number): number {
  return done(disk, disk.submitMeta(page, 1, 0, new Uint8Array(4096).fill(byte)));
}

function read(disk: SimDisk, sector: number): number {
  const op = disk.submit(DiskOp.Read, 0, sector, 1, false, 0, null, 0);
  disk.land(op);
  const stamps = new Int32Array(1);
  disk.copyOut(op, stamps, 0);
  disk.release(op);
  return stamps[0] as number;
}

function done(disk: SimDisk, op: number): number {
  disk.land(op);
  const status = disk.statusOf(op);
  disk.release(op);
  return status;
}

const truth = (disk: SimDisk, of: Int32Array): number[] => [...of].map((s) => disk.spoils.ought(s));
const content = (disk: SimDisk, of: Int32Array): number[] =>
  [...of].map((s) => disk.spoils.content(s));

type Step =
  | {
      readonly kind: 'write';
      readonly sector: number;
      readonly count: number;
      readonly fua: boolean;
    }
  | { readonly kind: 'flush' }
  | { readonly kind: 'turn' }
  | { readonly kind: 'crash'; readonly mode: 'none' | 'all' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    sector: fc.nat(SECTORS - 8),
    count: fc.integer({ min: 1, max: 8 }),
    fua: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('flush' as const) }),
  fc.record({ kind: fc.constant('turn' as const) }),
  fc.record({
    kind: fc.constant('crash' as const),
    mode: fc.constantFrom('none' as const, 'all' as const),
  }),
);

/** The same steps on a disk with an ill that comes and goes, and on one that keeps its word. */
function beside(ill: number, steps: readonly Step[]): SimDisk[] {
  const disks = [newDisk(), newDisk()] as const;
  let stamp = 0;
  let on = false;
  for (const each of steps) {
    if (each.kind === 'turn') {
      on = !on;
      disks[0].ills.change(ill, on ? ALWAYS : -ALWAYS);
      continue;
    }
    stamp += 1;
    for (const disk of disks) {
      if (each.kind === 'write') write(disk, stamp, each.sector, each.count, each.fua);
      else if (each.kind === 'flush') flush(disk);
      else disk.crash(each.mode);
    }
  }
  return [...disks];
}

describe('a disk that lies about flushes', () => {
  it('knows at every moment what a disk of its word would hold', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const [ill, sound] = beside(Ill.LyingFlush, steps) as [SimDisk, SimDisk];
        expect(truth(ill, ill.view)).toEqual([...sound.view]);
        expect(truth(ill, ill.media)).toEqual([...sound.media]);
      }),
    );
  });

  it('loses at a crash what it had promised, and only then', () => {
    const disk = newDisk();
    disk.ills.change(Ill.LyingFlush, ALWAYS);
    write(disk, 7, 3);
    expect(flush(disk)).toBe(0);
    expect(disk.view[3]).toBe(7);
    disk.crash('none');
    expect(content(disk, disk.view)[3]).toBe(0);
    expect(truth(disk, disk.view)[3]).toBe(7);
  });

  it('takes FUA no more seriously', () => {
    const disk = newDisk();
    disk.ills.change(Ill.LyingFlush, ALWAYS);
    write(disk, 7, 3, 1, true);
    disk.crash('none');
    expect(content(disk, disk.view)[3]).toBe(0);
  });

  it('keeps its promise after all when it is honest again before the crash', () => {
    const disk = newDisk();
    disk.ills.change(Ill.LyingFlush, ALWAYS);
    write(disk, 7, 3);
    flush(disk);
    disk.ills.change(Ill.LyingFlush, -ALWAYS);
    flush(disk);
    disk.crash('none');
    expect(disk.view[3]).toBe(7);
  });
});

describe('a disk that loses writes', () => {
  it('acknowledges them, holds what was there, and knows what should be', () => {
    const disk = newDisk();
    write(disk, 5, 3, 1, true);
    disk.ills.change(Ill.LostWrite, ALWAYS);
    expect(write(disk, 7, 3, 1, true)).toBe(0);
    expect([content(disk, disk.media)[3], truth(disk, disk.media)[3]]).toEqual([5, 7]);
    disk.ills.change(Ill.LostWrite, -ALWAYS);
    write(disk, 8, 3, 1, true);
    expect(disk.media[3]).toBe(8);
  });

  it('holds by the truth what a disk of its word would hold, whatever comes after', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const [ill, sound] = beside(Ill.LostWrite, steps) as [SimDisk, SimDisk];
        expect(truth(ill, ill.view)).toEqual([...sound.view]);
        expect(truth(ill, ill.media)).toEqual([...sound.media]);
      }),
    );
  });

  it('loses metadata pages too, and knows what they should be', () => {
    const disk = newDisk();
    disk.ills.change(Ill.MetaLost, ALWAYS);
    expect(writePage(disk, 2, 9)).toBe(0);
    expect([disk.meta[2 * 4096], disk.metaOught[2 * 4096]]).toEqual([0, 9]);
    expect(disk.metaSpoiled).toBe(true);
  });
});

describe('a disk that misdirects writes', () => {
  it('spoils two places: where the write should be, and where it landed', () => {
    const disk = newDisk();
    disk.ills.change(Ill.MisdirectedWrite, ALWAYS);
    write(disk, 7, 2);
    const landed = content(disk, disk.view).indexOf(7);
    expect(landed).not.toBe(2);
    expect(landed).toBeGreaterThanOrEqual(0);
    expect(truth(disk, disk.view)[2]).toBe(7);
    expect(truth(disk, disk.view)[landed]).toBe(0);
  });

  it('misdirects metadata pages to other pages', () => {
    const disk = newDisk();
    disk.ills.change(Ill.MetaMisdirected, ALWAYS);
    writePage(disk, 1, 9);
    expect(disk.meta[4096]).toBe(0);
    expect(disk.meta.includes(9)).toBe(true);
    expect(disk.metaOught[4096]).toBe(9);
  });
});

describe('a disk with stale reads', () => {
  it('returns what a block held when it began, however often it is asked', () => {
    const disk = newDisk();
    write(disk, 5, 3);
    disk.ills.change(Ill.StaleRead, ALWAYS);
    disk.keepBefore(true);
    write(disk, 7, 3);
    for (let i = 0; i < 3; i += 1) {
      const stamp = read(disk, 3);
      expect([disk.spoils.content(stamp), disk.spoils.ought(stamp)]).toEqual([5, 7]);
    }
    disk.ills.change(Ill.StaleRead, -ALWAYS);
    disk.keepBefore(false);
    expect(read(disk, 3)).toBe(7);
  });
});

describe('a disk that rots', () => {
  it('rots written sectors, heals by no retry, and is healed by a write', () => {
    const disk = newDisk();
    write(disk, 5, 9, 2, true);
    disk.rot(8);
    const first = read(disk, 9);
    expect(disk.spoils.spoiled(first)).toBe(true);
    expect(disk.spoils.ought(first)).toBe(5);
    expect(read(disk, 9)).toBe(first);
    write(disk, 6, 9, 2, true);
    expect(read(disk, 9)).toBe(6);
  });

  it('shows rot of a cached sector only after the cache is gone', () => {
    const disk = newDisk();
    write(disk, 5, 9, 1, true);
    write(disk, 6, 9);
    disk.rot(1);
    expect(read(disk, 9)).toBe(6);
    disk.crash('none');
    expect(disk.spoils.ought(read(disk, 9))).toBe(5);
  });

  it('turns one bit of its metadata', () => {
    const disk = newDisk();
    disk.rotPage();
    let bits = 0;
    for (let i = 0; i < disk.meta.length; i += 1) {
      if (disk.meta[i] !== disk.metaOught[i]) bits += 1;
    }
    expect(bits).toBe(1);
  });
});

describe('a disk whose writes fail', () => {
  it('says so for writes, flushes and metadata', () => {
    const disk = newDisk();
    disk.ills.change(Ill.WriteError, ALWAYS);
    disk.ills.change(Ill.MetaError, ALWAYS);
    expect(write(disk, 5, 0)).not.toBe(0);
    expect(flush(disk)).not.toBe(0);
    expect(writePage(disk, 1, 9)).not.toBe(0);
  });

  it('leaves of a failed write any of its sectors, and promises none', () => {
    const disk = newDisk();
    disk.ills.change(Ill.WriteError, ALWAYS);
    for (let stamp = 1; stamp < 9; stamp += 1) write(disk, stamp, 0, 8);
    expect(disk.spoils.count).toBe(0);
    expect(new Set(disk.view.subarray(0, 8)).size).toBeGreaterThan(1);
  });
});

describe('a disk whose flush fails', () => {
  type Failed = { readonly disk: SimDisk; readonly loss: string; readonly newest: number[] };

  /** Some sectors are durable, then all are written anew, and the flush of that fails. */
  function failed(seed: number): Failed {
    const disk = newDisk(seed);
    for (let at = 0; at < SECTORS; at += 2) write(disk, 50 + at, at, 1, true);
    for (let at = 0; at < SECTORS; at += 1) write(disk, 100 + at, at);
    disk.ills.change(Ill.WriteError, ALWAYS);
    expect(flush(disk)).not.toBe(0);
    const { loss } = disk;
    disk.loss = '';
    disk.ills.change(Ill.WriteError, -ALWAYS);
    return { disk, loss, newest: Array.from({ length: SECTORS }, (_, at) => 100 + at) };
  }
  const cases = Array.from({ length: 60 }, (_, seed) => failed(seed));
  const of = (loss: string): Failed[] => cases.filter((each) => each.loss === loss);

  it('keeps all of its cache, loses some of it at once, or with the next loss of power', () => {
    for (const { disk } of of('kept')) expect([...disk.media]).toEqual([...disk.view]);
    for (const { disk, newest } of of('clean')) {
      expect([...disk.view]).toEqual(newest);
      expect([...disk.media]).not.toEqual(newest);
    }
    for (const { disk, newest } of of('gone')) {
      expect([...disk.view]).toEqual([...disk.media]);
      expect([...disk.media]).not.toEqual(newest);
    }
    expect(Math.min(of('clean').length, of('gone').length)).toBeGreaterThan(10);
  });

  it('holds of each sector what was flushed, or what the flush was to bring', () => {
    for (const { disk } of cases) {
      for (let at = 0; at < SECTORS; at += 1) {
        expect([at % 2 === 0 ? 50 + at : 0, 100 + at]).toContain(disk.media[at]);
      }
    }
  });

  it('brings back nothing that it lost with the next flush, which goes well', () => {
    for (const { disk } of of('clean')) {
      const media = [...disk.media];
      expect(flush(disk)).toBe(0);
      disk.crash('all');
      expect([...disk.view]).toEqual(media);
    }
  });

  it('keeps what was written while the flush was on its way', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const disk = newDisk(seed);
      write(disk, 7, 3);
      disk.ills.change(Ill.WriteError, ALWAYS);
      const op = disk.submitFlush(1, 0);
      disk.ills.change(Ill.WriteError, -ALWAYS);
      write(disk, 8, 3);
      write(disk, 9, 4);
      disk.ills.change(Ill.WriteError, ALWAYS);
      expect(done(disk, op)).not.toBe(0);
      disk.ills.change(Ill.WriteError, -ALWAYS);
      expect([disk.view[3], disk.view[4]]).toEqual([8, 9]);
      expect(flush(disk)).toBe(0);
      expect([disk.media[3], disk.media[4]]).toEqual([8, 9]);
    }
  });

  it('says so to the next who asks, when whoever had asked is dead', () => {
    const disk = newDisk();
    disk.ills.change(Ill.WriteError, ALWAYS);
    const op = disk.submitFlush(1, 0);
    disk.land(op);
    disk.unheard(op);
    disk.release(op);
    disk.ills.change(Ill.WriteError, -ALWAYS);
    expect(flush(disk)).not.toBe(0);
    expect(flush(disk)).toBe(0);
  });

  it('says so too of a write of data or metadata that failed unheard, and not of a read', () => {
    const stamps = new Int32Array(8).fill(7);
    const asked = [
      (disk: SimDisk) => disk.submit(DiskOp.Write, 0, 3, 1, false, 0, stamps, 0),
      (disk: SimDisk) => disk.submitMeta(1, 1, 0, new Uint8Array(4096).fill(9)),
      (disk: SimDisk) => disk.submit(DiskOp.Read, 0, 3, 1, false, 0, null, 0),
    ];
    for (const [which, ask] of asked.entries()) {
      const disk = newDisk();
      for (const ill of [Ill.WriteError, Ill.MetaError]) disk.ills.change(ill, ALWAYS);
      const op = ask(disk);
      disk.land(op);
      disk.unheard(op);
      disk.release(op);
      for (const ill of [Ill.WriteError, Ill.MetaError]) disk.ills.change(ill, -ALWAYS);
      expect([which, flush(disk) !== 0]).toEqual([which, which < 2]);
      expect(flush(disk)).toBe(0);
    }
  });
});

describe('a disk that returns with old content', () => {
  it('has data and metadata of one moment, and knows what it lost', () => {
    const disk = newDisk();
    write(disk, 5, 3, 1, true);
    writePage(disk, 1, 1);
    disk.takeImage(4);
    write(disk, 6, 3, 1, true);
    writePage(disk, 1, 2);
    disk.crash('all');
    disk.putImage(4);
    expect([content(disk, disk.view)[3], truth(disk, disk.view)[3]]).toEqual([5, 6]);
    expect([disk.meta[4096], disk.metaOught[4096]]).toEqual([1, 2]);
    expect(disk.metaSpoiled).toBe(true);
  });

  it('has forgotten, too, that its last loss of power took what was not flushed', () => {
    const disk = newDisk();
    write(disk, 5, 3, 1, true);
    disk.takeImage(4);
    write(disk, 6, 3, 1, true);
    write(disk, 7, 3, 1);
    write(disk, 8, 9, 1);
    disk.crash('none');
    // Without the image it would have been hot, and copied anew: 7 and 8 are what it ought to hold.
    disk.putImage(4);
    expect([content(disk, disk.view)[3], truth(disk, disk.view)[3]]).toEqual([5, 7]);
    expect([content(disk, disk.view)[9], truth(disk, disk.view)[9]]).toEqual([0, 8]);
  });
});

describe('chance', () => {
  it('of one ill does not depend on another: taking one out leaves the others as they were', () => {
    const strikes = (others: readonly number[]): readonly boolean[] => {
      const ills = new DiskIlls((ill) => new Rng(3, ill));
      ills.change(Ill.LostWrite, 500_000);
      for (const ill of others) ills.change(ill, 300_000);
      return Array.from({ length: 50 }, () => {
        for (const ill of others) ills.strikes(ill);
        return ills.strikes(Ill.LostWrite);
      });
    };
    expect(strikes([Ill.WriteError, Ill.MisdirectedWrite])).toEqual(strikes([]));
  });
});

describe('one disk of several', () => {
  const PAGES = { name: 'pages', first: 0, end: 16 };
  const LOG = { name: 'log', first: 16, end: SECTORS };

  it('errs by itself: what stands on the others is written and read', () => {
    const disk = newDisk(1, [PAGES, LOG]);
    disk.ills.change(Ill.WriteError, ALWAYS, LOG);
    expect([write(disk, 7, 0), write(disk, 8, 15)]).toEqual([0, 0]);
    expect(write(disk, 9, 16)).toBe(5);
    disk.ills.change(Ill.WriteError, -ALWAYS, LOG);
    expect(write(disk, 9, 16)).toBe(0);
    expect([read(disk, 0), read(disk, 15), read(disk, 16)]).toEqual([7, 8, 9]);
  });

  it('fails a flush for all, and keeps what the others have flushed', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const disk = newDisk(seed, [PAGES, LOG]);
      write(disk, 7, 3);
      write(disk, 8, 20);
      disk.ills.change(Ill.WriteError, ALWAYS, LOG);
      expect(flush(disk)).toBe(5);
      disk.crash('none');
      expect(disk.mediaAt(3)).toBe(7);
      expect([0, 8]).toContain(disk.mediaAt(20));
    }
  });

  it('lies about flushes by itself', () => {
    const disk = newDisk(1, [PAGES, LOG]);
    disk.ills.change(Ill.LyingFlush, ALWAYS, LOG);
    write(disk, 7, 3);
    write(disk, 8, 20);
    expect(flush(disk)).toBe(0);
    write(disk, 6, 20, 1, true);
    write(disk, 5, 4, 1, true);
    disk.crash('none');
    const { spoils } = disk;
    expect([disk.mediaAt(3), disk.mediaAt(4)]).toEqual([7, 5]);
    expect(spoils.spoiled(disk.mediaAt(20))).toBe(true);
    expect([spoils.content(disk.mediaAt(20)), spoils.ought(disk.mediaAt(20))]).toEqual([0, 6]);
  });

  it('comes back with old content by itself, and the metadata do not', () => {
    const disk = newDisk(1, [PAGES, LOG]);
    write(disk, 7, 3, 1, true);
    write(disk, 8, 20, 1, true);
    writePage(disk, 1, 3);
    disk.takeImage(1);
    write(disk, 17, 3, 1, true);
    write(disk, 18, 20, 1, true);
    writePage(disk, 1, 4);
    disk.crash('none');
    disk.putImage(1, LOG);
    expect([disk.mediaAt(3), disk.spoils.content(disk.mediaAt(20))]).toEqual([17, 8]);
    expect(disk.spoils.ought(disk.mediaAt(20))).toBe(18);
    expect([disk.meta[4096], disk.metaSpoiled]).toEqual([4, false]);
  });

  it('keeps a replica shut while its path is lost, and spoils no write to the others', () => {
    const disk = newDisk(1, [PAGES, LOG]);
    disk.ills.change(Ill.Path, ALWAYS, PAGES);
    expect(write(disk, 7, 20)).toBe(0);
    expect(write(disk, 7, 3)).not.toBe(0);
    expect(flush(disk)).not.toBe(0);
    // Its metadata stand on the other; it is opened only when both are there.
    expect(writePage(disk, 1, 3)).toBe(0);
    expect(done(disk, disk.submitMeta(1, 1, 0, null))).not.toBe(0);
  });
});
