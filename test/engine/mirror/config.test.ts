import { describe, expect, it } from 'vitest';
import {
  blockCount,
  checkMirrorConfig,
  extentCount,
  lagLimits,
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

  it('lets an asynchronous replica be behind by what memory has room for, or a file', () => {
    const GIB = 2 ** 30;
    const limits = (lagBytes: number, spillNodes: number[] | undefined, spills: boolean) => {
      const config = spillNodes === undefined ? { lagBytes } : { lagBytes, spillNodes };
      const { bytes, writes } = lagLimits(config, 2, spills);
      return [bytes, writes];
    };
    expect(limits(GIB, undefined, true)).toEqual([GIB, 32_768]);
    expect(limits(GIB, [3], true)).toEqual([GIB, 32_768]);
    expect(limits(GIB, [2], true)).toEqual([GIB, 262_144]);
    expect(limits(2 ** 20, [2], true)).toEqual([2 ** 20, 32_768]);
    expect(limits(64 * GIB, [2], true)).toEqual([64 * GIB, 2 ** 24]);
    expect(limits(2 ** 37, [2], true)).toEqual([2 ** 37, 2 ** 24]);
    // The file is not there yet, or could not be made.
    expect(limits(64 * GIB, [2], false)).toEqual([GIB, 32_768]);
    expect(limits(2 ** 20, [2], false)).toEqual([2 ** 20, 32_768]);
  });

  it('counts a short last extent', () => {
    const sizeBytes = 1024 * 1024 + 4096;
    expect(extentCount({ ...PAIR_CONFIG, sizeBytes })).toBe(2);
    expect(blockCount({ ...PAIR_CONFIG, sizeBytes })).toBe(257);
  });
});
