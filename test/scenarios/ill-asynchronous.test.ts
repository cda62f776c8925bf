/** Disks of and beside an asynchronous replica come back as they were, or give old content. */
import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { Rng } from '../../engine/core/rng.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { demoThird } from '../../scenarios/demo.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';

const FAR = 3;
const SEEDS = 12;
const world = newWorld();

type Schedule = (rng: Rng) => readonly Fault[];

/** Which laws were broken, and how often each kind of fault fired. */
function run(schedule: Schedule, canary = '') {
  const config = demoThird();
  const canaries = new Set(canary === '' ? [] : [canary]);
  const broken = new Set<string>();
  const fired: { [kind: string]: number } = {};
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const swarm = { config, mode: 'swarm', runs: 1, seed } as const;
    const scenario = { ...campaignScenario(swarm, seed), faults: schedule(new Rng(seed, 94)) };
    const { violations, faultsFired } = runScenario(scenario, seed, { canaries }, world);
    for (const { law, code } of violations) broken.add(`${law} ${code}`);
    for (const kind of Object.keys(faultsFired)) {
      fired[kind] = (fired[kind] ?? 0) + (faultsFired[kind] as number);
    }
  }
  return { broken: [...broken], fired };
}

function twiceOld(rng: Rng): readonly Fault[] {
  const old = { ...PLAIN_FAULT, kind: 'old-disk', target: FAR, cache: 'random' } as const;
  const at = 4_000_000 + rng.below(4_000_000);
  const away = 500_000 + rng.below(5_000_000);
  const again = at + away + 1_500_000 + rng.below(6_000_000);
  const age = 300_000 + rng.below(3_000_000);
  return [
    { ...old, at, for: away, age: 3_000_000 + rng.below(6_000_000) },
    { ...old, at: again, for: 500_000 + rng.below(1_000_000), age },
  ];
}

/** Alone in the set, its disk goes back: what only it had is nowhere, and named by nobody. */
function primaryOld(rng: Rng): readonly Fault[] {
  const at = 9_000_000 + rng.below(4_000_000);
  const age = 1_000_000 + rng.below(6_000_000);
  const back = { cache: 'random', at, for: 200_000 + rng.below(400_000), age } as const;
  const cut = { links: 'replication', at: at - 2_000_000, for: 7_000_000 } as const;
  return [
    { ...PLAIN_FAULT, kind: 'cut', target: 'primary', ...cut },
    { ...PLAIN_FAULT, kind: 'old-disk', target: 'primary', ...back },
  ];
}

function farStale(rng: Rng): readonly Fault[] {
  const at = 4_000_000 + rng.below(4_000_000);
  const ppm = 200_000 + rng.below(400_000);
  const cut = { ...PLAIN_FAULT, kind: 'cut', target: FAR, links: 'replication' } as const;
  const cuts = [1_000_000, 5_000_000].map((after) => {
    return { ...cut, at: at + after + rng.below(2_000_000), for: 1_000_000 };
  });
  return [{ ...PLAIN_FAULT, kind: 'stale-read', target: FAR, at, for: 12_000_000, ppm }, ...cuts];
}

describe('an asynchronous replica whose disk is ill', () => {
  it('is judged by what its disk ought to hold, twice old as well', () => {
    const { broken, fired } = run(twiceOld);
    expect(broken).toEqual([]);
    expect(fired['old-disk']).toBeGreaterThan(20);
  });

  it('is not asked for what only a disk had that has forgotten it', () => {
    const { broken, fired } = run(primaryOld);
    expect(broken).toEqual([]);
    expect(fired['old-disk']).toBeGreaterThan(9);
  });

  it('keeps in its log what its disk said, old or not', () => {
    const { broken, fired } = run(farStale);
    expect(broken).toEqual([]);
    expect(fired['stale-read']).toBeGreaterThan(9);
  });

  it('is found all the same with a log that comes too late, or a point that is none', () => {
    expect(run(farStale, 'undo-taken-late').broken).toContain('LAW-way-back way-back.differs');
    expect(run(twiceOld, 'point-unstable').broken).toContain('LAW-prefix prefix.mixed');
    expect(run(primaryOld, 'point-unstable').broken).toContain('LAW-prefix prefix.mixed');
  });
});
