/** Power cut after every single write of metadata, torn at every sector: nothing is forgotten. */
import { describe, expect, it } from 'vitest';
import { Event, PAGE_BYTES } from '../../../engine/data/abi.ts';
import type { MirrorConfig } from '../../../engine/mirror/config.ts';
import { formatMetadata, metadataLayout } from '../../../engine/mirror/metadata.ts';
import { attachImage, type Meta, tornAt, watchMeta } from '../../support/metadata-images.ts';
import { imagesOf } from '../../support/metadata-rot.ts';
import { durablySuspect, uncovered } from '../../support/mirror-cover.ts';
import { blocks, mend, request, written } from '../../support/mirror-errors.ts';
import { MS } from '../../support/mirror-hosts.ts';
import { watchColdWrites } from '../../support/mirror-hot.ts';
import { spoilFor } from '../../support/mirror-moved.ts';
import { LONG_CONFIG, PAIR_CONFIG, Pair } from '../../support/mirror-pair.ts';
import { spareOf } from '../../support/mirror-spare.ts';

const layout = metadataLayout(PAIR_CONFIG);
const CRASH_MARKS = /journal-lost|stale|one-slot|spare.lost/;
const { copyA, copyB } = spareOf(PAIR_CONFIG);

/** What a crash left of one host, which the engine must take as the test reads it. */
function judge(pair: Pair, node: number): void {
  const host = pair.host(node);
  const found = attachImage(pair.config, node, host.meta, host.boot);
  const suspect = durablySuspect(pair.config, host.meta);
  const wrong: string[] = [];
  if (found.refused !== '') wrong.push(`refused: ${found.refused}`);
  for (const mark of found.marks) if (CRASH_MARKS.test(mark)) wrong.push(mark);
  for (let b = 0; b < pair.config.sizeBytes / 4096; b += 1) {
    if (suspect(b) && !found.dirty.has(b)) wrong.push(`block ${b} is clean`);
  }
  const hole = uncovered(pair);
  if (hole !== null) wrong.push(hole);
  if (wrong.length > 0) pair.violations.push(`${pair.now} host ${node}: ${wrong[0]}`);
}

/** Runs `workload`, and judges what a cut would leave after each write and in the middle of it. */
function cutEverywhere(
  seed: number,
  workload: (pair: Pair) => void,
  canaries: readonly string[] = [],
  config: MirrorConfig = PAIR_CONFIG,
): { cuts: number; pair: Pair } {
  const pair = new Pair({ seed, canaries, config });
  let cuts = 0;
  // A write of data is no write of metadata: what it needs must be durable when it is issued (M1).
  watchColdWrites(pair);
  for (const host of pair.hosts) {
    watchMeta(host, ({ page, old, bytes }) => {
      if (pair.violations.length > 0) return;
      const meta = host.meta;
      for (const left of [bytes, ...tornAt(old, bytes)]) {
        cuts += 1;
        host.meta = new Map(meta);
        host.meta.set(page, left);
        judge(pair, host.node);
      }
      host.meta = meta;
    });
  }
  workload(pair);
  return { cuts, pair };
}

const WORKLOADS: { readonly [name: string]: (pair: Pair) => void } = {
  'an attach, and the first record': (pair) => pair.runFor(150 * MS),
  'writes that heat extents, and evictions': (pair) => {
    pair.runFor(150 * MS);
    pair.load(true);
    pair.runFor(150 * MS);
  },
  'records, epochs and a hand-over': (pair) => {
    pair.runFor(150 * MS);
    pair.load(true, 4);
    pair.runFor(60 * MS);
    pair.switchOver();
    pair.runFor(300 * MS);
  },
  'a lost peer, a new generation, and a resync from its beginning to its end': (pair) => {
    pair.runFor(150 * MS);
    pair.load(true, 8);
    pair.runFor(30 * MS);
    pair.cut();
    pair.runFor(450 * MS);
    pair.heal();
    pair.load(false);
    pair.runFor(600 * MS);
  },
  'blocks that move to the spare area, and are written there': (pair) => {
    pair.runFor(150 * MS);
    pair.load(true);
    pair.runFor(100 * MS);
    pair.load(false);
    pair.runFor(40 * MS);
    wear(pair);
    expect([...pair.marks].filter((mark) => /moved/.test(mark))).toHaveLength(2);
  },
};

