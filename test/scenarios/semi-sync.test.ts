/** Swarms over configurations whose members acknowledge writes on receipt. */
import { describe, expect, it } from 'vitest';
import { type CampaignResult, runCampaign } from '../../scenarios/campaign.ts';
import { demoWith, demoWithSide } from '../../scenarios/demo.ts';
import type { Swarm } from '../../scenarios/generate.ts';

const semi = demoWith({ mode: 'semi-sync' });
const beside = demoWithSide(8 * 1024 * 1024);

/** What a campaign found, and what it reached. */
function campaign(
  config: typeof semi,
  runs: number,
  canaries: readonly string[] = [],
  mode: Swarm = 'swarm',
): { found: string[]; result: CampaignResult } {
  const found: string[] = [];
  const shard = { config, mode, seed: 710_000, runs } as const;
  const result = runCampaign({ ...shard, canaries: new Set(canaries) }, (run) => {
    for (const { law, code } of run.violations) found.push(`${run.seed}: ${law} ${code}`);
  });
  return { found, result };
}

describe('semi-synchronous volumes', () => {
  it('keep every law in a swarm', { timeout: 300_000 }, () => {
    const { found, result } = campaign(semi, 200);
    expect(found).toEqual([]);
    const { statesReached } = result;
    expect(statesReached['mirror.receipt.given']).toBeGreaterThan(100_000);
    expect(statesReached['mirror.receipt.flush-waits']).toBeGreaterThan(1000);
    expect(statesReached['mirror.receipt.lost']).toBeGreaterThan(5);
  });

  it('keep them with checksums, side areas, and reads from both copies', {
    timeout: 300_000,
  }, () => {
    const sums = demoWith({ mode: 'semi-sync', checksums: true, logicalBlock: 4096 });
    const volumes = beside.volumes.map((volume) => ({ ...volume, mode: 'semi-sync' as const }));
    const balanced = demoWith({ mode: 'semi-sync', reads: 'balanced' });
    for (const config of [sums, { ...beside, volumes }, balanced]) {
      expect(campaign(config, 40).found).toEqual([]);
    }
  });

  it('keep every law in a swarm about receivers that die', { timeout: 300_000 }, () => {
    const { found, result } = campaign(semi, 40, [], 'receipts');
    expect(found).toEqual([]);
    expect(result.statesReached['mirror.receipt.lost']).toBeGreaterThan(20);
  });

  it('which finds a core that trusts what its predecessor had only received', () => {
    expect(campaign(semi, 12, ['receipt-trusted'], 'receipts').found.join()).toContain(
      'LAW-acknowledged',
    );
  });

  it.each(['receipt-unflushed', 'receipt-for-fua'])(
    'lose what was flushed with the planted bug %s',
    (id) => {
      expect(campaign(semi, 30, [id]).found.join()).toContain('LAW-flushed');
    },
  );
});
