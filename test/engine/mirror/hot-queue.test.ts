import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXTENT_BYTES } from '../../../engine/core/units.ts';
import { HotQueue } from '../../../engine/mirror/hot-queue.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { Kind, Phase, Slots } from '../../../engine/mirror/request.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';

const SLOTS = 8;

/** A hot set of so many extents, whose every journal block this test makes durable. */
function made(room: number, canaries: readonly string[] = []) {
  const slots = new Slots(SLOTS);
  const held = new Map<number, number>();
  const log = {
    durable: 0,
    seq: 0,
    acquire(first: number): number {
      const users = held.get(first);
      if (users === undefined && held.size === room) return -1;
      if (users === undefined) log.seq += 1;
      held.set(first, (users ?? 0) + 1);
      return log.seq > log.durable ? log.seq : 0;
    },
    release(first: number): void {
      const users = (held.get(first) ?? 0) - 1;
      if (users > 0) held.set(first, users);
      else held.delete(first);
    },
  };
  const parts = { slots, log, canary: canarySwitches(new Set(canaries)) } as unknown as Parts;
  const issued: { slot: number; seq: number; durable: number }[] = [];
  const queue = new HotQueue(parts, (slot) => {
    issued.push({ slot, seq: slots.journal[slot] as number, durable: log.durable });
  });
  const enter = (slot: number, extent: number): void => {
    slots.open(slot, Kind.Write, extent * EXTENT_BYTES, 4096, 0);
    slots.journal[slot] = 0;
    queue.enter(slot);
  };
  return { slots, log, queue, issued, enter };
}

describe('writes on their way into the hot set', () => {
  it('are issued in their order, none before its journal block is durable', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: SLOTS }), fc.nat(3), (at, n) => {
        const { log, queue, issued, enter } = made(n + 1);
        for (const [slot, extent] of at.entries()) enter(slot, extent);
        for (let round = 0; issued.length < at.length && round < 50; round += 1) {
          const before = issued.length;
          log.durable = log.seq;
          queue.journalWritten();
          for (const { slot } of issued.slice(before)) queue.leave(slot, 0);
          queue.roomChanged();
        }
        for (const { seq, durable } of issued) expect(seq).toBeLessThanOrEqual(durable);
        expect(issued.map(({ slot }) => slot)).toEqual([...at.keys()]);
      }),
    );
  });

  it('wait behind those that came before, though there is room for them', () => {
    const { slots, log, queue, issued, enter } = made(1);
    enter(0, 3);
    enter(1, 4);
    enter(2, 3);
    expect([slots.phase[0], slots.phase[1], slots.phase[2]]).toEqual([
      Phase.Hot,
      Phase.Room,
      Phase.Room,
    ]);
    log.durable = log.seq;
    queue.journalWritten();
    expect(queue.leave(0, 0)).toBe(true);
    queue.roomChanged();
    expect(issued.map(({ slot }) => slot)).toEqual([0]);
    expect(slots.phase[1]).toBe(Phase.Hot);
  });

  it('are handed over where they go, and the others keep their order', () => {
    const { queue, enter, log, issued } = made(2);
    for (const [slot, extent] of [1, 2, 3, 4].entries()) enter(slot, extent);
    const gone: number[] = [];
    queue.take(
      (slot) => slot % 2 === 1,
      (slot) => gone.push(slot),
    );
    expect(gone).toEqual([3, 1]);
    queue.leave(1, 0);
    log.durable = log.seq;
    queue.journalWritten();
    queue.roomChanged();
    log.durable = log.seq;
    queue.journalWritten();
    expect(issued.map(({ slot }) => slot)).toEqual([0, 2]);
  });

  it('are issued too early where rule 4 is off', () => {
    const { issued, enter } = made(2, ['RULE-04']);
    enter(0, 1);
    expect(issued.length).toBe(1);
  });
});