/** Blocks are read on host 1 and written on both, which are bad for good: they move. */
function wear(pair: Pair): void {
  const [a, b] = pair.hosts;
  const places = blocks(pair, 12).slice(4);
  for (const [n, first] of places.entries()) {
    const block = first - (first % 8);
    spoilFor(n % 2 === 0 ? a : b, first, n % 2 === 0 ? 'lies' : 'bad');
    request(pair, 1, Event.ReqRead, block, 8);
    pair.runFor(25 * MS);
    request(pair, 1, Event.ReqWrite, block, 8);
    pair.runFor(25 * MS);
  }
}

describe('a power cut leaves a replica that knows what may differ, and is taken, after', () => {
  for (const [name, workload] of Object.entries(WORKLOADS)) {
    it(`every write of ${name}, whole or torn at any sector`, () => {
      for (const seed of [1, 2]) {
        const { cuts, pair } = cutEverywhere(seed, workload);
        expect(pair.violations).toEqual([]);
        expect(cuts).toBeGreaterThan(100);
      }
    });
  }
});

describe('a power cut amid a hot set of several journal pages', () => {
  for (const name of [
    'writes that heat extents, and evictions',
    'records, epochs and a hand-over',
  ]) {
    it(`leaves a replica that knows what may differ, after every write of ${name}`, () => {
      const workload = WORKLOADS[name] as (pair: Pair) => void;
      const { cuts, pair } = cutEverywhere(3, workload, [], LONG_CONFIG);
      expect(pair.violations).toEqual([]);
      expect(cuts).toBeGreaterThan(100);
      expect(pair.marks.has('mirror.al.lap')).toBe(true);
    });
  }
});

describe('a planted bug is seen by a power cut', () => {
  for (const id of ['RULE-04', 'RULE-07', 'RULE-08']) {
    it(`after some write: ${id}`, () => {
      const workloads = Object.values(WORKLOADS);
      const found = [1, 2, 3, 4].some((seed) =>
        workloads.some(
          (workload) => cutEverywhere(seed, workload, [id]).pair.violations.length > 0,
        ),
      );
      expect(found).toBe(true);
    });
  }
});

describe('a power cut while a replica is formatted', () => {
  const pages = formatMetadata(PAIR_CONFIG, 1, 100, 'UpToDate', 'ab'.repeat(16));

  it('on an empty disk leaves none, or one whose every claim is true', () => {
    for (let n = 0; n <= pages.length; n += 1) {
      const meta = new Map(pages.slice(0, n).map((p) => [p.page, p.bytes]));
      const found = attachImage(PAIR_CONFIG, 1, meta, 1);
      if (n < pages.length - 1) expect([n, found.refused]).toEqual([n, 'unreadable']);
      else expect([n, found.refused, found.block.generation]).toEqual([n, '', 100]);
    }
  });

  it('over an old replica leaves nothing that passes for clean', () => {
    const [image] = imagesOf(1, 1, 150);
    if (image === undefined) throw new Error('no image');
    const whole = attachImage(PAIR_CONFIG, 1, image.meta, image.boot);
    for (let n = 1; n < pages.length; n += 1) {
      const meta: Meta = new Map([
        ...image.meta,
        ...pages.slice(0, n).map((p) => [p.page, p.bytes] as const),
      ]);
      const found = attachImage(PAIR_CONFIG, 1, meta, image.boot);
      if (found.refused !== '') {
        expect(['other-device', 'spare']).toContain(found.refused);
        continue;
      }
      expect(found.block.generation).toBe(whole.block.generation);
      for (const block of whole.dirty) expect(found.dirty.has(block)).toBe(true);
    }
  });
});

