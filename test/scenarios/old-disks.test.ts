/** A disk comes back as it was, and the only other copy loses what its cache had. */
import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { Rng } from '../../engine/core/rng.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';

const world = newWorld();

/** What was broken in 60 runs, and how often a disk was old. */
function old(canary = ''): { readonly found: readonly string[]; readonly fired: number } {
  const found: string[] = [];
  const canaries = new Set(canary === '' ? [] : [canary]);
  let fired = 0;
  for (let seed = 151; seed <= 210; seed += 1) {
    const swarm = { config: DEMO_CONFIG, mode: 'swarm', runs: 1, seed } as const;
    const faults = schedule(new Rng(seed, 92));
    const scenario = { ...campaignScenario(swarm, seed), faults };
    const { violations, faultsFired } = runScenario(scenario, seed, { canaries }, world);
    for (const { law, code } of violations) found.push(`${seed}: ${law} ${code}`);
    fired += faultsFired['old-disk'] ?? 0;
  }
  return { found, fired };
}

/** The primary's disk goes back by less or more than an epoch; then the other one's fails. */
function schedule(rng: Rng): readonly Fault[] {
  const at = 5_000_000 + rng.below(10_000_000);
  const age = rng.below(2) === 0 ? 300_000 + rng.below(1_000_000) : 3_500_000;
  const away = 800_000 + rng.below(1_000_000);
  const fails = { kind: 'write-error', area: 'everything', ppm: 1_000_000 } as const;
  const then = { at: at + away + rng.below(900_000), for: 5_000_000 };
  return [
    { ...PLAIN_FAULT, kind: 'old-disk', target: 'primary', at, for: away, age },
    { ...PLAIN_FAULT, ...fails, ...then, target: 'secondary' },
  ];
}

describe('an old disk, and then one that fails', () => {
  it('break no law: only the old disk had named what they differ in', { timeout: 60_000 }, () => {
    const { found, fired } = old();
    expect(found).toEqual([]);
    expect(fired).toBeGreaterThan(50);
  });

  it('show a journal that names nothing after a crash', { timeout: 60_000 }, () => {
    const laws = old('hot-forgotten').found.map((each) => each.split(' ')[1]);
    expect(laws).toContain('LAW-cover');
  });
});
