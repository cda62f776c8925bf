import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../../engine/core/bytes.ts';

describe('bounded bytes', () => {
  it('read back what was written', () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.nat(65_535),
        fc.nat(0xffffffff),
        fc.maxSafeNat(),
        (a, b, c, d) => {
          const bytes = new Uint8Array(64);
          const w = new ByteWriter(bytes, 3);
          w.u8(a);
          w.u16(b);
          w.u32(c);
          w.uint(d);
          w.hex('00ff10');
          w.text('plain words');
          const r = new ByteReader(bytes, 3, w.at);
          expect([r.u8(), r.u16(), r.u32(), r.uint(), r.hex(3), r.text()]).toEqual([
            a,
            b,
            c,
            d,
            '00ff10',
            'plain words',
          ]);
          expect(r.ok).toBe(true);
          expect(r.at).toBe(w.at);
        },
      ),
    );
  });

  it('answer zeroes and say so past the end of whatever a peer sent', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const r = new ByteReader(bytes, 0, bytes.length);
        for (let i = 0; i < 4; i += 1) r.uint();
        expect(r.ok).toBe(false);
        expect(r.u32()).toBe(0);
      }),
    );
  });

  it('refuse a number that is no safe integer', () => {
    const r = new ByteReader(new Uint8Array(8).fill(0xff), 0, 8);
    expect(r.uint()).toBe(0);
    expect(r.ok).toBe(false);
  });

  it('stop the program rather than write past their end', () => {
    const w = new ByteWriter(new Uint8Array(4), 0);
    w.u32(1);
    expect(() => w.u8(1)).toThrow();
  });
});
