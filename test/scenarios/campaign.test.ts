import { describe, expect, it } from 'vitest';
import type { VolumeConfig } from '../../engine/core/config.ts';
import {
  campaignScenario,
  combinedHash,
  mergeCampaigns,
  runCampaign,
  type Shard,
} from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { readScenario, writeScenario } from '../../scenarios/scenario.ts';

const shard: Shard = { config: DEMO_CONFIG, mode: 'swarm', seed: 40, runs: 6 };

describe('a campaign', () => {
  it('comes to the same in one piece and in shards, in whatever order they come back', () => {
    const whole = runCampaign(shard);
    const parts = [
      runCampaign({ ...shard, seed: 44, runs: 2 }),
      runCampaign({ ...shard, seed: 40, runs: 1 }),
      runCampaign({ ...shard, seed: 41, runs: 3 }),
    ];
    const merged = mergeCampaigns(parts);
    expect(merged.hashes).toEqual(whole.hashes);
    expect(combinedHash(merged)).toBe(combinedHash(whole));
    expect(merged.events).toBe(whole.events);
    expect(merged.faultsFired).toEqual(whole.faultsFired);
    expect(merged.statesReached).toEqual(whole.statesReached);
  });

  it('does runs that count: long, busy, with faults, and healed at the end', () => {
    let faults = 0;
    const total = runCampaign({ ...shard, seed: 7, runs: 10 }, (result) => {
      expect(result.simSeconds).toBeGreaterThanOrEqual(60);
      expect(result.ios / result.simSeconds).toBeGreaterThan(90);
      for (const count of Object.values(result.faultsFired)) faults += count;
    });
    expect(total.ios / total.simSeconds).toBeGreaterThanOrEqual(100);
    expect(faults).toBeGreaterThan(10);
  });

  it('leaves nothing of one run in the next: a used world runs as a new one', () => {
    const world = newWorld();
    for (const seed of [3, 90, 3]) {
      const scenario = campaignScenario(shard, seed);
      const used = runScenario(scenario, seed, {}, world);
      const fresh = runScenario(scenario, seed);
      expect(used.traceHash).toBe(fresh.traceHash);
    }
  });

  it('runs the same with the timeline collected, and from the scenario it wrote', () => {
    const scenario = campaignScenario(shard, 17);
    const plain = runScenario(scenario, 17);
    expect(runScenario(scenario, 17, { timeline: true }).traceHash).toBe(plain.traceHash);
    const read = readScenario(JSON.parse(JSON.stringify(writeScenario(scenario))));
    expect(read.ok && runScenario(read.scenario, 17).traceHash).toBe(plain.traceHash);
  });

  it('finds a planted bug, shrinks its schedule and replays it', () => {
    const canaries = new Set(['RULE-02']);
    const found = runCampaign({
      ...shard,
      seed: 1,
      runs: 200,
      canaries,
      stopAtFirst: true,
      // A quarter of what a rehearsal may spend: the third run finds it, among eight faults.
      shrinkBudget: 100,
    });
    const [violation] = found.violations;
    if (violation === undefined) throw new Error('the planted bug was not found');
    expect(violation.scenario.faults.length).toBeLessThanOrEqual(3);
    const again = runScenario(violation.scenario, violation.seed, { canaries });
    expect(again.violations.map(({ law }) => law)).toContain(violation.law);
  });

  it('has clients on every volume, also where no application or no group uses it', () => {
    const [volume] = DEMO_CONFIG.volumes as [VolumeConfig];
    const spare = { ...volume, name: 'spare', uuid: 'f'.repeat(32) };
    const groups = DEMO_CONFIG.groups.map((group) => ({ ...group, application: null }));
    const some = { mode: 'swarm', seed: 40, runs: 3 } as const;
    const one = runCampaign({ ...some, config: DEMO_CONFIG });
    const two = runCampaign({ ...some, config: { ...DEMO_CONFIG, volumes: [volume, spare] } });
    expect(two.ios).toBeGreaterThan(1.8 * one.ios);
    for (const config of [
      { ...DEMO_CONFIG, groups },
      { ...DEMO_CONFIG, groups: [] },
    ]) {
      expect(runCampaign({ ...some, config }).ios).toBeGreaterThan(0.9 * one.ios);
      const canaries = new Set(['ack-early']);
      const planted = runCampaign({ ...some, config, canaries, stopAtFirst: true });
      expect(planted.violations.length).toBeGreaterThan(0);
    }
  });
});
