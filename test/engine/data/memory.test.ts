import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AbiLayout, PAGE_BYTES } from '../../../engine/data/abi.ts';
import { DataMemory } from '../../../engine/data/memory.ts';

const layout: AbiLayout = {
  events: 4,
  decisions: 96,
  frontSlots: 3,
  peerSlots: 2,
  engineSlots: 1,
  slotBytes: 65_536,
  inPages: 2,
  outPages: 2,
};

describe('the shared memory', () => {
  it('gives every field of a record back, whatever the neighbours hold', () => {
    const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const u32 = fc.nat(0xffffffff);
    const record = fc.tuple(i32, i32, i32, i32, fc.maxSafeNat(), u32, i32);
    fc.assert(
      fc.property(fc.array(record, { minLength: 4, maxLength: 4 }), (records) => {
        const { events } = new DataMemory(layout);
        for (const [r, fields] of records.entries()) events.put(r, ...fields);
        const read = records.map((_, r) => [
          events.op(r),
          events.slot(r),
          events.link(r),
          events.flags(r),
          events.offset(r),
          events.length(r),
          events.status(r),
        ]);
        expect(read).toEqual(records);
      }),
    );
  });

  it('gives a header back', () => {
    const { headers } = new DataMemory(layout);
    headers.put(5, 7, 8, 9, 10);
    headers.put(4, 1, 2, 3, 4);
    const read = [headers.epoch(5), headers.sequence(5), headers.generation(5), headers.request(5)];
    expect(read).toEqual([7, 8, 9, 10]);
    expect(headers.checksum(5)).toBe(0);
  });

  it('keeps its parts apart and its pages aligned', () => {
    const memory = new DataMemory(layout);
    memory.inPages.fill(0xaa);
    memory.outPages.fill(0xbb);
    expect(memory.headers.bytes.every((byte) => byte === 0)).toBe(true);
    expect(memory.decisions.u32.every((word) => word === 0)).toBe(true);
    expect(memory.inPages[2 * PAGE_BYTES - 1]).toBe(0xaa);
    expect(memory.outPages[0]).toBe(0xbb);
    expect(memory.offsets.inPages % PAGE_BYTES).toBe(0);
    expect(memory.buffer.byteLength).toBe(memory.offsets.total);
  });
});
