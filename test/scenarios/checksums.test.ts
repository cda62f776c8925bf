/** Swarms over a configuration whose volumes keep a checksum of every block. */
import { describe, expect, it } from 'vitest';
import { runCampaign } from '../../scenarios/campaign.ts';
import { demoWith } from '../../scenarios/demo.ts';
import type { Swarm } from '../../scenarios/generate.ts';

const config = demoWith({ checksums: true, logicalBlock: 4096 });

/** What a campaign found, and what it reached. */
function campaign(mode: Swarm, seed: number, runs: number, canary = '') {
  const found: string[] = [];
  const canaries = new Set(canary === '' ? [] : [canary]);
  const shard = { config, mode, seed, runs, canaries };
  const { statesReached } = runCampaign(shard, (run) => {
    for (const { law, code } of run.violations) found.push(`${run.seed}: ${law} ${code}`);
  });
  return { found, statesReached };
}

describe('volumes with checksums', () => {
  it('keep LAW-register where disks rot, lose and misplace writes', { timeout: 300_000 }, () => {
    const { found, statesReached } = campaign('disks', 810_000, 100);
    expect(found).toEqual([]);
    expect(statesReached['mirror.sums.mismatch']).toBeGreaterThan(100);
    expect(statesReached['mirror.read.served-by-peer']).toBeGreaterThan(10);
  });

  it('keep every law in a swarm, and accuse no disk that keeps its word', {
    timeout: 300_000,
  }, () => {
    expect(campaign('swarm', 700_000, 60).found).toEqual([]);
  });

  for (const [canary, mode, law] of [
    ['sum-mismatch-ignored', 'disks', 'LAW-register register.spoiled-read'],
    ['sums-unopened', 'swarm', 'LAW-cover cover.accused'],
    ['sum-open-trusted', 'swarm', 'LAW-cover cover.accused'],
    ['sums-unflushed', 'swarm', 'LAW-cover cover.accused'],
  ] as const) {
    it(`show ${canary}`, { timeout: 300_000 }, () => {
      const { found } = campaign(mode, 810_000, 20, canary);
      expect(found.map((each) => each.slice(each.indexOf('LAW')))).toContain(law);
    });
  }
});
