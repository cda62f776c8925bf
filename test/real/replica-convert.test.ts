/**
 * Metadata that are laid out anew on a real file: whatever the process dies at, the next start
 * makes the same of it, and a replica that was put there meanwhile is left alone.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mirrorConfig } from '../../backends/real/mirror-config.ts';
import { checkReplica } from '../../backends/real/replica-check.ts';
import {
  type Conversion,
  conversionFileName,
  conversionObstacle,
  convertReplica,
} from '../../backends/real/replica-convert.ts';
import type { VolumeConfig } from '../../engine/core/config.ts';
import {
  decodeSuperblock,
  encodeSuperblock,
  formatMetadata,
  metadataLayout,
  metadataPages,
} from '../../engine/mirror/metadata.ts';

const PAGE = 4096;
const folder = mkdtempSync(join(tmpdir(), 'us-convert-'));
let count = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A volume of so many bytes; a large one's second superblock slot moves with the maps. */
function volumeOf(path: string, nodes: readonly number[], layout: number, size: number) {
  const replicas = nodes.map((node) => ({ node, path: node === 1 ? path : '/nowhere', meta: '' }));
  const volume: VolumeConfig = {
    name: 'data',
    uuid: '0123456789abcdef0123456789abcdef',
    sizeBytes: size,
    logicalBlock: 4096,
    replicas,
    nbd: [],
    activityLogExtents: 64,
    diskTimeout: 10_000_000,
  };
  return layout === 0 ? volume : { ...volume, layout };
}

/** A replica of node 1 made for `from`, which is to be one of `to`. */
function replica(from: readonly number[], to: readonly number[], size = 1 << 20): Conversion {
  count += 1;
  const path = join(folder, `${count}.img`);
  const before = volumeOf(path, from, 0, size);
  const volume = volumeOf(path, to, 1, size);
  format(path, before, 'a'.repeat(32));
  const [own] = volume.replicas;
  if (own === undefined) throw new Error('it has one');
  return {
    before,
    volume,
    replica: own,
    file: join(folder, `${count}-${conversionFileName('data')}`),
  };
}

function format(path: string, volume: VolumeConfig, device: string): void {
  const config = mirrorConfig(volume, 1);
  const file = openSync(path, 'w+');
  for (const { page, bytes } of formatMetadata(config, 1, 9, 'UpToDate', device)) {
    writeSync(file, bytes, 0, bytes.length, volume.sizeBytes + page * PAGE);
  }
  writeSync(file, new Uint8Array(1), 0, 1, volume.sizeBytes + metadataPages(config) * PAGE - 1);
  writeSync(file, Buffer.from('what a client wrote'), 0, 19, 0);
  closeSync(file);
}

/** As a process that is killed before the `n`th step; false where it came to its end. */
function killedAt(conversion: Conversion, n: number): boolean {
  let steps = 0;
  try {
    convertReplica(conversion, () => {
      steps += 1;
      if (steps === n) throw new Error('killed');
    });
    return false;
  } catch (error) {
    if (!String(error).includes('killed')) throw error;
    return true;
  }
}

const SOUND = { damagedSlots: 0, damagedLabels: [] };

/** More than a mebibyte of maps, so that everything behind them moves. */
const LARGE = 16 * 1024 * 1024 * 1024;

