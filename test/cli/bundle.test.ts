import { describe, expect, it } from 'vitest';
import { runShards } from '../../cli/rehearse/pool.ts';
import type { ShardAnswer, ShardTask } from '../../cli/rehearse/shard-worker.ts';
import { runCampaign } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';

const SCRIPT = new URL('../../cli/rehearse/shard-worker.ts', import.meta.url);
const shard = { config: DEMO_CONFIG, mode: 'swarm', runs: 4 } as const;

describe('a thread of a campaign, made of one script', () => {
  it('does what its modules do, to the last bit, and hears of planted bugs', async () => {
    const canaries = ['RULE-05'];
    const tasks: ShardTask[] = [1, 5].map((seed) => ({
      ...{ ...shard, seed, shrinkBudget: 0 },
      canaries: seed === 1 ? [] : canaries,
    }));
    const answers = await runShards<ShardTask, ShardAnswer>(SCRIPT, tasks, 2, () => true);
    const here = tasks.map((task) => runCampaign({ ...task, canaries: new Set(task.canaries) }));
    const seen = (campaign: ShardAnswer['campaign']) => {
      const { runs, events, hashes, violations } = campaign;
      return { runs, events, hashes, laws: violations.map(({ finding }) => finding) };
    };
    expect(answers.map(({ campaign }) => seen(campaign))).toEqual(here.map(seen));
    expect(here[1]?.violations.length).toBeGreaterThan(0);
  });

  it('names the functions in which it throws', async () => {
    const task = { ...shard, seed: 1, mode: 'nothing', canaries: [] } as unknown as ShardTask;
    const failed = runShards<ShardTask, ShardAnswer>(SCRIPT, [task], 1, () => true);
    await expect(failed).rejects.toMatchObject({ stack: expect.stringContaining('runCampaign') });
  });
});
