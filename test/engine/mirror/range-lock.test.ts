import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hold, RangeLock } from '../../../engine/mirror/range-lock.ts';

const SLOTS = 12;

interface Held {
  readonly slot: number;
  readonly start: number;
  readonly end: number;
  readonly hold: number;
}

const conflict = (a: Held, b: Held): boolean =>
  a.start < b.end && b.start < a.end && (a.hold === Hold.Exclusive || b.hold === Hold.Exclusive);

describe('range lock', () => {
  it('grants a range exactly when no earlier one that it conflicts with is left', () => {
    const step = fc.record({
      slot: fc.nat(SLOTS - 1),
      start: fc.nat(20),
      length: fc.integer({ min: 1, max: 8 }),
      exclusive: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const granted = new Set<number>();
        const lock = new RangeLock(SLOTS, (slot) => granted.add(slot));
        let order: Held[] = [];
        for (const { slot, start, length, exclusive } of steps) {
          if (order.some((h) => h.slot === slot)) {
            order = order.filter((h) => h.slot !== slot);
            granted.delete(slot);
            lock.release(slot);
          } else {
            const hold = exclusive ? Hold.Exclusive : Hold.Shared;
            const held = { slot, start, end: start + length, hold };
            if (lock.acquire(slot, held.start, held.end, hold)) granted.add(slot);
            order.push(held);
          }
          order.forEach((h, i) => {
            const free = !order.slice(0, i).some((earlier) => conflict(earlier, h));
            expect(granted.has(h.slot)).toBe(free);
            expect(lock.granted(h.slot)).toBe(free);
          });
        }
      }),
    );
  });

  it('is let go of once, by whoever may hold it or not', () => {
    const lock = new RangeLock(2, () => {});
    lock.acquire(0, 0, 10, Hold.Exclusive);
    lock.releaseIfHeld(0);
    lock.releaseIfHeld(0);
    expect([lock.has(0), lock.acquire(1, 0, 10, Hold.Exclusive)]).toEqual([false, true]);
    expect(() => lock.release(0)).toThrow();
  });

  it('lets a grant let go of its own range at once', () => {
    const seen: number[] = [];
    const lock: RangeLock = new RangeLock(4, (slot) => {
      seen.push(slot);
      lock.release(slot);
    });
    expect(lock.acquire(0, 0, 10, Hold.Exclusive)).toBe(true);
    for (const slot of [1, 2, 3]) expect(lock.acquire(slot, 0, 10, Hold.Exclusive)).toBe(false);
    lock.release(0);
    expect(seen).toEqual([1, 2, 3]);
    for (const slot of [0, 1, 2, 3]) expect(lock.has(slot)).toBe(false);
  });
});
