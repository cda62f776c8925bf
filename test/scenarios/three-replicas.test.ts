/** Swarms over three hosts: one volume of three replicas, and crossed pairs. */
import { describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { runCampaign, type Shard } from '../../scenarios/campaign.ts';
import { CROSSED_CONFIG, TRIO_CONFIG } from '../support/trio-configs.ts';

/** Laws that broke, by seed. */
function broken(config: ClusterConfig, more: Partial<Shard>): string[] {
  const found: string[] = [];
  const shard: Shard = { config, mode: 'swarm', seed: 1, runs: 60, shrinkBudget: 0, ...more };
  runCampaign(shard, ({ seed, violations }) => {
    for (const { law, code } of violations) found.push(`${seed}: ${law} ${code}`);
  });
  return found;
}

const PLANTED = ['flush-first-only', 'removed-frees-all', 'RULE-15', 'RULE-18', 'RULE-20'] as const;

describe('a volume of three replicas', () => {
  it('keeps every law in a swarm', { timeout: 300_000 }, () => {
    expect(broken(TRIO_CONFIG, {})).toEqual([]);
  });

  // A pair of host and moment in a few hundred schedules: who was told to wait until the next
  // primary leads, while that one waited for the others to have its record.
  it('shows waiter-forgotten', { timeout: 300_000 }, () => {
    expect(broken(TRIO_CONFIG, { seed: 210, runs: 15 })).toEqual([]);
    const canaries = new Set(['waiter-forgotten']);
    const found = broken(TRIO_CONFIG, { seed: 210, runs: 15, canaries, stopAtFirst: true });
    expect(found).toContain('217: LAW-heals heals.not-in-sync');
  });

  for (const id of PLANTED) {
    it(`shows ${id}`, { timeout: 300_000 }, () => {
      const canaries = new Set([id]);
      expect(broken(TRIO_CONFIG, { canaries, stopAtFirst: true })).not.toEqual([]);
    });
  }
});

describe('crossed pairs', () => {
  it('keep every law in a swarm', { timeout: 300_000 }, () => {
    expect(broken(CROSSED_CONFIG, { runs: 25 })).toEqual([]);
  });
});
