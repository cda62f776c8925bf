import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../engine/core/crc32c.ts';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import { PAGE_WORDS } from '../../../engine/mirror/block-map.ts';
import {
  Feature,
  OWN_FEATURES,
  ownFeatures,
  withWindows,
} from '../../../engine/mirror/features.ts';
import { decodeJournal, encodeJournal } from '../../../engine/mirror/journal.ts';
import {
  chooseSuperblock,
  decodeMapPage,
  decodeSuperblock,
  encodeMapPage,
  encodeSuperblock,
  formatMetadata,
  isReadOnly,
  metadataLayout,
  PARENTS_MAX,
  type Superblock,
  type SuperblockRead,
} from '../../../engine/mirror/metadata.ts';
import { type Claims, deviceBytes, noClaims } from '../../../engine/mirror/page.ts';
import { decodeTable, spareLayout } from '../../../engine/mirror/spare-table.ts';
import { bytesOf } from '../../support/golden-text.ts';
import { PAIR_CONFIG as config } from '../../support/mirror-pair.ts';
import * as golden from './golden/metadata-v2.ts';

const DEVICE = '0123456789abcdef'.repeat(2);
const device = deviceBytes(DEVICE);
const page = (): Uint8Array => new Uint8Array(PAGE_BYTES);
const safe = fc.maxSafeNat();
const block: fc.Arbitrary<Superblock> = fc.record({
  seq: safe,
  device: fc.constant(DEVICE),
  node: fc.constant(1),
  boot: safe,
  epoch: safe,
  generation: safe,
  parents: fc.array(safe, { maxLength: PARENTS_MAX }),
  peerGeneration: safe,
  flags: fc.nat(7),
  padded: fc.integer({ min: -1, max: 2 ** 34 }),
  peerDisk: fc.nat(0xffffffff),
  others: fc.constant([]),
  remaps: fc.constant(0),
  undo: safe,
  layout: fc.constant(0),
  features: fc.record({
    compatible: fc.nat(0xffffffff),
    readOnlyCompatible: fc.constant(0),
    incompatible: fc.constant(0),
  }),
});
const claims = fc.record({ superblock: fc.constant(0), journal: safe, mapWrites: safe });

function slot(b: Superblock, at = 0, c: Claims = noClaims(), node = 1): SuperblockRead {
  const bytes = page();
  encodeSuperblock(config, at, b, c, bytes);
  return decodeSuperblock(config, node, at, bytes);
}

const sample = (seq: number, more: Partial<Superblock> = {}): Superblock => ({
  ...(fc.sample(block, { numRuns: 1, seed: 1 })[0] as Superblock),
  seq,
  ...more,
});

