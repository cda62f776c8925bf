/** A swarm over a configuration whose volumes read from both copies. */
import { describe, expect, it } from 'vitest';
import { runCampaign } from '../../scenarios/campaign.ts';
import { demoWith } from '../../scenarios/demo.ts';

const config = demoWith({ reads: 'balanced' });

describe('volumes that read from both copies', () => {
  it('keep every law in a swarm', { timeout: 300_000 }, () => {
    const found: string[] = [];
    const shard = { config, mode: 'swarm', seed: 700_000, runs: 150 } as const;
    const { statesReached } = runCampaign(shard, ({ seed, violations }) => {
      for (const { law, code } of violations) found.push(`${seed}: ${law} ${code}`);
    });
    expect(found).toEqual([]);
    expect(statesReached['mirror.read.balanced']).toBeGreaterThan(1000);
    expect(statesReached['mirror.read.came-back']).toBeGreaterThan(0);
  });

  it('lose what was written where reads go to a copy that is being made', {
    timeout: 300_000,
  }, () => {
    const laws = new Set<string>();
    const shard = { config, mode: 'swarm', seed: 700_000, runs: 60 } as const;
    const canaries = new Set(['balance-in-copy']);
    runCampaign({ ...shard, canaries }, ({ violations }) => {
      for (const { law } of violations) laws.add(law);
    });
    expect(laws).toContain('LAW-register');
  });
});
