import { describe, expect, it } from 'vitest';
import { Kind, SlotQueue, Slots } from '../../../engine/mirror/request.ts';

describe('slots', () => {
  it('have one use at a time', () => {
    const slots = new Slots(2);
    slots.open(1, Kind.Read, 0, 512, 0);
    expect(() => slots.open(1, Kind.Read, 0, 512, 0)).toThrow();
    slots.close(1);
    slots.open(1, Kind.Write, 0, 512, 0);
    expect(slots.kind[1]).toBe(Kind.Write);
  });

  it('are found free within a range, or not at all', () => {
    const slots = new Slots(4);
    slots.open(1, Kind.Read, 0, 512, 0);
    slots.open(2, Kind.Copy, 0, 512, 0);
    expect([slots.firstFree(1, 4), slots.firstFree(1, 3), slots.firstFree(0, 4)]).toEqual([
      3, -1, 0,
    ]);
  });

  it('leave a queue in the order in which they joined it', () => {
    const slots = new Slots(4);
    const queue = new SlotQueue(slots);
    for (const s of [2, 0, 3]) queue.push(s);
    expect([queue.take(), queue.take()]).toEqual([2, 0]);
    queue.push(1);
    expect([queue.head, queue.take(), queue.take(), queue.take()]).toEqual([3, 3, 1, -1]);
  });
});
