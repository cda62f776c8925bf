import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../engine/core/crc32c.ts';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import { deviceBytes } from '../../../engine/mirror/page.ts';
import {
  decodeSumPage,
  encodeSumPage,
  keptSum,
  LOST,
  NO_OPINION,
  SUM_BLOCKS,
  type SumPageRead,
  ZERO_SUM,
} from '../../../engine/mirror/sum-page.ts';
import { bytesOf } from '../../support/golden-text.ts';
import { SUM_PAGE } from './golden/metadata-v2.ts';

const device = deviceBytes('0123456789abcdef'.repeat(2));
const sums = fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: SUM_BLOCKS });

function encoded(of: readonly number[], open = false): Uint8Array {
  const bytes = new Uint8Array(PAGE_BYTES);
  const all = new Uint32Array(SUM_BLOCKS);
  all.set(of);
  encodeSumPage(device, 40, 3, open, all, bytes);
  return bytes;
}

function read(bytes: Uint8Array, page = 40, index = 3, of = device): [SumPageRead, Uint32Array] {
  const into = new Uint32Array(SUM_BLOCKS).fill(7);
  return [decodeSumPage(of, page, index, bytes, into), into];
}

describe('a page of checksums', () => {
  it('reads back what was written, when it was closed', () => {
    fc.assert(
      fc.property(sums, (of) => {
        const [what, into] = read(encoded(of));
        expect(what).toBe('closed');
        expect([...into.subarray(0, of.length)]).toEqual(of);
      }),
    );
  });

  it('says nothing of its blocks when a crash found it open', () => {
    const [what, into] = read(encoded([1, 2, 3], true));
    expect([what, into.every((sum) => sum === NO_OPINION)]).toEqual(['open', true]);
  });

  it('says nothing when any byte of it has changed', () => {
    const bytes = encoded([11, 12, 13]);
    for (let at = 0; at < PAGE_BYTES; at += 1) {
      const rotten = bytes.slice();
      rotten[at] = (rotten[at] as number) ^ 0x10;
      const [what, into] = read(rotten);
      expect([at, what === 'closed' || what === 'open']).toEqual([at, false]);
      expect(into.every((sum) => sum === NO_OPINION)).toBe(true);
    }
  });

  it('says nothing where it does not belong, or of another replica', () => {
    const bytes = encoded([11, 12, 13]);
    expect(read(bytes, 41)[0]).toBe('bad');
    expect(read(bytes, 40, 4)[0]).toBe('bad');
    expect(read(bytes, 40, 3, deviceBytes('f'.repeat(32)))[0]).toBe('blank');
    expect(read(new Uint8Array(PAGE_BYTES))[0]).toBe('blank');
  });

  it('has no checksum of a block that stands for something else', () => {
    const kept = fc.nat(0xffffffff).map(keptSum);
    fc.assert(fc.property(kept, (sum) => sum !== NO_OPINION && sum !== LOST));
    expect([keptSum(NO_OPINION), keptSum(LOST)]).not.toContain(NO_OPINION);
    expect([keptSum(NO_OPINION), keptSum(LOST)]).not.toContain(LOST);
    expect(ZERO_SUM).toBe(crc32c(new Uint8Array(4096), 0, 4096, 0));
  });

  it('is what it was when it was first laid down', () => {
    const bytes = bytesOf(SUM_PAGE);
    expect(bytes).toEqual(encoded([0x01020304, ZERO_SUM, LOST, NO_OPINION, 0xfffffffe]));
    expect(read(bytes)[0]).toBe('closed');
  });
});