describe('a replica whose holders changed', () => {
  it.each([
    ['gains one', [1, 2], [1, 2, 3], 1 << 20],
    ['loses one', [1, 2, 3], [1, 3], 1 << 20],
    ['gains one, and all moves', [1, 2], [1, 2, 3], LARGE],
    ['loses one, and all moves back', [1, 2, 3], [1, 2], LARGE],
  ] as const)('%s, and is a replica of the new kind of exactly its size', (_, from, to, size) => {
    const conversion = replica(from, to, size);
    const { volume, replica: own, file } = conversion;
    expect(conversionObstacle(conversion)).toBe('');
    convertReplica(conversion);
    expect(checkReplica(volume, own)).toEqual(SOUND);
    expect(existsSync(file)).toBe(false);
    const pages = metadataPages(mirrorConfig(volume, 1));
    expect(statSync(own.path).size).toBe(size + pages * PAGE);
    // Once more changes nothing.
    convertReplica(conversion);
    expect(checkReplica(volume, own)).toEqual(SOUND);
  });

  it('is not laid out anew online where the volume is large', () => {
    const conversion = replica([1, 2], [1, 2, 3], LARGE);
    expect(conversionObstacle(conversion)).toBe('');
    expect(conversionObstacle(conversion, LARGE - 1)).toContain('online, metadata of at most');
  });

  const root = process.getuid?.() === 0;
  it.skipIf(!root)(`is as it was where there is no room${root ? '' : ' (needs root)'}`, () => {
    const small = join(folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'none', small]);
    try {
      const path = join(small, 'data.img');
      const before = volumeOf(path, [1, 2], 0, LARGE);
      const volume = volumeOf(path, [1, 2, 3], 1, LARGE);
      const [own] = volume.replicas;
      if (own === undefined) throw new Error('it has one');
      format(path, before, 'a'.repeat(32));
      // All that is left, but for a page or two.
      const { bavail, bsize } = statfsSync(small);
      writeFileSync(join(small, 'other'), Buffer.alloc(Math.max(0, bavail - 2) * bsize, 1));
      const was = statSync(path).size;
      const conversion = { before, volume, replica: own, file: join(folder, 'full') };
      expect(conversionObstacle(conversion)).toMatch(/bytes left, and \d+ are needed/);
      expect(() => convertReplica(conversion)).toThrow('ENOSPC');
      expect(statSync(path).size).toBe(was);
      expect(checkReplica(before, { ...own, path })).toEqual(SOUND);
      rmSync(join(small, 'other'));
      expect(conversionObstacle(conversion)).toBe('');
      convertReplica(conversion);
      expect(checkReplica(volume, own)).toEqual(SOUND);
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('comes to the same wherever the process dies, again and again', () => {
    const whole = replica([1, 2], [1, 2, 3]);
    convertReplica(whole);
    const wanted = readFileSync(whole.replica.path);
    for (let n = 1; ; n += 1) {
      const conversion = replica([1, 2], [1, 2, 3]);
      if (!killedAt(conversion, n)) break;
      // The next start dies as well, a step earlier or later.
      killedAt(conversion, 1 + ((n * 7) % 40));
      convertReplica(conversion);
      expect(readFileSync(conversion.replica.path).equals(wanted)).toBe(true);
      expect(existsSync(conversion.file)).toBe(false);
    }
  }, 120_000);

  it('is a replica for nobody where it dies in between, and its plan is lost', () => {
    const steps: string[] = [];
    convertReplica(replica([1, 2], [1, 2, 3]), (what) => steps.push(what));
    const voided = steps.indexOf('void');
    // With the first of the two superblocks it is one again.
    const whole = steps.lastIndexOf('page');
    for (let n = 1; n <= steps.length; n += 1) {
      const conversion = replica([1, 2], [1, 2, 3]);
      killedAt(conversion, n);
      rmSync(conversion.file, { force: true });
      const { before, volume, replica: own } = conversion;
      const opens = [before, volume].map((each) => {
        try {
          checkReplica(each, own);
          return true;
        } catch {
          return false;
        }
      });
      if (n - 1 > voided && n - 1 < whole) expect([n, ...opens]).toEqual([n, false, false]);
      expect([n, opens[0] && n - 1 > voided, opens[1] && n - 1 < whole]).toEqual([n, false, false]);
    }
    expect(whole - voided).toBeGreaterThan(10);
  });

  it('is none for a blank disk that is in its place by then', () => {
    const conversion = replica([1, 2], [1, 2, 3]);
    for (const n of [3, 9, 14]) {
      killedAt(conversion, n);
      const { path } = conversion.replica;
      const length = statSync(path).size;
      rmSync(path);
      writeFileSync(path, Buffer.alloc(length));
      convertReplica(conversion);
      expect(() => checkReplica(conversion.volume, conversion.replica)).toThrow('no readable');
    }
  });

  it('is not touched when it is another one by then', () => {
    const conversion = replica([1, 2], [1, 2, 3]);
    killedAt(conversion, 9);
    expect(existsSync(conversion.file)).toBe(true);
    // A person has put another replica in its place, made for what is agreed on now.
    format(conversion.replica.path, conversion.volume, 'b'.repeat(32));
    const before = readFileSync(conversion.replica.path);
    convertReplica(conversion);
    expect(readFileSync(conversion.replica.path).equals(before)).toBe(true);
    expect(existsSync(conversion.file)).toBe(false);
  });

  it('is made whole first where the next change comes before its core was done', () => {
    for (const size of [1 << 20, LARGE]) {
      for (const n of [2, 3, 20, 60, 300]) {
        const conversion = replica([1, 2], [1, 2, 3], size);
        if (!killedAt(conversion, n)) continue;
        const volume = { ...volumeOf(conversion.replica.path, [1, 2], 2, size) };
        const next = { ...conversion, before: conversion.volume, volume };
        killedAt(next, n);
        convertReplica(next);
        expect(checkReplica(volume, next.replica)).toEqual(SOUND);
        expect(existsSync(next.file)).toBe(false);
      }
    }
  }, 120_000);

  it('is left as it is by a plan that comes back after it was used', () => {
    const conversion = replica([1, 2], [1, 2, 3]);
    killedAt(conversion, 3);
    const plan = readFileSync(conversion.file);
    convertReplica(conversion);
    // Used: the area of four is a later one of the same copy.
    const volume = volumeOf(conversion.replica.path, [1, 2, 3, 4], 2, 1 << 20);
    const next = { ...conversion, before: conversion.volume, volume };
    convertReplica(next);
    const wanted = readFileSync(conversion.replica.path);
    writeFileSync(conversion.file, plan);
    convertReplica(next);
    expect(readFileSync(conversion.replica.path).equals(wanted)).toBe(true);
    expect(existsSync(conversion.file)).toBe(false);
  });

  it('is not written over by it either where it serves as it was laid out then', () => {
    const conversion = replica([1, 2], [1, 2, 3]);
    killedAt(conversion, 3);
    const plan = readFileSync(conversion.file);
    convertReplica(conversion);
    const { replica: own, volume, file } = conversion;
    const config = mirrorConfig(volume, 1);
    const fd = openSync(own.path, 'r+');
    for (const [i, page] of [
      metadataLayout(config).slotA,
      metadataLayout(config).slotB,
    ].entries()) {
      const bytes = new Uint8Array(PAGE);
      const at = volume.sizeBytes + page * PAGE;
      readSync(fd, bytes, 0, PAGE, at);
      const read = decodeSuperblock(config, 1, page, bytes);
      if (!read.ok) throw new Error(read.fault);
      const { block, claims } = read;
      encodeSuperblock(config, page, { ...block, seq: block.seq + 4 + i, boot: 99 }, claims, bytes);
      writeSync(fd, bytes, 0, PAGE, at);
    }
    closeSync(fd);
    const wanted = readFileSync(own.path);
    writeFileSync(file, plan);
    convertReplica(conversion);
    expect(readFileSync(own.path).equals(wanted)).toBe(true);
    expect(existsSync(file)).toBe(false);
  });

  it('keeps its plan when the node has another disk by then', () => {
    const conversion = replica([1, 2], [1, 2, 3]);
    killedAt(conversion, 9);
    const plan = readFileSync(conversion.file);
    const other = replica([1, 2], [1, 2, 3]);
    convertReplica({ ...other, file: conversion.file });
    expect(checkReplica(other.volume, other.replica)).toEqual(SOUND);
    expect(existsSync(conversion.file)).toBe(false);
    writeFileSync(conversion.file, readFileSync(`${conversion.file}.${'a'.repeat(32)}`));
    expect(readFileSync(conversion.file).equals(plan)).toBe(true);
    convertReplica(conversion);
    expect(checkReplica(conversion.volume, conversion.replica)).toEqual(SOUND);
  });

  it('tells itself whom it was made for, where its node has lost that', () => {
    const conversion = replica([1, 2], [1, 2, 3]);
    convertReplica(conversion);
    const { replica: own, file } = conversion;
    // Neither the file of the beginning, nor one that was brought up to date since, says it.
    for (const nodes of [
      [1, 2],
      [1, 3],
      [1, 2, 3, 4],
    ]) {
      const volume = volumeOf(own.path, nodes, 0, 1 << 20);
      convertReplica({ before: volume, volume, replica: own, file });
      expect(checkReplica(volume, own)).toEqual(SOUND);
      const later = volumeOf(own.path, [1, 2, 3], 7, 1 << 20);
      convertReplica({ before: volume, volume: later, replica: own, file });
      expect(checkReplica(later, own)).toEqual(SOUND);
    }
  });

  it('is converted by nothing that was not written to its end', () => {
    const conversion = replica([1, 2], [1, 2, 3]);
    killedAt(conversion, 2);
    const plan = readFileSync(conversion.file);
    writeFileSync(conversion.file, plan.subarray(0, plan.length - 1));
    convertReplica(conversion);
    expect(checkReplica(conversion.volume, conversion.replica)).toEqual(SOUND);
  });

  it('says what keeps it from being converted', () => {
    const conversion = replica([1, 2], [1, 2, 3]);
    const before = { ...conversion.before, checksums: true };
    format(conversion.replica.path, before, 'a'.repeat(32));
    expect(conversionObstacle({ ...conversion, before })).toContain('it has checksums');
    rmSync(conversion.replica.path);
    expect(conversionObstacle(conversion)).toContain('is not there');
  });
});
