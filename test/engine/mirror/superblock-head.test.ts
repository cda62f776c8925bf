import { describe, expect, it } from 'vitest';
import {
  decodeSuperblock,
  formatMetadata,
  metadataLayout,
} from '../../../engine/mirror/metadata.ts';
import { superblockHead, voidSuperblock } from '../../../engine/mirror/superblock-head.ts';
import { PAIR_CONFIG } from '../../support/mirror-pair.ts';

const DEVICE = '0123456789abcdef'.repeat(2);

describe('the head of a superblock', () => {
  const pages = formatMetadata(PAIR_CONFIG, 1, 5, 'UpToDate', DEVICE);
  const { slotA, slotB } = metadataLayout(PAIR_CONFIG);

  it('says volume, copy and number, without a word of who holds replicas', () => {
    const heads = pages.flatMap(({ page, bytes }) => superblockHead(page, bytes) ?? []);
    const { uuid } = PAIR_CONFIG;
    expect(heads.map(({ seq }) => seq).sort()).toEqual([1, 2]);
    for (const head of heads) expect([head.uuid, head.device]).toEqual([uuid, DEVICE]);
  });

  it('is none on another page, in part, or damaged', () => {
    const at = (page: number): Uint8Array => {
      return pages.find((each) => each.page === page)?.bytes ?? new Uint8Array(0);
    };
    expect(superblockHead(slotB, at(slotA))).toBe(null);
    expect(superblockHead(slotA, at(slotA).subarray(0, 512))).toBe(null);
    const damaged = at(slotA).slice();
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    expect(superblockHead(slotA, damaged)).toBe(null);
  });

  it('stands in a slot that is none for anybody, while the area is laid out anew', () => {
    const { uuid } = PAIR_CONFIG;
    const bytes = voidSuperblock(slotB, { uuid, device: DEVICE, seq: 7 });
    expect(superblockHead(slotB, bytes)).toEqual({ uuid, device: DEVICE, seq: 7 });
    expect(superblockHead(slotA, bytes)).toBe(null);
    expect(decodeSuperblock(PAIR_CONFIG, 1, slotB, bytes)).toEqual({
      ok: false,
      fault: 'unreadable',
    });
  });
});
