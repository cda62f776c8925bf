import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShippedWrites } from '../../../engine/mirror/shipped.ts';

/** The same, as plainly as can be. */
class Plain {
  writes: { number: number; first: number; last: number; offset: number; length: number }[] = [];

  forget(number: number): string[] {
    const told: string[] = [];
    while (this.writes.length > 0) {
      const [oldest] = this.writes;
      if (oldest === undefined || oldest.number > number) break;
      this.writes.shift();
      for (let block = oldest.first; block <= oldest.last; block += 1) {
        const later = this.writes.some(({ first, last }) => first <= block && block <= last);
        told.push(`${block} ${!later}`);
      }
    }
    return told;
  }
}

describe('the writes under way to an asynchronous replica', () => {
  it('are forgotten oldest first, and a block is clean with the last write to it', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        gap: fc.integer({ min: 1, max: 3 }),
        offset: fc.integer({ min: 0, max: 200 }),
        length: fc.integer({ min: 1, max: 40 }),
      }),
      fc.record({ kind: fc.constant('forget' as const), behind: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ kind: fc.constant('clear' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const [shipped, plain] = [new ShippedWrites(), new Plain()];
        let number = 0;
        for (const each of steps) {
          if (each.kind === 'add') {
            number += each.gap;
            const [offset, length] = [each.offset * 512, each.length * 512];
            shipped.add(number, offset, length, number * 10);
            const last = Math.floor((offset + length - 1) / 4096);
            plain.writes.push({ number, first: Math.floor(offset / 4096), last, offset, length });
          } else if (each.kind === 'forget') {
            const told: string[] = [];
            shipped.forget(number - each.behind, (block, last) => told.push(`${block} ${last}`));
            expect(told).toEqual(plain.forget(number - each.behind));
          } else {
            shipped.clear();
            plain.writes = [];
          }
          expect(shipped.count).toBe(plain.writes.length);
          expect(shipped.bytes).toBe(plain.writes.reduce((sum, { length }) => sum + length, 0));
          expect(shipped.first).toBe(plain.writes[0]?.number ?? 0);
          expect(shipped.oldest).toBe((plain.writes[0]?.number ?? 0) * 10);
          const seen: number[] = [];
          shipped.each((offset, length) => seen.push(offset, length));
          expect(seen).toEqual(plain.writes.flatMap(({ offset, length }) => [offset, length]));
        }
      }),
    );
  });

  it('are kept over many chunks, which come and go', () => {
    const shipped = new ShippedWrites();
    let [added, forgotten, clean] = [0, 0, 0];
    for (let round = 0; round < 40; round += 1) {
      for (let n = 0; n < 3000; n += 1) {
        added += 1;
        // Each block twice, far apart.
        shipped.add(added, (added % 60_000) * 4096, 4096, added);
      }
      const upTo = added - (round % 3) * 7000;
      shipped.forget(upTo, (block, last) => {
        forgotten += 1;
        if (last) clean += 1;
        expect(block).toBe(forgotten % 60_000);
      });
      expect([shipped.count, shipped.bytes]).toEqual([
        added - forgotten,
        (added - forgotten) * 4096,
      ]);
      expect(shipped.oldest).toBe(shipped.count === 0 ? 0 : forgotten + 1);
    }
    expect(forgotten).toBe(120_000);
    expect(clean).toBe(forgotten);
  });

  it('are a million and more in a time in which nobody is taken for dead', () => {
    const shipped = new ShippedWrites();
    let longest = 0;
    for (let round = 0; round < 4; round += 1) {
      const begun = performance.now();
      for (let n = 0; n < 262_144; n += 1) {
        const number = round * 262_144 + n + 1;
        shipped.add(number, ((number * 7919) % 4_194_304) * 4096, 4096, number);
      }
      longest = Math.max(longest, performance.now() - begun);
    }
    expect(shipped.count).toBe(1_048_576);
    shipped.forget(1_048_576, () => {});
    expect([shipped.count, shipped.bytes]).toEqual([0, 0]);
    expect(longest).toBeLessThan(5000);
  });
});
