/**
 * Every write and flush that the engine issues is recorded; every image that the order of flushes
 * allows is made in real files; the engine attaches and recovers on each, and the laws are checked
 * on the bytes that it leaves there.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mirrorConfig } from '../../backends/real/mirror-config.ts';
import { checkReplica } from '../../backends/real/replica-check.ts';
import type { VolumeConfig } from '../../engine/core/config.ts';
import { Rng } from '../../engine/core/rng.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { MS, SECTOR } from '../support/mirror-hosts.ts';
import { PAIR_CONFIG } from '../support/mirror-pair.ts';
import { allowed, type DiskImage, imagesFrom, landed, leavings } from './support/crash-images.ts';
import { type Fate, FilePair, ReplicaFile } from './support/file-pair.ts';
import { RecordedPair } from './support/recorded-pair.ts';

const EXTENT_SECTORS = (1 << 20) / SECTOR;

/** Thousands of recoveries, on a machine that may have others to serve. */
const LIMIT = { timeout: 900_000 };
/** In memory where that can be: what counts is the bytes, not the disk. */
const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(ROOT, 'understudy-crash-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function volumeOf(sizeBytes: number): VolumeConfig {
  const replica = (node: number) => ({ node, path: join(folder, `${node}`), meta: '' });
  return {
    name: PAIR_CONFIG.volume,
    uuid: PAIR_CONFIG.uuid,
    sizeBytes,
    logicalBlock: 512,
    replicas: [replica(1), replica(2)],
    nbd: [],
    activityLogExtents: 4,
    diskTimeout: 10_000_000,
  };
}

/** The production layout, with the harness's short times. */
function configOf(volume: VolumeConfig): MirrorConfig {
  const { barrierWrites, barrierDelay, peerTimeout, connectTimeout } = PAIR_CONFIG;
  const { resyncWindow, resyncChunk } = PAIR_CONFIG;
  const times = { barrierWrites, barrierDelay, peerTimeout, connectTimeout };
  return { ...mirrorConfig(volume), ...times, resyncWindow, resyncChunk };
}

const BOTH: readonly (readonly [Fate, Fate])[] = [
  ['dark', 'dark'],
  ['dark-for-long', 'dark'],
];

class Crashes {
  readonly #volume: VolumeConfig;
  readonly #config: MirrorConfig;
  readonly #pair: RecordedPair;
  readonly #files: readonly [ReplicaFile, ReplicaFile];
  readonly violations: string[] = [];
  images = 0;

