import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

const [base] = LIBRARY as [Scenario];

function fired(...faults: readonly Partial<Fault>[]): { readonly [kind: string]: number } {
  const schedule = faults.map((fault): Fault => {
    return { ...PLAIN_FAULT, kind: 'cut', at: 5_000_000, target: 1, ...fault };
  });
  return runScenario({ ...base, faults: schedule, duration: 40_000_000 }, 3).faultsFired;
}

describe('a fault', () => {
  it('has fired when it struck something', () => {
    expect(fired({ kind: 'kill-core' })).toEqual({ 'kill-core': 1 });
    expect(fired({ kind: 'cut', for: 100_000 })).toEqual({ cut: 1 });
  });

  it('of a disk has fired when the disk did something wrong', () => {
    const disk = { target: 1, for: 5_000_000 } as const;
    expect(fired({ kind: 'lying-flush', ...disk })).toEqual({ 'lying-flush': 1 });
    expect(fired({ kind: 'disk-stall', ...disk })).toEqual({ 'disk-stall': 1 });
    expect(fired({ kind: 'old-disk', ...disk, age: 2_000_000 })).toEqual({ 'old-disk': 1 });
    // Too rare to have struck anything.
    expect(fired({ kind: 'lost-write', ...disk, for: 1, ppm: 1 })).toEqual({});
    // Nobody reads from a secondary.
    expect(fired({ kind: 'stale-read', ...disk, target: 'secondary' })).toEqual({});
  });

  it('has not fired when what it strikes is dead already', () => {
    const dead = [
      { kind: 'kill-core', at: 5_000_000 },
      { kind: 'kill-core', at: 5_100_000 },
      { kind: 'kill-monitor', at: 6_000_000 },
      { kind: 'kill-monitor', at: 6_100_000 },
    ] as const;
    expect(fired(...dead)).toEqual({ 'kill-core': 1, 'kill-monitor': 1 });
    const off = [
      { kind: 'power-off', for: 3_000_000 },
      { kind: 'freeze', at: 6_000_000, for: 100_000 },
      { kind: 'cut', at: 6_000_000, for: 100_000 },
    ] as const;
    expect(fired(...off)).toEqual({ 'power-off': 1 });
  });

  it('of reads has fired when a read met it', () => {
    const always = { kind: 'read-error', ppm: 1_000_000, for: 300_000 } as const;
    expect(fired({ ...always, target: 'primary' })).toEqual({ 'read-error': 1 });
    // Nobody reads there.
    expect(fired({ ...always, target: 3 })).toEqual({});
  });
});
