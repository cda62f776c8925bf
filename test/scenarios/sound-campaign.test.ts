/**
 * Beside canaries.test.ts, and apart from it so that two processors share the work: long campaigns
 * without a bug, and what only campaigns of disk faults find.
 */
import { describe, expect, it } from 'vitest';
import { runCampaign } from '../../scenarios/campaign.ts';
import { COMPLETE_RUNS } from '../../scenarios/coverage.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { forgottenHunts, found, RUNS, SEEDS } from '../support/campaigns.ts';

const MINUTE = 60_000;

describe.skipIf(process.env['UNDERSTUDY_CI'] !== '1')('a long campaign', () => {
  for (const { id, seed, runs, mode } of forgottenHunts()) {
    const title = `finds ${id} within ${runs} runs of disk faults from seed ${seed}`;
    it(title, { timeout: 60 * MINUTE }, () => {
      expect(found(id, seed, runs, mode)).toBeGreaterThan(0);
    });
  }

  // As many runs as a planted bug may take to be found. The first of the first seed are those of
  // the complete swarm: coverage.test.ts.
  const campaigns = SEEDS.flatMap((first) => {
    const done = first === SEEDS[0] ? COMPLETE_RUNS : 0;
    const [seed, runs] = [first + done, RUNS - done];
    return [
      { what: '200 sound runs of disk faults', mode: 'disks', seed: first, runs: 200 } as const,
      { what: `${runs} sound runs`, mode: 'swarm', seed, runs } as const,
    ];
  });
  for (const { what, ...campaign } of campaigns) {
    it(`reports nothing in ${what} from seed ${campaign.seed}`, { timeout: 60 * MINUTE }, () => {
      const { violations } = runCampaign({ config: DEMO_CONFIG, ...campaign });
      expect(violations.map((one) => [one.law, one.seed, one.schedule])).toEqual([]);
    });
  }
});
