/** A primary that is heard and hears nobody: what others know of it must not keep them waiting. */
import { describe, expect, it } from 'vitest';
import { PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { oneWayCut } from '../../scenarios/library/one-way-cut.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { readScenario } from '../../scenarios/scenario.ts';

const world = newWorld();
const RUNS = 20;

/** Take-overs in so many runs, in which the cut is of the control links alone, or of all. */
function takeOvers(links: 'control' | 'all', ...canaries: string[]): number {
  const read = readScenario(oneWayCut);
  if (!read.ok) throw new Error('the scenario is wrong');
  const cut = { ...PLAIN_FAULT, kind: 'cut', target: 'primary', ways: 'in', links } as const;
  const scenario = { ...read.scenario, faults: [{ ...cut, at: 6_000_000, for: 14_000_000 }] };
  let count = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const how = { canaries: new Set(canaries) };
    const { violations, groups } = runScenario(scenario, seed, how, world);
    expect(violations).toEqual([]);
    for (const { tookOver } of groups) count += tookOver.length;
  }
  return count;
}

describe('a primary that hears nobody', () => {
  it('is taken over from while its volume still reaches the other host', () => {
    expect(takeOvers('control')).toBe(RUNS);
    expect(takeOvers('control', 'deaf-renewed')).toBeLessThan(RUNS / 2);
  });

  // Not always: what it had proposed while it held its lease may be committed without it.
  it('is taken over from when nothing reaches it at all, in most runs', () => {
    expect(takeOvers('all')).toBeGreaterThan(RUNS / 2);
    expect(takeOvers('all', 'want-without-lease')).toBe(0);
  });
});