describe('power that goes after the n-th write of metadata, for every n', () => {
  /** Host `node` loses power right after its n-th metadata write; null when there is none. */
  function run(seed: number, node: number, n: number, config = PAIR_CONFIG): Pair | null {
    const pair = new Pair({ seed, config });
    let writes = 0;
    let off = false;
    watchMeta(pair.host(node), () => {
      writes += 1;
      if (writes !== n) return;
      off = true;
      pair.after(0, () => pair.powerOff(node));
    });
    pair.load(true, 8);
    pair.runFor(40 * MS);
    if (!off) pair.runFor(60 * MS);
    if (!off) return null;
    pair.runFor(100 * MS);
    pair.powerOn(node);
    pair.runFor(150 * MS);
    pair.settle();
    return pair;
  }

  for (const node of [1, 2]) {
    it(`comes back to a pair that is whole and has lost nothing (host ${node})`, () => {
      let n = 1;
      for (let pair = run(node, node, n); pair !== null; pair = run(node, node, n)) {
        expect([n, ...pair.violations]).toEqual([n]);
        n += 1;
      }
      expect(n).toBeGreaterThan(3);
    });
  }

  it('comes back to such a pair, too, with a hot set of several journal pages', () => {
    let [cuts, long] = [0, 0];
    for (const seed of [3, 4, 5, 6]) {
      let n = 1;
      for (; ; n += 1) {
        const pair = run(seed, 1, n, LONG_CONFIG);
        if (pair === null) break;
        expect([seed, n, ...pair.violations]).toEqual([seed, n]);
        if (pair.marks.has('mirror.attach.long')) long += 1;
      }
      cuts += n - 1;
    }
    expect(cuts).toBeGreaterThan(25);
    expect(long).toBeGreaterThan(3);
  });

  /** A block of host 1 moves, and the power goes right after the n-th write of its metadata. */
  function move(seed: number, n: number, canaries: readonly string[] = []): Pair | null {
    const pair = written(seed, canaries);
    const h = pair.host(1);
    const first = blocks(pair, 4)[3] as number;
    const block = first - (first % 8);
    spoilFor(h, first, seed % 2 === 0 ? 'bad' : 'lies');
    let [writes, off] = [0, false];
    watchMeta(h, () => {
      writes += 1;
      if (writes === n) off = true;
      if (writes === n) pair.after(0, () => pair.powerOff(1));
    });
    request(pair, 1, Event.ReqRead, block, 8);
    for (let left = 60; left > 0 && !off; left -= 1) pair.runFor(MS);
    if (!off) return null;
    pair.runFor(500 * MS);
    // Both places can be read from now on: what stands in the wrong one would be believed.
    mend(pair);
    pair.powerOn(1);
    pair.runFor(300 * MS);
    pair.settle();
    return pair;
  }

  it('leaves a block that was on the move in its old place or in its new one', () => {
    for (const seed of [1, 2, 3, 4]) {
      let n = 1;
      for (let pair = move(seed, n); pair !== null; pair = move(seed, n)) {
        expect([seed, n, ...pair.violations]).toEqual([seed, n]);
        n += 1;
      }
      // Two copies of the table, two superblocks.
      expect(n).toBeGreaterThan(4);
    }
  });
});

describe('the layout', () => {
  it('leaves the pages between the map and the far slot alone', () => {
    const { meta } = imagesOf(1, 1, 200)[0] ?? { meta: new Map() };
    const known = [...meta.keys()].sort((a, b) => a - b);
    expect(known).toEqual([0, 1, 2, 3, 4, 5, layout.slotB, copyA, copyB]);
    expect(PAGE_BYTES * (layout.slotB - layout.slotA)).toBe(1 << 20);
  });
});
