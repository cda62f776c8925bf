import { describe, expect, it } from 'vitest';
import { Decision, Event, Flag, Status } from '../../../engine/data/abi.ts';
import type { DataReport } from '../../../engine/data/messages.ts';
import { INPUT, LAYOUT } from '../../support/mirror-hosts.ts';
import { PAIR_CONFIG, Pair } from '../../support/mirror-pair.ts';
import { longThenDark, longZeroes, started } from '../../support/mirror-swarm.ts';

/** Answers of one host to requests given by hand. */
function answers(pair: Pair, node: number): Map<number, number> {
  const seen = new Map<number, number>();
  const host = pair.hosts[node - 1];
  pair.complete = (h, slot, status) => {
    if (h === host) seen.set(slot, status);
  };
  return seen;
}

describe('the way of a write', () => {
  it('refuses what is empty, crooked or out of range, and nothing else', () => {
    const pair = new Pair({ seed: 1 });
    pair.runFor(300_000);
    const seen = answers(pair, 1);
    const size = pair.config.sizeBytes;
    const requests: [number, number, number][] = [
      [0, 0, Status.Invalid],
      [100, 512, Status.Invalid],
      [0, 100, Status.Invalid],
      [size, 512, Status.Invalid],
      [size - 512, 1024, Status.Invalid],
      [-512, 512, Status.Invalid],
      [Number.NaN, 512, Status.Invalid],
      [0, LAYOUT.slotBytes + 512, Status.Invalid],
      [size - 512, 512, Status.Ok],
      [0, LAYOUT.slotBytes, Status.Ok],
    ];
    requests.forEach(([offset, length], slot) => {
      pair.give(pair.hosts[0], { ...INPUT, op: Event.ReqWrite, slot, offset, length });
    });
    pair.runFor(100_000);
    for (const [slot, [, , status]] of requests.entries()) {
      expect([slot, seen.get(slot)]).toEqual([slot, status]);
    }
  });

  it('lets clients have what they are shown, and more of what is mirrored once that is', () => {
    const size = PAIR_CONFIG.sizeBytes;
    const pair = new Pair({ seed: 1, config: { ...PAIR_CONFIG, servedBytes: size / 2 } });
    pair.runFor(300_000);
    const seen = answers(pair, 1);
    const [host] = pair.hosts;
    const ask = (slot: number, op: number, offset: number): void => {
      pair.give(host, { ...INPUT, op, slot, offset, length: 512 });
    };
    const end = size / 2 - 512;
    [end, end + 512, size - 512].forEach((offset, i) => {
      ask(2 * i, Event.ReqWrite, offset);
      ask(2 * i + 1, Event.ReqRead, offset);
    });
    pair.runFor(100_000);
    const { Ok, Invalid } = Status;
    const all = [0, 1, 2, 3, 4, 5].map((slot) => seen.get(slot));
    expect(all).toEqual([Ok, Ok, Invalid, Invalid, Invalid, Invalid]);
    const said = (bytes: number): readonly unknown[] => {
      const reports: DataReport[] = [];
      pair.report = (_, report) => reports.push(report);
      pair.command(host, { kind: 'serve', bytes });
      pair.runFor(20_000);
      return reports.filter(({ kind }) => kind === 'size');
    };
    const { volume } = PAIR_CONFIG;
    expect(said(size - 512)).toEqual([{ kind: 'size', volume, bytes: size - 512 }]);
    // Said again it is nothing new, and nobody is ever shown more than there is.
    expect(said(size - 512)).toEqual([]);
    ask(6, Event.ReqWrite, size - 512);
    ask(7, Event.ReqWrite, size - 1024);
    pair.runFor(100_000);
    expect([seen.get(6), seen.get(7)]).toEqual([Invalid, Ok]);
    expect(said(2 * size)).toEqual([{ kind: 'size', volume, bytes: size }]);
  });

  it('sends clients of a secondary elsewhere, at once', () => {
    const pair = new Pair({ seed: 1 });
    pair.runFor(300_000);
    const seen = answers(pair, 2);
    const [offset, length] = [0, 512];
    pair.give(pair.hosts[1], { ...INPUT, op: Event.ReqRead, slot: 0, offset, length });
    pair.give(pair.hosts[1], { ...INPUT, op: Event.ReqFlush, slot: 1 });
    pair.runFor(1_000);
    expect([seen.get(0), seen.get(1)]).toEqual([Status.Fenced, Status.Fenced]);
  });

  it('completes nothing while the right to act has run out', () => {
    const pair = started(3);
    pair.runFor(200_000);
    pair.isolate(1, true);
    // Cut off from control alone: the link works, the right does not last.
    pair.runFor(310_000);
    const done = pair.completedBy(1);
    expect(pair.hosts[0].role).toBe('Suspended');
    pair.runFor(500_000);
    expect(pair.completedBy(1)).toBe(done);
    pair.isolate(1, false);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('acknowledges only what both members have', () => {
    const pair = started(3);
    const on = new Map<string, number>();
    pair.onDecision = (h, op, slot, offset) => {
      const [a, b] = pair.hosts;
      if (op === Decision.LocalWrite && slot < LAYOUT.frontSlots) on.set(`${slot}`, offset / 512);
      if (op !== Decision.Complete || h.node !== 1) return;
      const sector = on.get(`${slot}`);
      on.delete(`${slot}`);
      if (sector !== undefined) expect(a.cache[sector]).toBe(b.cache[sector]);
    };
    pair.runFor(300_000);
    expect(pair.violations).toEqual([]);
  });

  it('hands zeroes to both members as zeroes, durable where that is asked', () => {
    const pair = new Pair({ seed: 1 });
    pair.runFor(300_000);
    const [a, b] = pair.hosts;
    (a.payload[0] as Uint32Array).fill(pair.zeroes.hollow(9));
    let stable: (number | undefined)[] = [];
    pair.complete = () => {
      stable = [a.stable[8], b.stable[8], a.stable[9], b.stable[9]];
    };
    const [flags, offset, length] = [Flag.Fua | Flag.Zero | Flag.Unmap, 4096, 512];
    pair.give(a, { ...INPUT, op: Event.ReqWrite, slot: 0, flags, offset, length });
    pair.runFor(15_000);
    expect(stable).toEqual([9, 9, 0, 0]);
  });

  it('breaks no law with zeroes of megabytes among the requests, whatever fails', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      expect([seed, ...longZeroes(seed).violations]).toEqual([seed]);
      expect([seed, ...longThenDark(seed).violations]).toEqual([seed]);
    }
  });

  it('takes zeroes longer than a slot, up to what is configured', () => {
    const config = { ...PAIR_CONFIG, zeroBytes: 2 << 20 };
    const pair = new Pair({ seed: 1, config });
    pair.runFor(300_000);
    const seen = answers(pair, 1);
    for (const [slot, length] of [2 << 20, (2 << 20) + 512].entries()) {
      const ask = { ...INPUT, op: Event.ReqWrite, slot, flags: Flag.Zero, offset: 4096, length };
      pair.give(pair.hosts[0], ask);
    }
    pair.runFor(100_000);
    expect([seen.get(0), seen.get(1)]).toEqual([Status.Ok, Status.Invalid]);
  });

  it('makes a FUA write durable on both members before it is acknowledged', () => {
    const pair = new Pair({ seed: 1 });
    pair.runFor(300_000);
    const [a, b] = pair.hosts;
    (a.payload[0] as Uint32Array).fill(7);
    let stable: (number | undefined)[] = [];
    pair.complete = () => {
      stable = [a.stable[8], b.stable[8]];
    };
    const [flags, offset, length] = [Flag.Fua, 4096, 512];
    pair.give(a, { ...INPUT, op: Event.ReqWrite, slot: 0, flags, offset, length });
    pair.runFor(15_000);
    expect(stable).toEqual([7, 7]);
  });
});
