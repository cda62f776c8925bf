/** Metadata pages of a replica damaged in every way: it is refused or conservative, never wrong. */
import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import { formatMetadata, metadataLayout } from '../../../engine/mirror/metadata.ts';
import { attachImage, damagesOf, overclaimed, truthOf } from '../../support/metadata-images.ts';
import { imagesOf, lapImages, rot, stale } from '../../support/metadata-rot.ts';
import { PAIR_CONFIG } from '../../support/mirror-pair.ts';

const layout = metadataLayout(PAIR_CONFIG);

describe('a replica with one damaged page of metadata', () => {
  it('is refused or claims no more than it did whole, wherever and however it is damaged', () => {
    for (const [node, every] of [[1, 23] as const, [2, 1] as const]) {
      const images = imagesOf(1, node, every);
      expect(images.length).toBeGreaterThan(9);
      const { violations, tried } = rot(images);
      expect(violations).toEqual([]);
      expect(tried).toBeGreaterThan(4_000);
    }
  });

  it('is refused or claims no more, too, when it has several map pages', () => {
    const { violations } = rot(imagesOf(3, 1, 90, [], { ...PAIR_CONFIG, sizeBytes: 72 << 20 }));
    expect(violations).toEqual([]);
  });

  it('is refused or claims no more, too, when several journal pages name what is hot', () => {
    const images = lapImages(1, 45);
    expect(images.length).toBeGreaterThan(4);
    const { violations, tried } = rot(images);
    expect(violations).toEqual([]);
    expect(tried).toBeGreaterThan(2_000);
  });

  it('is never refused for rot: what is whole of it suffices', () => {
    for (const image of imagesOf(2, 1, 120)) {
      for (const page of image.meta.keys()) {
        for (const [name, bytes] of damagesOf(image, page)) {
          if (!/^(?:bit|zeroes|rubbish)/.test(name)) continue;
          const meta = new Map([...image.meta, [page, bytes]]);
          const found = attachImage(image.config, 1, meta, image.boot);
          expect([name, found.refused]).toEqual([name, '']);
        }
      }
    }
  });

  it('whose ring rotted writes all of it anew, and is whole from then on', () => {
    const [image] = imagesOf(1, 1, 100);
    if (image === undefined) throw new Error('no image');
    for (let page = layout.journal; page < layout.map; page += 1) {
      const meta = new Map([...image.meta, [page, new Uint8Array(PAGE_BYTES)]]);
      const first = attachImage(image.config, 1, meta, image.boot);
      const written = new Set(first.writes.map((write) => write.page));
      for (let p = layout.journal; p < layout.map; p += 1) expect(written.has(p)).toBe(true);
      const again = attachImage(image.config, 1, first.meta, image.boot);
      expect(again.marks.has('mirror.meta.journal-lost')).toBe(false);
      for (const block of first.dirty) expect(again.dirty.has(block)).toBe(true);
    }
  });
});

describe('a replica whose disk lost a write of metadata', () => {
  it('is refused or conservative, where any page was written since', () => {
    for (const [node, every] of [[1, 11] as const, [2, 1] as const]) {
      // Of the secondary there are few: its metadata changes with records and copies alone.
      const seeds = node === 1 ? [1] : [1, 2, 3];
      const { violations, told } = stale(seeds.flatMap((seed) => imagesOf(seed, node, every)));
      expect(violations).toEqual([]);
      expect(told).toBeGreaterThan(100);
    }
  });

  it('is refused or conservative, too, when several journal pages name what is hot', () => {
    const images = lapImages(1, 11);
    const { violations, told } = stale(images);
    expect(violations).toEqual([]);
    expect(told).toBeGreaterThan(100);
  });

  it('cannot know it, where the lost write was the last: no code could', () => {
    const images = imagesOf(1, 1, 11);
    const { untold } = stale(images);
    expect(untold).toBeGreaterThan(0);
    // Both superblocks as they were made, and nothing but them: a young replica, for all it knows.
    const [image] = images;
    if (image === undefined) throw new Error('no image');
    const fresh = new Map(
      formatMetadata(PAIR_CONFIG, 1, 100, 'UpToDate').map((p) => [p.page, p.bytes]),
    );
    const found = attachImage(PAIR_CONFIG, 1, fresh, image.boot);
    expect([found.refused, found.block.epoch]).toEqual(['', 0]);
  });

  it('is refused when both superblocks are old and a page of the journal or map is not', () => {
    const [image] = imagesOf(1, 1, 100);
    if (image === undefined) throw new Error('no image');
    const fresh = new Map(
      formatMetadata(PAIR_CONFIG, 1, 100, 'UpToDate').map((p) => [p.page, p.bytes]),
    );
    const slots = [layout.slotA, layout.slotB].map(
      (page) => [page, fresh.get(page) as Uint8Array] as const,
    );
    const found = attachImage(PAIR_CONFIG, 1, new Map([...image.meta, ...slots]), image.boot);
    expect(found.refused).toBe('stale');
    expect(found.writes).toEqual([]);
    expect(overclaimed(image, truthOf(image), new Map(slots))).toBe(null);
  });
});
