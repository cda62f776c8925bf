import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deviceBytes,
  getU32,
  getUint,
  isDevice,
  noClaims,
  putU32,
  putUint,
  raiseClaims,
} from '../../../engine/mirror/page.ts';

describe('a page of metadata', () => {
  it('gives back every number that was placed in it', () => {
    const word = fc.nat(0xffffffff);
    fc.assert(
      fc.property(word, fc.maxSafeNat(), fc.nat(5), (small, large, at) => {
        const bytes = new Uint8Array(24).fill(0xee);
        putU32(bytes, at, small);
        putUint(bytes, at + 4, large);
        expect([getU32(bytes, at), getUint(bytes, at + 4)]).toEqual([small, large]);
        expect(bytes[at + 12]).toBe(0xee);
      }),
    );
  });

  it('says of a number that it never held that it is none', () => {
    expect(getUint(new Uint8Array(8).fill(0xff), 0)).toBe(-1);
    expect(() => putUint(new Uint8Array(8), 0, -1)).toThrow('safe integer');
    expect(() => putUint(new Uint8Array(8), 0, 2 ** 53)).toThrow('safe integer');
  });

  it('knows its device by every byte of it', () => {
    const device = deviceBytes('0123456789abcdef'.repeat(2));
    const bytes = new Uint8Array(32);
    bytes.set(device, 8);
    expect(isDevice(bytes, 8, device)).toBe(true);
    for (let i = 8; i < 24; i += 1) {
      const other = bytes.slice();
      other[i] = (other[i] as number) ^ 1;
      expect(isDevice(other, 8, device)).toBe(false);
    }
    expect(() => deviceBytes('12')).toThrow('32 hexadecimal digits');
  });

  it('never takes a claim back', () => {
    const claims = noClaims();
    raiseClaims(claims, { superblock: 3, journal: 0, mapWrites: 9 });
    raiseClaims(claims, { superblock: 2, journal: 5, mapWrites: -1 });
    expect(claims).toEqual({ superblock: 3, journal: 5, mapWrites: 9 });
  });
});
