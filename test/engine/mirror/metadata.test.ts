import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../engine/core/crc32c.ts';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import { PAGE_WORDS } from '../../../engine/mirror/block-map.ts';
import {
  decodeJournal,
  decodeMapPage,
  decodeSuperblock,
  encodeJournal,
  encodeMapPage,
  encodeSuperblock,
  formatMetadata,
  metadataLayout,
  metadataPages,
  PARENTS_MAX,
  type Superblock,
} from '../../../engine/mirror/metadata.ts';
import { PAIR_CONFIG as config } from '../../support/mirror-pair.ts';

const page = (): Uint8Array => new Uint8Array(PAGE_BYTES);
const safe = fc.maxSafeNat();
const block: fc.Arbitrary<Superblock> = fc.record({
  seq: safe,
  device: fc.constant('ab'.repeat(16)),
  node: fc.constant(1),
  boot: safe,
  epoch: safe,
  generation: safe,
  parents: fc.array(safe, { maxLength: PARENTS_MAX }),
  peerGeneration: safe,
  flags: fc.nat(7),
});

describe('metadata', () => {
  it('reads back the superblock that was written', () => {
    fc.assert(
      fc.property(block, (b) => {
        const bytes = page();
        encodeSuperblock(config, 0, b, bytes);
        expect(decodeSuperblock(config, 1, 0, bytes)).toEqual({ ok: true, block: b });
      }),
    );
  });

  it('reads back the hot set and the map that were written', () => {
    const extents = fc.uint8Array({ maxLength: 100 });
    const words = fc.uint8Array({ minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(extents, words, safe, (hot, spots, seq) => {
        const bytes = page();
        encodeJournal(config, 3, seq, Uint32Array.from(hot), hot.length, bytes);
        expect(decodeJournal(config, 3, bytes)).toEqual({ seq, extents: [...hot] });
        const dirty = new Uint32Array(PAGE_WORDS);
        for (const s of spots) dirty[s] = (dirty[s] as number) ^ Math.imul(s, 0x9e3779b9);
        encodeMapPage(config, 9, 2, seq, dirty, bytes);
        const read = new Uint32Array(PAGE_WORDS);
        expect(decodeMapPage(config, 9, 2, bytes, read)).toBe(true);
        expect([...read]).toEqual([...dirty]);
      }),
    );
  });

  it('detects any flipped bit, and a page written to the wrong place', () => {
    const flip = fc.nat(PAGE_BYTES * 8 - 1);
    const pages = new Map(formatMetadata(config, 1, 5, 'UpToDate').map((p) => [p.page, p.bytes]));
    const layout = metadataLayout(config);
    const read = (at: number, bytes: Uint8Array): boolean => {
      if (at === layout.slotA) return decodeSuperblock(config, 1, at, bytes).ok;
      if (at < layout.map) return decodeJournal(config, at, bytes) !== null;
      return decodeMapPage(config, at, at - layout.map, bytes, new Uint32Array(PAGE_WORDS));
    };
    fc.assert(
      fc.property(flip, fc.constantFrom(layout.slotA, layout.journal, layout.map), (bit, at) => {
        const bytes = (pages.get(at) as Uint8Array).slice();
        expect(read(at, bytes)).toBe(true);
        expect(read(at + 1, bytes)).toBe(false);
        bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
        expect(read(at, bytes)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('says why a superblock is not this replica’s', () => {
    const bytes = page();
    const b = fc.sample(block, { numRuns: 1, seed: 1 })[0] as Superblock;
    encodeSuperblock(config, 0, b, bytes);
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
    expect(fault(config, 2)).toEqual({ ok: false, fault: 'other-node' });
  });

  it('keeps its format: the first pages of a replica are these bytes', () => {
    const pages = formatMetadata(config, 2, 77, 'UpToDate', '0123456789abcdef'.repeat(2));
    expect(pages).toHaveLength(metadataPages(config));
    let sum = 0;
    for (const { page: at, bytes } of pages) {
      sum = crc32c(Uint8Array.of(at), 0, 1, sum);
      sum = crc32c(bytes, 0, PAGE_BYTES, sum);
    }
    expect(sum).toBe(239842969);
  });
});
