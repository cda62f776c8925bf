/** Swarms over configurations with an asynchronous replica, alone with its primary or a third. */
import { describe, expect, it } from 'vitest';
import { PrefixOracle } from '../../backends/sim/oracle/prefix.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { type CampaignResult, runCampaign } from '../../scenarios/campaign.ts';
import { demoAsync, demoThird } from '../../scenarios/demo.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

/** What a campaign found, what it reached, and how many images LAW-prefix was held against. */
function campaign(
  config: ClusterConfig,
  runs: number,
): { found: string[]; looks: number; reached: CampaignResult['statesReached'] } {
  const found: string[] = [];
  const oracles = new Set<PrefixOracle>();
  const { look } = PrefixOracle.prototype;
  PrefixOracle.prototype.look = function (this: PrefixOracle, ...args) {
    oracles.add(this);
    look.apply(this, args);
  };
  const shard = { config, mode: 'swarm', seed: 730_000, runs, shrinkBudget: 0 } as const;
  const result = runCampaign(shard, (run) => {
    for (const { law, code } of run.violations) found.push(`${run.seed}: ${law} ${code}`);
  });
  PrefixOracle.prototype.look = look;
  const looks = [...oracles].reduce((sum, oracle) => sum + oracle.looks, 0);
  return { found, looks, reached: result.statesReached };
}

describe('an asynchronous replica', () => {
  it('is an image of one moment whatever happens in a swarm, and every law holds', {
    timeout: 300_000,
  }, () => {
    const { found, looks, reached } = campaign(demoAsync(), 5);
    expect(found).toEqual([]);
    expect(looks).toBeGreaterThan(1000);
    expect(reached['mirror.point']).toBeGreaterThan(1000);
    expect(reached['mirror.resync.drains']).toBeGreaterThan(5);
  });

  it('is so beside a synchronous pair, which goes on as it would without it', {
    timeout: 300_000,
  }, () => {
    const { found, looks, reached } = campaign(demoThird(), 4);
    expect(found).toEqual([]);
    expect(looks).toBeGreaterThan(500);
    expect(reached['mirror.point']).toBeGreaterThan(500);
  });

  for (const [id, law, seed] of [
    ['point-crossed', 'LAW-prefix', 1],
    ['point-unstable', 'LAW-prefix', 1],
    ['open-unwaited', 'LAW-way-back', 2],
    ['later-forgotten', 'LAW-cover', 3],
  ] as const) {
    it(`breaks ${law} with the planted bug ${id} where it is dark again and again`, {
      timeout: 60_000,
    }, () => {
      const dark = LIBRARY.find(({ name }) => name === 'async-replica-dark-again-and-again');
      const options = { canaries: new Set([id]), stopAtFirst: true };
      const { workload, ...rest } = dark as Scenario;
      const busy = { ...rest, workload: { ...workload, iops: 200 } };
      const { violations } = runScenario(busy, seed, options);
      expect(violations.map((found) => found.law)).toContain(law);
    });
  }
});
