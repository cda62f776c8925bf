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
