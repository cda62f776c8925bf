import { describe, expect, it } from 'vitest';
import {
  blockCount,
  checkMirrorConfig,
  extentCount,
  type MirrorConfig,
} from '../../../engine/mirror/config.ts';
import { PAIR_CONFIG } from '../../support/mirror-pair.ts';

describe('mirror configuration', () => {
  it('is refused where a limit is broken', () => {
    checkMirrorConfig(PAIR_CONFIG);
    const broken: Partial<MirrorConfig>[] = [
      { sizeBytes: 4095 },
      { sizeBytes: 0 },
      { sizeBytes: 2 ** 47 },
      { uuid: 'x' },
      { alExtents: 3 },
      // A ring of four pages has room for three halves more than one page.
      { alExtents: 1345 },
      { journalExtents: 3 },
      { journalExtents: 897 },
      { alExtents: 7, journalExtents: 4 },
      { journalPages: 3 },
      { resyncChunk: 1000 },
      { nodes: [1, 1] },
      { nodes: [1] },
      { nodes: [1, 2, 3, 2] },
      { nodes: [1, 2, 3, 4, 5] },
    ];
    for (const part of broken) {
      expect(() => checkMirrorConfig({ ...PAIR_CONFIG, ...part })).toThrow();
    }
  });

  it('counts a short last extent', () => {
    const sizeBytes = 1024 * 1024 + 4096;
    expect(extentCount({ ...PAIR_CONFIG, sizeBytes })).toBe(2);
    expect(blockCount({ ...PAIR_CONFIG, sizeBytes })).toBe(257);
  });
});
