/** The two tables of the record interface, TypeScript's and C++'s, and the addon's arithmetic. */
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../backends/real/native.ts';
import * as abi from '../../engine/data/abi.ts';
import { BUILT } from './support/rig.ts';

describe.skipIf(!BUILT)('the record interface in C++', () => {
  it('has every constant of engine/data/abi.ts, with the same value, and no other', () => {
    const { layout: _layout, offsets: _offsets, ...table } = loadNative().abiTable();
    const { abiOffsets: _arithmetic, slotCount: _count, ...constants } = abi;
    expect(table).toEqual(constants);
  });

  it('lays the shared memory out as abiOffsets does', () => {
    const { layout, offsets } = loadNative().abiTable();
    expect(offsets).toEqual(abi.abiOffsets(layout as unknown as abi.AbiLayout));
  });
});

describe.skipIf(!BUILT)('the functions of the addon', () => {
  const native = BUILT ? loadNative() : undefined;
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const counting = (length: number) => Uint8Array.from({ length }, (_, i) => i);

  it.each([
    [0, 'a3817f04ba25a8e66df67214c7550293'],
    [1, 'da87c1d86b99af44347659119b22fc45'],
    [7, 'a1f1ebbed8dbc153c0b84aa61ff08239'],
    [8, '3b62a9ba6258f5610f83e264f31497b4'],
    [15, '5493e99933b0a8117e08ec0f97cfc3d9'],
    [16, '6ee2a4ca67b054bbfd3315bf85230577'],
    [63, '5150d1772f50834a503e069a973fbd7c'],
  ])('hash %i bytes as the published SipHash-2-4-128 vectors say', (length, tag) => {
    expect(hex(native?.siphash128(counting(16), counting(length)) as Uint8Array)).toBe(tag);
  });

  it('give every chunk the NH sums that the definition gives, by both of their ways', () => {
    const key = Uint8Array.from({ length: 1056 }, (_, i) => (i * 167) ^ (i >> 3));
    const data = Uint8Array.from({ length: 1024 }, (_, i) => 255 - ((i * 91) ^ (i >> 4)));
    const word = (of: Uint8Array, at: number) =>
      BigInt(new DataView(of.buffer).getUint32(at, true));
    for (let length = 0; length <= 1024; length += 16) {
      const wanted = [0, 16, 32].map((stride) => {
        let sum = 0n;
        for (let at = 0; at < length; at += 8) {
          const left = (word(data, at) + word(key, at + stride)) & 0xffffffffn;
          const right = (word(data, at + 4) + word(key, at + 4 + stride)) & 0xffffffffn;
          sum = (sum + left * right) & 0xffffffffffffffffn;
        }
        return sum;
      });
      const made = native?.nh(key, data.subarray(0, length)) as Uint8Array;
      const sums = new BigUint64Array(Uint8Array.from(made).buffer);
      expect([...sums]).toEqual([...wanted, ...wanted]);
    }
  });

  it.each([
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 times 255', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['0 to 31', counting(32), 0x46dd794e],
    ['31 to 0', counting(32).reverse(), 0x113fdb5c],
    ['the digits 1 to 9', Uint8Array.from('123456789', (c) => c.charCodeAt(0)), 0xe3069283],
  ])('give %s the CRC32C of RFC 3720', (_, data, sum) => {
    expect(native?.crc32c(data)).toBe(sum);
  });

  it('give every length the CRC32C that a bitwise loop gives', () => {
    const data = Uint8Array.from({ length: 9001 }, (_, i) => (i * 131) ^ (i >> 5));
    let crc = 0xffffffff;
    for (let length = 0; length < data.length; length += 1) {
      if (length % 61 === 0 || length > 8990) {
        expect(native?.crc32c(data.subarray(0, length))).toBe((crc ^ 0xffffffff) >>> 0);
      }
      crc ^= data[length] as number;
      for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f63b78);
      crc >>>= 0;
    }
  });

  it('name this life of the host by one safe integer', () => {
    const id = native?.bootId() as number;
    expect(Number.isSafeInteger(id) && id > 0).toBe(true);
    expect(native?.bootId()).toBe(id);
  });
});
