/** Replicas whose hot set one journal page cannot name, and such as were made before any could. */
import { describe, expect, it } from 'vitest';
import type { MirrorConfig } from '../../../engine/mirror/config.ts';
import { metadataLayout } from '../../../engine/mirror/metadata.ts';
import { attachImage, type Image, truthOf } from '../../support/metadata-images.ts';
import { imagesOf, lapImages, windowOf } from '../../support/metadata-rot.ts';
import { MS } from '../../support/mirror-hosts.ts';
import { lapped, saidFirst, windowsSaid } from '../../support/mirror-hot.ts';
import { LONG_CONFIG, PAIR_CONFIG, Pair } from '../../support/mirror-pair.ts';

const layout = metadataLayout(LONG_CONFIG);
/** What the replica was told before, or by who wants no more than one page names. */
const SHORT_CONFIG: MirrorConfig = { ...LONG_CONFIG, alExtents: 4 };

/** What the attached replica does not take for different although the image says so. */
function missed(image: Image, config: MirrorConfig): readonly number[] {
  const { suspects } = truthOf(image);
  const { dirty, refused } = attachImage(config, image.node, image.meta, image.boot);
  expect(refused).toBe('');
  return suspects.filter((block) => !dirty.has(block));
}

describe('a replica of a longer hot set than one page names', () => {
  it('says so in both superblocks before it writes the first page that needs another', () => {
    for (const seed of [1, 2, 3]) {
      const { violations, needing } = saidFirst(seed);
      expect(violations).toEqual([]);
      expect(needing).toBeGreaterThan(20);
    }
  });

  it('is taken over by one that was made and used before there was any such', () => {
    for (const image of imagesOf(4, 1, 25, [], SHORT_CONFIG)) {
      expect(windowsSaid(SHORT_CONFIG, 1, image.meta)).toBe(0);
      expect(missed(image, LONG_CONFIG)).toEqual([]);
      const { meta } = attachImage(LONG_CONFIG, 1, image.meta, image.boot);
      expect(windowsSaid(LONG_CONFIG, 1, meta)).toBe(2);
    }
  });

  it('is given up again by who wants no more, and says so only when no page needs another', () => {
    const all = imagesOf(1, 1, 7, [], LONG_CONFIG);
    const needing = lapImages(1, 7);
    expect(needing.length).toBeGreaterThan(5);
    expect(all.length).toBeGreaterThan(needing.length);
    for (const image of all) {
      expect(missed(image, SHORT_CONFIG)).toEqual([]);
      const { meta } = attachImage(SHORT_CONFIG, 1, image.meta, image.boot);
      const before = windowsSaid(LONG_CONFIG, 1, image.meta);
      const kept = windowOf(image) > 1 ? 2 : 0;
      expect(windowsSaid(SHORT_CONFIG, 1, meta)).toBe(before === 0 ? 0 : kept);
    }
  });

  it('says nothing of the kind where a volume has no more extents than one page names', () => {
    const config = { ...PAIR_CONFIG, alExtents: 1344 };
    const pair = new Pair({ seed: 1, config });
    pair.load(true);
    pair.runFor(200 * MS);
    for (const { node, meta } of pair.hosts) expect(windowsSaid(config, node, meta)).toBe(0);
  });

  it('is hot no more when it is attached: the map has it, and the next page is short', () => {
    const [image] = lapImages(2, 50);
    if (image === undefined) throw new Error('no image');
    const { meta, marks, dirty } = attachImage(LONG_CONFIG, 1, image.meta, image.boot);
    expect(marks.has('mirror.attach.long')).toBe(true);
    const map = new Map([...meta].filter(([page]) => page < layout.journal || page >= layout.map));
    const fresh = attachImage(LONG_CONFIG, 1, new Map([...image.meta, ...map]), image.boot);
    expect([...dirty].every((block) => fresh.dirty.has(block))).toBe(true);
    const pair = lapped(3);
    expect(pair.violations).toEqual([]);
    expect(pair.marks.has('mirror.attach.long')).toBe(true);
  });
});