  constructor(volume: VolumeConfig, pair: RecordedPair) {
    this.#volume = volume;
    this.#config = pair.config;
    this.#pair = pair;
    const [a, b] = volume.replicas;
    const file = (path = '') => new ReplicaFile(this.#config, path);
    this.#files = [file(a?.path), file(b?.path)];
  }

  /** Every moment from entry `from` on at which a crash may leave what none before it left. */
  moments(from: number): number[] {
    const { entries } = this.#pair;
    const list: number[] = [];
    for (let at = from; at <= entries.length; at += 1) {
      // What the client does and is told changes no disk: the last moment before the next change.
      const next = entries[at]?.what;
      if (next !== 'begin' && next !== 'end' && next !== 'flush') list.push(at);
    }
    return list;
  }

  /** Crashes right before entry `at`: host 1, host 2, both; at most `most` images of each kind. */
  crash(at: number, most: number, rng: Rng): void {
    const { entries } = this.#pair;
    const [a, b] = [1, 2].map((node) => leavings(this.#config, node, entries, at));
    if (a === undefined || b === undefined) return;
    for (const image of imagesFrom(a, most, rng)) {
      this.#recover(at, [image, landed(b)], ['dark', 'restarted']);
    }
    for (const image of imagesFrom(b, most, rng)) {
      this.#recover(at, [landed(a), image], ['restarted', 'dark']);
    }
    // Each pair of images where they are few; else each of the one with some of the other.
    const all = a.count * b.count <= most;
    const twos = [...imagesFrom(b, most, rng)];
    for (const one of imagesFrom(a, most, rng)) {
      for (const two of all ? twos : [twos[rng.below(twos.length)] as DiskImage]) {
        this.#recover(at, [one, two], BOTH[rng.below(BOTH.length)] as readonly [Fate, Fate]);
      }
    }
  }

  #recover(at: number, images: readonly [DiskImage, DiskImage], fates: readonly [Fate, Fate]) {
    this.images += 1;
    const { record } = this.#pair.entries[at - 1] as RecordedPair['entries'][number];
    const wrong: string[] = [];
    for (const [i, image] of images.entries()) {
      const replica = this.#volume.replicas[i];
      this.#files[i]?.restore(image);
      if (replica === undefined || checkReplica(this.#volume, replica).damagedSlots === 0) continue;
      wrong.push(`slot of host ${i + 1} is damaged`);
    }
    const pair = new FilePair(this.#config, at, this.#files, record, fates);
    pair.recover();
    wrong.push(...pair.violations);
    const [left, right] = this.#files;
    if (!left.data().equals(right.data())) wrong.push('the replicas differ');
    // Who kept its power and is a member has all that was acknowledged; else what was flushed.
    const kept = record.members.some(({ node }) => fates[node - 1] === 'restarted');
    const keeps = kept ? 'acknowledged' : 'flushed';
    for (const [sector, stamps] of allowed(this.#pair.entries, at, keeps)) {
      const found = left.readSector(sector);
      if (stamps.has(found)) continue;
      wrong.push(`sector ${sector} has ${found}, of ${[...stamps].join(' ')} (${keeps})`);
    }
    if (wrong.length > 0) this.violations.push(`entry ${at}, ${fates.join(' ')}: ${wrong[0]}`);
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}

/** An extent heated, a flush, an overwrite, and a second flush that hangs in the air. */
function short(
  seed: number,
  canaries: readonly string[] = [],
): { readonly crashes: Crashes; readonly from: number } {
  const volume = volumeOf(2 << 20);
  const pair = new RecordedPair({ seed, config: configOf(volume), canaries });
  pair.runFor(200 * MS);
  const from = pair.entries.length;
  pair.write(0, 1);
  pair.write(8, 1);
  pair.runFor(15 * MS);
  pair.flush();
  pair.runFor(4 * MS);
  pair.write(0, 1);
  pair.runFor(8 * MS);
  pair.flush();
  pair.runFor(8 * MS);
  return { crashes: new Crashes(volume, pair), from };
}

/** Writes, flushes and FUA over five extents, four of them hot at once, amid faults. */
function long(seed: number, canaries: readonly string[]) {
  const volume = volumeOf(5 << 20);
  const pair = new RecordedPair({ seed, config: configOf(volume), canaries });
  const rng = new Rng(seed, 11);
  pair.runFor(200 * MS);
  const from = pair.entries.length;
  const load = (turns: number) => {
    for (let n = 0; n < turns; n += 1) {
      const dice = rng.below(12);
      const first = rng.below(5) * EXTENT_SECTORS + rng.below(12);
      if (dice === 0) pair.flush();
      else pair.write(first, 1 + rng.below(6), dice === 1 ? 'fua' : 'plain');
      pair.runFor(rng.below(3) * MS);
    }
  };
  load(40);
  pair.cut();
  load(20);
  pair.runFor(350 * MS);
  load(30);
  pair.heal();
  load(30);
  pair.runFor(300 * MS);
  pair.switchOver();
  load(40);
  pair.runFor(200 * MS);
  return { crashes: new Crashes(volume, pair), from, to: pair.entries.length, pair };
}

describe('a pair of real files, after any crash that the order of flushes allows', () => {
  it('comes back whole and equal, with what it promised: all images of a short run', LIMIT, () => {
    const { crashes, from } = short(1);
    const rng = new Rng(1, 1);
    for (const at of crashes.moments(from)) crashes.crash(at, 1 << 12, rng);
    crashes.close();
    expect(crashes.violations).toEqual([]);
    expect(crashes.images).toBeGreaterThan(500);
  });

  it('comes back whole and equal, with what it promised: images of long runs', LIMIT, () => {
    for (const seed of [1, 2, 3]) {
      const { crashes, from, to, pair } = long(seed, []);
      const rng = new Rng(seed, 3);
      for (let n = 0; n < 12; n += 1) crashes.crash(rng.between(from, to), 3, rng);
      crashes.close();
      expect(pair.violations).toEqual([]);
      expect([seed, ...crashes.violations]).toEqual([seed]);
    }
  });

  for (const id of ['RULE-04', 'RULE-05']) {
    it(`does not when the engine forgets a rule: ${id}`, LIMIT, () => {
      let found = 0;
      for (let seed = 1; seed <= 8 && found === 0; seed += 1) {
        const { crashes, from } = short(seed, [id]);
        const rng = new Rng(seed, 1);
        for (const at of crashes.moments(from)) {
          if (crashes.violations.length === 0) crashes.crash(at, 16, rng);
        }
        crashes.close();
        found = crashes.violations.length;
      }
      expect(found).toBeGreaterThan(0);
    });
  }
});
