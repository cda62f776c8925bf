import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, crc32cZeros } from '../../../engine/core/crc32c.ts';

/** Bit by bit, straight from the polynomial: slow, and nothing in it to get wrong. */
function byDefinition(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  }
  return ~c >>> 0;
}

describe('CRC32C', () => {
  it('agrees with the vectors of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32), 0, 32, 0)).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff), 0, 32, 0)).toBe(0x62a8ab43);
    const rising = Uint8Array.from({ length: 32 }, (_, i) => i);
    expect(crc32c(rising, 0, 32, 0)).toBe(0x46dd794e);
  });

  it('agrees with its definition for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(crc32c(bytes, 0, bytes.length, 0)).toBe(byDefinition(bytes));
      }),
    );
  });

  it('goes on where it stopped', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(100), (bytes, at) => {
        const cut = at % bytes.length;
        const first = crc32c(bytes, 0, cut, 0);
        expect(crc32c(bytes, cut, bytes.length, first)).toBe(crc32c(bytes, 0, bytes.length, 0));
      }),
    );
  });

  it('runs over zeroes as if they were read one by one', () => {
    fc.assert(
      fc.property(fc.nat(16_383), fc.nat(0xffffffff), (count, seed) => {
        expect(crc32cZeros(count, seed)).toBe(crc32c(new Uint8Array(count), 0, count, seed));
      }),
    );
  });

  it('notices every single flipped bit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(511), (bytes, at) => {
        const before = crc32c(bytes, 0, bytes.length, 0);
        const bit = at % (bytes.length * 8);
        const other = Uint8Array.from(bytes);
        other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(crc32c(other, 0, other.length, 0) === before).toBe(false);
      }),
    );
  });
});
