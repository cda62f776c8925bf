import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { Rng } from '../../engine/core/rng.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';

const world = newWorld();
const CHANCE = 77;
const S = 1_000_000;

/** One to three paths that are lost some time, to whoever serves then or does not. */
function lostPaths(seed: number): readonly Fault[] {
  const rng = new Rng(seed, CHANCE);
  return Array.from({ length: 1 + rng.below(3) }, (): Fault => {
    const times = { at: 3 * S + rng.below(25 * S), for: S / 10 + rng.below(12 * S) };
    const target = rng.below(2) === 0 ? 'primary' : 'secondary';
    return { ...PLAIN_FAULT, kind: 'path-loss', ...times, target };
  });
}

/** The same, but hosts are named, whoever serves. */
function lostByNode(seed: number): readonly Fault[] {
  const rng = new Rng(seed, CHANCE);
  return Array.from({ length: 1 + rng.below(3) }, (): Fault => {
    const times = { at: 3 * S + rng.below(25 * S), for: S / 10 + rng.below(12 * S) };
    return { ...PLAIN_FAULT, kind: 'path-loss', ...times, target: 1 + rng.below(2) };
  });
}

describe('paths that are lost in the middle of random schedules', () => {
  it('break no law, and nobody has to mend anything', () => {
    const shard = { config: DEMO_CONFIG, mode: 'swarm', runs: 1 } as const;
    let lost = 0;
    // 258: both in turn, and then all hosts lose power (docs/decisions/0026). 313: a link is lost
    // while a copy is written on its source. 706 and 764: what an oracle must not ask for. 2368: a
    // quiesce point on a last copy in doubt.
    for (const seed of [258, 313, 706, 764, 2368, ...Array.from({ length: 36 }, (_, n) => 1 + n)]) {
      const swarm = campaignScenario({ ...shard, seed }, seed);
      for (const others of [swarm.faults, []]) {
        const faults = [...others, ...lostPaths(seed)].sort((a, b) => a.at - b.at);
        const run = runScenario({ ...swarm, faults }, seed, {}, world);
        expect([seed, ...run.violations]).toEqual([seed]);
        lost += run.faultsFired['path-loss'] ?? 0;
      }
    }
    expect(lost).toBeGreaterThan(80);
  });

  it('leave a doubt behind, without which acknowledged writes are lost', () => {
    const shard = { config: DEMO_CONFIG, mode: 'swarm', runs: 1 } as const;
    const found = new Set<string>();
    for (const seed of [3448, 3975, 3995, 4057]) {
      const swarm = campaignScenario({ ...shard, seed }, seed);
      const faults = [...swarm.faults, ...lostByNode(seed)].sort((a, b) => a.at - b.at);
      const sound = runScenario({ ...swarm, faults }, seed, {}, world);
      expect([seed, ...sound.violations]).toEqual([seed]);
      const canaries = new Set(['path-undoubted']);
      const broken = runScenario({ ...swarm, faults }, seed, { canaries }, world);
      for (const { law } of broken.violations) found.add(law);
    }
    expect(found).toContain('LAW-acknowledged');
  });
});
