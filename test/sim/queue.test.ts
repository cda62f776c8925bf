import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../backends/sim/queue.ts';

describe('the event queue', () => {
  it('gives entries back by time, and those of one time in the order they came in', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 300 }), (steps) => {
        const queue = new EventQueue(4);
        const waiting: { time: number; order: number }[] = [];
        let order = 0;
        let now = 0;
        for (const [gap, take] of steps) {
          if (take && waiting.length > 0) {
            waiting.sort((a, b) => a.time - b.time || a.order - b.order);
            const first = waiting.shift()!;
            expect(queue.nextTime).toBe(first.time);
            now = queue.nextTime;
            const entry = queue.pop();
            expect(queue.a[entry]).toBe(first.order);
            queue.release(entry);
          } else {
            order += 1;
            const entry = queue.push(now + gap, 1, 0, 0);
            queue.a[entry] = order;
            waiting.push({ time: now + gap, order });
          }
          expect(queue.size).toBe(waiting.length);
        }
      }),
    );
  });

  it('hands out an entry with clean fields', () => {
    const queue = new EventQueue(2);
    const entry = queue.push(5, 1, 2, 3);
    queue.x[entry] = 7;
    queue.objects[entry] = {};
    queue.release(queue.pop());
    const again = queue.take(4, 5, 6);
    expect(queue.x[again]).toBe(0);
    expect(queue.objects[again]).toBeNull();
    expect(queue.kind[again]).toBe(4);
  });
});