describe('metadata', () => {
  it('reads back the superblock that was written', () => {
    fc.assert(
      fc.property(block, claims, (b, c) => {
        expect(slot(b, 0, c)).toEqual({ ok: true, block: b, claims: c });
      }),
    );
  });

  it('has everything that a superblock says in its first sector', () => {
    fc.assert(
      fc.property(block, claims, (b, c) => {
        const bytes = page();
        encodeSuperblock(config, 0, b, c, bytes);
        expect(bytes.subarray(512).every((byte) => byte === 0)).toBe(true);
      }),
    );
  });

  it('reads back the map that was written', () => {
    const words = fc.uint8Array({ minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(words, safe, safe, (spots, seq, journal) => {
        const bytes = page();
        const dirty = new Uint32Array(PAGE_WORDS);
        for (const s of spots) dirty[s] = (dirty[s] as number) ^ Math.imul(s, 0x9e3779b9);
        const c = { superblock: 3, journal, mapWrites: 0 };
        encodeMapPage(device, 9, 2, seq, c, dirty, bytes);
        const read = new Uint32Array(PAGE_WORDS);
        expect(decodeMapPage(device, 9, 2, bytes, read)).toEqual({ seq, claims: c });
        expect([...read]).toEqual([...dirty]);
      }),
    );
  });

  it('detects any flipped bit, and a page of another place or another device', () => {
    const flip = fc.nat(PAGE_BYTES * 8 - 1);
    const formatted = formatMetadata(config, 1, 5, 'UpToDate', DEVICE);
    const pages = new Map(formatted.map((p) => [p.page, p.bytes]));
    const layout = metadataLayout(config);
    const read = (at: number, bytes: Uint8Array, own = device): boolean => {
      if (at === layout.slotA) return decodeSuperblock(config, 1, at, bytes).ok;
      if (at < layout.map) return decodeJournal(own, at, bytes) !== null;
      const words = new Uint32Array(PAGE_WORDS);
      return decodeMapPage(own, at, at - layout.map, bytes, words) !== null;
    };
    const other = deviceBytes('f'.repeat(32));
    fc.assert(
      fc.property(flip, fc.constantFrom(layout.slotA, layout.journal, layout.map), (bit, at) => {
        const bytes = (pages.get(at) as Uint8Array).slice();
        expect(read(at, bytes)).toBe(true);
        expect(read(at + 1, bytes)).toBe(false);
        if (at !== layout.slotA) expect(read(at, bytes, other)).toBe(false);
        bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
        expect(read(at, bytes)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('says why a superblock is not this replica’s', () => {
    const bytes = page();
    encodeSuperblock(config, 0, sample(1), noClaims(), bytes);
    const fault = (c: typeof config, node: number) => decodeSuperblock(c, node, 0, bytes);
    const uuid = 'f'.repeat(32);
    expect(fault({ ...config, uuid }, 1)).toEqual({ ok: false, fault: 'other-volume' });
    const sizeBytes = config.sizeBytes * 2;
    expect(fault({ ...config, sizeBytes }, 1)).toEqual({ ok: false, fault: 'size' });
    expect(fault({ ...config, logicalBlock: 4096 }, 1)).toEqual({
      ok: false,
      fault: 'logical-block',
    });
    expect(fault({ ...config, journalPages: 8 }, 1)).toEqual({ ok: false, fault: 'layout' });
    expect(fault({ ...config, slotDistance: 512 }, 1)).toEqual({ ok: false, fault: 'layout' });
    expect(fault(config, 2)).toEqual({ ok: false, fault: 'other-node' });
  });

  it('has checksums for good or not at all', () => {
    const plain = { ...config, logicalBlock: 4096 } as const;
    const summed = { ...plain, checksums: true } as const;
    for (const [made, wanted] of [
      [plain, summed],
      [summed, plain],
    ] as const) {
      const bytes = page();
      const block = { ...sample(1), features: ownFeatures(made) };
      encodeSuperblock(made, 0, block, noClaims(), bytes);
      expect(decodeSuperblock(made, 1, 0, bytes)).toMatchObject({ ok: true });
      expect(decodeSuperblock(wanted, 1, 0, bytes)).toEqual({ ok: false, fault: 'checksums' });
    }
  });

  it('has its data in parts for good or not at all', () => {
    const several = { ...config, inParts: true } as const;
    for (const [made, wanted] of [
      [config, several],
      [several, config],
    ] as const) {
      const bytes = page();
      const block = { ...sample(1), features: ownFeatures(made) };
      encodeSuperblock(made, 0, block, noClaims(), bytes);
      expect(decodeSuperblock(made, 1, 0, bytes)).toMatchObject({ ok: true });
      expect(decodeSuperblock(wanted, 1, 0, bytes)).toEqual({ ok: false, fault: 'parts' });
    }
    expect(ownFeatures(several).incompatible & Feature.Parts).toBe(Feature.Parts);
    // Nothing of the area moves.
    expect(metadataLayout(several)).toEqual(metadataLayout(config));
  });

  it('leaves every page where it was when checksums are added behind them', () => {
    for (const sizeBytes of [4096, 8 << 20, 2 ** 46]) {
      const plain = metadataLayout({ ...config, sizeBytes, logicalBlock: 4096 });
      const summed = metadataLayout({ ...config, sizeBytes, logicalBlock: 4096, checksums: true });
      const { sums, sumPages, pages, ...rest } = summed;
      expect(plain).toMatchObject(rest);
      expect([sums, plain.sumPages]).toEqual([plain.pages, 0]);
      expect(sumPages * 768 * 4096).toBeGreaterThanOrEqual(sizeBytes);
      expect(pages).toBe(sums + sumPages);
    }
  });

  it('has its superblock slots a mebibyte apart, whatever lies between them', () => {
    for (const sizeBytes of [4096, 8 << 20, 2 ** 40]) {
      for (const journalPages of [4, 1024]) {
        const layout = metadataLayout({ ...config, sizeBytes, journalPages });
        expect((layout.slotB - layout.slotA) * PAGE_BYTES).toBeGreaterThanOrEqual(1 << 20);
        expect(layout.slotB).toBeGreaterThanOrEqual(layout.map + layout.mapPages);
        expect(layout.pages).toBe(layout.slotB + 1);
      }
    }
    const near = metadataLayout({ ...config, slotDistance: 1 });
    expect(near.slotB).toBe(near.map + near.mapPages);
  });
});

describe('of two superblock slots', () => {
  const bad: SuperblockRead = { ok: false, fault: 'unreadable' };
  const old = slot(sample(7));
  const young = slot(sample(8));

  it('the newer speaks, or the one that can be read', () => {
    expect(chooseSuperblock(old, young)).toMatchObject({ isA: false, damaged: 0 });
    expect(chooseSuperblock(young, old)).toMatchObject({ isA: true, damaged: 0 });
    expect(chooseSuperblock(old, bad)).toMatchObject({ isA: true, damaged: 1 });
    expect(chooseSuperblock(bad, old)).toMatchObject({ isA: false, damaged: 1 });
    expect(chooseSuperblock(bad, bad)).toEqual(bad);
  });

  it('one that is whole and of something else is never passed over', () => {
    const fault = 'other-volume';
    expect(chooseSuperblock({ ok: false, fault }, young)).toEqual({ ok: false, fault });
    expect(chooseSuperblock(young, { ok: false, fault })).toEqual({ ok: false, fault });
    const stranger = slot(sample(9, { device: 'f'.repeat(32) }));
    expect(chooseSuperblock(young, stranger)).toEqual({ ok: false, fault: 'other-device' });
  });
});

describe('a feature that nobody knows', () => {
  const features = (more: object) => slot(sample(1, { features: { ...OWN_FEATURES, ...more } }));

  it('is refused when it is incompatible, whatever else is right', () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 31 }), (bit) => {
        const read = features({ incompatible: (1 << bit) >>> 0 });
        expect(read).toEqual({ ok: false, fault: 'features' });
      }),
    );
  });

  it('may be read, and nothing more, when it is compatible for readers only', () => {
    const read = features({ readOnlyCompatible: 0x40 });
    expect(read.ok && isReadOnly(read.block)).toBe(true);
  });

  it('is kept when it is compatible', () => {
    const read = features({ compatible: 0x8000_0001 });
    expect(read.ok && !isReadOnly(read.block)).toBe(true);
    expect(read.ok && slot(read.block)).toEqual(read);
  });
});

describe('the format of version 2', () => {
  const all: Claims = { superblock: 6, journal: 21, mapWrites: 5 };

  it('is read from the bytes checked in, and encoded to the same bytes', () => {
    const again = page();
    const superblock = bytesOf(golden.SUPERBLOCK);
    const read = decodeSuperblock(config, 2, 0, superblock);
    if (!read.ok) throw new Error(read.fault);
    expect(read.claims).toEqual({ ...all, superblock: 0 });
    expect(read.block).toMatchObject({ generation: 77, parents: [76, 12], flags: 4 });
    encodeSuperblock(config, 0, read.block, read.claims, again);
    expect(again).toEqual(superblock);

    const journal = bytesOf(golden.JOURNAL);
    const ring = decodeJournal(device, 2, journal);
    if (ring === null) throw new Error('the golden journal page is not whole');
    expect(ring.extents).toEqual(Array.from({ length: 115 }, (_, i) => 3 * i));
    const extents = Uint32Array.from(ring.extents);
    encodeJournal(device, 2, ring.seq, ring.claims, extents, 115, 1, again);
    expect(again).toEqual(journal);

    const map = bytesOf(golden.MAP_PAGE);
    const dirty = new Uint32Array(PAGE_WORDS);
    const content = decodeMapPage(device, 6, 1, map, dirty);
    if (content === null) throw new Error('the golden map page is not whole');
    expect([dirty[0], dirty[5], dirty[503]]).toEqual([0x80000001, 0xffffffff, 2]);
    encodeMapPage(device, 6, 1, content.seq, content.claims, dirty, again);
    expect(again).toEqual(map);
  });

  it('is told from version 1, whose superblock is refused for its version', () => {
    const read = decodeSuperblock(config, 1, 0, bytesOf(golden.SUPERBLOCK_V1));
    expect(read).toEqual({ ok: false, fault: 'version' });
  });

  it('is what a replica without a spare area begins with: these bytes', () => {
    const plain = { compatible: 0, readOnlyCompatible: 0, incompatible: 0 };
    const pages = formatMetadata(config, 2, 77, 'UpToDate', DEVICE, plain);
    const { journalPages, mapPages } = metadataLayout(config);
    expect(pages).toHaveLength(2 + journalPages + mapPages);
    let sum = 0;
    for (const { page: at, bytes } of pages) {
      sum = crc32c(Uint8Array.of(at), 0, 1, sum);
      sum = crc32c(bytes, 0, PAGE_BYTES, sum);
    }
    expect(sum).toBe(3998563549);
  });

  it('has with a spare area a flag, a count and two tables more: these bytes', () => {
    const pages = formatMetadata(config, 2, 77, 'UpToDate', DEVICE);
    const plain = { compatible: 0, readOnlyCompatible: 0, incompatible: 0 };
    const old = formatMetadata(config, 2, 77, 'UpToDate', DEVICE, plain);
    const { slotA, slotB, pages: end } = metadataLayout(config);
    const differing = pages.filter(({ page: at, bytes }) => {
      const same = old.find((each) => each.page === at)?.bytes;
      return same === undefined || bytes.some((byte, i) => byte !== same[i]);
    });
    const { copyA, copyB } = spareLayout(config, end);
    expect(differing.map((each) => each.page)).toEqual([copyA, copyB, slotA, slotB]);
    const read = decodeSuperblock(config, 2, 0, bytesOf(golden.SUPERBLOCK_SPARE));
    if (!read.ok) throw new Error(read.fault);
    expect([read.block.remaps, read.block.features.incompatible]).toEqual([3, Feature.Spare]);
    const again = page();
    encodeSuperblock(config, 0, read.block, read.claims, again);
    expect(again).toEqual(bytesOf(golden.SUPERBLOCK_SPARE));
    const table = decodeTable(device, copyA, 0, bytesOf(golden.SPARE_TABLE));
    expect([table?.entries?.[0], table?.entries?.[1]]).toEqual([79, 1]);
  });

  it('has for a longer hot set a flag, and a number in each journal sector: these bytes', () => {
    const again = page();
    const read = decodeSuperblock(config, 2, 0, bytesOf(golden.SUPERBLOCK_WINDOWS));
    if (!read.ok) throw new Error(read.fault);
    const { features } = read.block;
    expect(features.incompatible).toBe(Feature.Spare + Feature.Windows);
    encodeSuperblock(config, 0, read.block, read.claims, again);
    expect(again).toEqual(bytesOf(golden.SUPERBLOCK_WINDOWS));
    const without = { ...read.block, features: withWindows(features, false) };
    encodeSuperblock(config, 0, without, read.claims, again);
    expect(again).toEqual(bytesOf(golden.SUPERBLOCK_SPARE));

    const ring = decodeJournal(device, 3, bytesOf(golden.JOURNAL_WINDOW));
    expect(ring).toMatchObject({ seq: 22, extents: [7, 300, 70_000], window: 5 });
    encodeJournal(device, 3, 22, { ...all }, Uint32Array.of(7, 300, 70_000), 3, 5, again);
    expect(again).toEqual(bytesOf(golden.JOURNAL_WINDOW));
    // What an earlier program wrote needs nothing before it.
    expect(decodeJournal(device, 2, bytesOf(golden.JOURNAL))?.window).toBe(1);
  });
});

describe('the metadata of one of three replicas', () => {
  const three = { ...config, nodes: [1, 2, 3] };
  const others = [{ node: 3, shared: 7, padded: 4, disk: 9 }];
  const formatted = formatMetadata(three, 1, 100, 'UpToDate');
  const { slotA, map, mapPages } = metadataLayout(three);
  const first = formatted.find((each) => each.page === slotA)?.bytes as Uint8Array;

  it('have a map for each of the others, and what each shared last', () => {
    const read = decodeSuperblock(three, 1, slotA, first);
    if (!read.ok) throw new Error(read.fault);
    expect(mapPages).toBe(2 * metadataLayout(config).mapPages);
    expect(formatted.filter((each) => each.page >= map && each.page < map + mapPages)).toHaveLength(
      mapPages,
    );
    expect(read.block.others).toEqual([{ node: 3, shared: 100, padded: -1, disk: 0 }]);
    const bytes = page();
    encodeSuperblock(three, 0, { ...read.block, others }, noClaims(), bytes);
    const again = decodeSuperblock(three, 1, 0, bytes);
    expect(again.ok && again.block.others).toEqual(others);
  });

  it('are refused by who knows of two replicas, or of others than these', () => {
    const fault = (nodes: readonly number[]): string => {
      const read = decodeSuperblock({ ...config, nodes }, 1, slotA, first);
      return read.ok ? '' : read.fault;
    };
    expect([fault([1, 2, 3]), fault([1, 2]), fault([1, 2, 4]), fault([1, 2, 3, 4])]).toEqual([
      '',
      'layout',
      'layout',
      'layout',
    ]);
  });

  it('fit what a disk writes whole, with all parents that there can be', () => {
    const four = { ...config, nodes: [1, 2, 3, 4] };
    const [slot] = formatMetadata(four, 1, 100, 'UpToDate').filter((each) => each.page === 0);
    const read = decodeSuperblock(four, 1, 0, slot?.bytes as Uint8Array);
    if (!read.ok) throw new Error(read.fault);
    const parents = Array.from({ length: PARENTS_MAX }, (_, i) => i + 1);
    const bytes = page();
    encodeSuperblock(four, 0, { ...read.block, parents }, noClaims(), bytes);
    expect(decodeSuperblock(four, 1, 0, bytes).ok).toBe(true);
  });
});
