import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import { OWN_FEATURES } from '../../../engine/mirror/features.ts';
import { formatMetadata, metadataLayout, metadataPages } from '../../../engine/mirror/metadata.ts';
import { deviceBytes, noClaims } from '../../../engine/mirror/page.ts';
import {
  decodeTable,
  encodeTable,
  GIVEN_UP,
  newerTable,
  placesOf,
  spareLayout,
  standsIn,
  TABLE_ENTRIES,
  type TableRead,
  usedBy,
} from '../../../engine/mirror/spare-table.ts';
import { PAIR_CONFIG as config } from '../../support/mirror-pair.ts';

const device = deviceBytes('0123456789abcdef'.repeat(2));
const layout = spareLayout(config, metadataLayout(config).pages);

function page(entries: Float64Array | null, seq = 7, at = layout.copyA): Uint8Array {
  const bytes = new Uint8Array(PAGE_BYTES);
  encodeTable(device, at, 0, seq, { ...noClaims(), superblock: 5 }, entries, bytes);
  return bytes;
}

describe('the layout of the spare area', () => {
  it('has a thousandth of the volume, a mebibyte at least, between two copies of its table', () => {
    for (const sizeBytes of [4096, 8 << 20, 2 ** 30, 2 ** 40, 2 ** 46]) {
      const { copyA, copyB, first, count, tablePages, end } = spareLayout(
        { ...config, sizeBytes },
        9,
      );
      expect(count).toBeGreaterThanOrEqual(256);
      expect(count * 4096 * 1000).toBeGreaterThanOrEqual(sizeBytes);
      expect(tablePages * TABLE_ENTRIES).toBeGreaterThanOrEqual(count);
      expect([copyA, first, copyB]).toEqual([9, 9 + tablePages, 9 + tablePages + count]);
      expect([end, (copyB - copyA) * PAGE_BYTES >= 1 << 20]).toEqual([copyB + tablePages, true]);
    }
  });

  it('is behind all else, and absent where the features do not name it', () => {
    expect(layout.copyA).toBe(metadataLayout(config).slotB + 1);
    expect(metadataPages(config)).toBe(layout.end);
    const plain = { ...OWN_FEATURES, incompatible: 0 };
    expect(metadataPages(config, plain)).toBe(metadataLayout(config).pages);
    const old = formatMetadata(config, 1, 5, 'UpToDate', '0'.repeat(32), plain);
    const own = formatMetadata(config, 1, 5, 'UpToDate', '0'.repeat(32));
    expect(own.length).toBe(old.length + 2 * layout.tablePages);
  });
});

describe('a page of the table', () => {
  const entries = fc
    .array(fc.tuple(fc.nat(TABLE_ENTRIES - 1), fc.nat(2 ** 31 - 1)), { maxLength: 20 })
    .map((all) => {
      const made = new Float64Array(TABLE_ENTRIES);
      for (const [at, block] of all) made[at] = block % 5 === 0 ? GIVEN_UP : usedBy(block);
      return made;
    });

  it('reads back as it was written', () => {
    fc.assert(
      fc.property(entries, fc.maxSafeNat(), (all, seq) => {
        const read = decodeTable(device, layout.copyA, 0, page(all, seq));
        expect([read?.seq, read?.claims.superblock]).toEqual([seq, 5]);
        expect([...(read?.entries ?? new Float64Array(TABLE_ENTRIES))]).toEqual([...all]);
      }),
    );
    expect(decodeTable(device, layout.copyA, 0, page(null))?.entries).toBe(null);
  });

  it('is not taken with any bit turned over, at another place, or of another replica', () => {
    const other = deviceBytes('f'.repeat(32));
    fc.assert(
      fc.property(entries, fc.nat(PAGE_BYTES * 8 - 1), (all, bit) => {
        const bytes = page(all);
        expect(decodeTable(other, layout.copyA, 0, bytes)).toBe(null);
        expect(decodeTable(device, layout.copyB, 0, bytes)).toBe(null);
        expect(decodeTable(device, layout.copyA, 1, bytes)).toBe(null);
        bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
        expect(decodeTable(device, layout.copyA, 0, bytes)).toBe(null);
      }),
      { numRuns: 200 },
    );
  });

  it('of a crash in the midst of its write leaves the other copy to speak', () => {
    const [old, young] = [page(null, 7), page(null, 8)];
    for (let at = 512; at < PAGE_BYTES; at += 512) {
      const torn = young.slice();
      torn.set(old.subarray(at), at);
      const read = (bytes: Uint8Array) => decodeTable(device, layout.copyA, 0, bytes);
      // All entries are the same, so a torn one may be whole.
      const chosen = newerTable(read(torn), read(old));
      expect(chosen?.seq).toBeGreaterThanOrEqual(7);
    }
  });

  it('names the last spare block that was given to a block', () => {
    const all = new Float64Array(TABLE_ENTRIES);
    all[0] = usedBy(9);
    all[1] = GIVEN_UP;
    all[2] = usedBy(4);
    all[5] = usedBy(9);
    const read: TableRead = { seq: 1, claims: noClaims(), entries: all };
    const places = placesOf(layout, [read]);
    expect([...places]).toEqual([
      [9, layout.first + 5],
      [4, layout.first + 2],
    ]);
    expect([standsIn(GIVEN_UP), standsIn(0), standsIn(usedBy(0))]).toEqual([-1, -1, 0]);
  });
});
