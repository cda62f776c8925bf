/**
 * Beside canaries.test.ts, and apart from it so that two processors share the work: long campaigns
 * without a bug, and what only campaigns of disk faults find.
 */
import { describe, expect, it } from 'vitest';
import { runCampaign } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { found, RUNS, SEEDS } from '../support/campaigns.ts';

const MINUTE = 60_000;

describe.skipIf(process.env['UNDERSTUDY_CI'] !== '1')('a long campaign', () => {
  const some = 2 * RUNS;
  const others = SEEDS.slice(1, 3);
  const forgotten = `finds failure-forgotten within ${some} runs of disk faults from two others`;
  it(forgotten, { timeout: 60 * MINUTE }, () => {
    const runs = others.map((seed) => [seed, found('failure-forgotten', seed, some, 'disks')]);
    expect(runs.filter(([, run]) => (run as number) < 0)).toEqual([]);
  });

  // From the first seed on a complete swarm goes further: coverage.test.ts.
  const campaigns = SEEDS.flatMap((seed) => [
    { what: '200 sound runs of disk faults', mode: 'disks', seed, runs: 200 } as const,
    ...(seed === SEEDS[0]
      ? []
      : [{ what: '500 sound runs', mode: 'swarm', seed, runs: 500 } as const]),
  ]);
  for (const { what, ...campaign } of campaigns) {
    it(`reports nothing in ${what} from seed ${campaign.seed}`, { timeout: 60 * MINUTE }, () => {
      const { violations } = runCampaign({ config: DEMO_CONFIG, ...campaign });
      expect(violations.map((one) => [one.law, one.seed, one.schedule])).toEqual([]);
    });
  }
});
