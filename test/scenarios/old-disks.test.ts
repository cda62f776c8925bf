/** A disk comes back as it was, and the only other copy loses what its cache had. */
import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { Rng } from '../../engine/core/rng.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';

const world = newWorld();

type Schedule = (seed: number) => readonly Fault[];

/** What was broken in 60 runs, and how often a disk was old. */
function old(schedule: Schedule, first: number, canary = '') {
  const found: string[] = [];
  const canaries = new Set(canary === '' ? [] : [canary]);
  let fired = 0;
  for (let seed = first; seed < first + 60; seed += 1) {
    const swarm = { config: DEMO_CONFIG, mode: 'swarm', runs: 1, seed } as const;
    const scenario = { ...campaignScenario(swarm, seed), faults: schedule(seed) };
    const { violations, faultsFired } = runScenario(scenario, seed, { canaries }, world);
    for (const { law, code } of violations) found.push(`${seed}: ${law} ${code}`);
    fired += faultsFired['old-disk'] ?? 0;
  }
  return { found, fired };
}

/** The laws broken with a planted bug. */
function laws(schedule: Schedule, first: number, canary: string): readonly (string | undefined)[] {
  return old(schedule, first, canary).found.map((each) => each.split(' ')[1]);
}

/** The primary's disk goes back by less or more than an epoch; then the other one's fails. */
function thenFails(seed: number): readonly Fault[] {
  const rng = new Rng(seed, 92);
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

/** The same in the other order. The failed replica's core, or its host, starts again at last. */
function hasFailed(seed: number): readonly Fault[] {
  const rng = new Rng(seed, 93);
  const at = 5_000_000 + rng.below(10_000_000);
  const fails = { kind: 'write-error', area: 'everything', for: 9_000_000 } as const;
  const back = at + 20_000 + rng.below(300_000);
  const isNear = rng.below(2) === 0;
  const age = isNear ? 300_000 + rng.below(1_000_000) : 3_500_000 + rng.below(6_000_000);
  const away = 800_000 + rng.below(6_000_000);
  const then = { at: back + 2_000_000 + rng.below(12_000_000), target: 'secondary' } as const;
  const restart =
    rng.below(3) > 0
      ? ({ kind: 'kill-core' } as const)
      : ({ kind: 'power-off', cache: 'none', for: 1_000_000 } as const);
  return [
    { ...PLAIN_FAULT, ...fails, at, target: 'secondary' },
    { ...PLAIN_FAULT, kind: 'old-disk', target: 'primary', at: back, for: away, age },
    { ...PLAIN_FAULT, ...restart, ...then },
  ];
}

describe('an old disk, and then one that fails', () => {
  it('break no law: only the old disk had named what they differ in', { timeout: 60_000 }, () => {
    const { found, fired } = old(thenFails, 151);
    expect(found).toEqual([]);
    expect(fired).toBeGreaterThan(50);
  });

  it('show a journal that names nothing after a crash', { timeout: 60_000 }, () => {
    expect(laws(thenFails, 151, 'hot-forgotten')).toContain('LAW-cover');
  });
});

// Seed 632 of an earlier swarm. Five of these asked the failed one for what only its memory had.
describe('a disk that fails, and then an old one', () => {
  it('break no law: only the old disk knew what the other one lacks', { timeout: 60_000 }, () => {
    const { found, fired } = old(hasFailed, 241);
    expect(found).toEqual([]);
    expect(fired).toBe(60);
  });

  it('show a copy that leaves out a part of a block', { timeout: 60_000 }, () => {
    expect(laws(hasFailed, 241, 'clear-partly')).toContain('LAW-flushed');
  });
});
