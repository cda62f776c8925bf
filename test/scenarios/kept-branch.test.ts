/** Two branches, one of which is given up by policy or by order, where replicas have side areas. */
import { describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { runCampaign } from '../../scenarios/campaign.ts';
import { demoWithSide } from '../../scenarios/demo.ts';

const MIB = 1 << 20;
const shard = { mode: 'splits', seed: 810_000 } as const;

function withSkip(config: ClusterConfig): ClusterConfig {
  const volumes = config.volumes.map((volume) => ({ ...volume, skipEqual: 'on' as const }));
  return { ...config, volumes };
}

function required(config: ClusterConfig): ClusterConfig {
  const volumes = config.volumes.map((volume) => ({ ...volume, undo: 'required' as const }));
  return { ...config, volumes };
}

describe('a branch that is given up on a replica with a side area', () => {
  for (const [what, config] of [
    ['whole', demoWithSide(32 * MIB)],
    ['whole, what its copy left out as equal too', withSkip(demoWithSide(32 * MIB))],
  ] as const) {
    it(`is kept ${what}, in a swarm about two branches`, { timeout: 600_000 }, () => {
      const found: string[] = [];
      const { statesReached } = runCampaign({ ...shard, config, runs: 60 }, (run) => {
        for (const { law, code } of run.violations) found.push(`${run.seed}: ${law} ${code}`);
      });
      expect(found).toEqual([]);
      expect(statesReached['mirror.branch.kept']).toBeGreaterThan(10);
    });
  }

  it('lets the next copy begin when it is dropped, as status asks of a person', {
    timeout: 600_000,
  }, () => {
    const found: string[] = [];
    const run = { ...shard, config: required(demoWithSide(32 * MIB)), runs: 60 };
    const { statesReached } = runCampaign(run, ({ seed, violations }) => {
      for (const { law, code } of violations) found.push(`${seed}: ${law} ${code}`);
    });
    expect(found).toEqual([]);
    expect(statesReached['mirror.branch.holds']).toBeGreaterThan(0);
    expect(statesReached['mirror.branch.dropped']).toBeGreaterThan(0);
  });

  it('breaks LAW-heals where nobody is told, with branch-hold-unsaid', { timeout: 300_000 }, () => {
    const laws = new Set<string>();
    const canaries = new Set(['branch-hold-unsaid']);
    const config = required(demoWithSide(32 * MIB));
    runCampaign({ ...shard, config, runs: 10, canaries, shrinkBudget: 0 }, (run) => {
      for (const { law } of run.violations) laws.add(law);
    });
    expect([...laws]).toEqual(['LAW-heals']);
  });

  for (const canary of ['branch-forgotten', 'branch-overwritten', 'branch-partly'] as const) {
    it(`breaks LAW-way-back with ${canary}`, { timeout: 300_000 }, () => {
      const laws = new Set<string>();
      const canaries = new Set([canary]);
      const config = withSkip(demoWithSide(32 * MIB));
      runCampaign({ ...shard, config, runs: 40, canaries, shrinkBudget: 0 }, (run) => {
        for (const { law } of run.violations) laws.add(law);
      });
      expect([...laws]).toContain('LAW-way-back');
    });
  }
});
