/** Swarms in which copies compare before they send. */
import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { runCampaign } from '../../scenarios/campaign.ts';
import { demoThird, demoWith } from '../../scenarios/demo.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

const world = newWorld();
const RUNS = 60;

/**
 * The disk of host A fails with its metadata, so that its control alone remembers that, and is well
 * again when its core has died. The network of control is cut meanwhile: its primary meets it
 * before anything new is committed. When it has been copied to, it loses power, and with that what
 * it had shown and never held.
 */
function rememberedByControl(seed: number, canaries: readonly string[]): string[] {
  const target = 1;
  const faults = [
    { kind: 'write-error', at: 8_000_000, target, area: 'everything', for: 150_000 },
    { kind: 'cut', at: 8_050_000, target, links: 'control', for: 12_000_000 },
    { kind: 'kill-core', at: 8_100_000, target },
    { kind: 'power-off', at: 18_000_000 + seed * 20_000, target, for: 500_000 },
  ] as const;
  const scenario = {
    ...(LIBRARY.find(({ name }) => name === 'copies-compare-in-doubt') as Scenario),
    faults: faults.map((fault): Fault => ({ ...PLAIN_FAULT, ...fault })),
  };
  const options = { canaries: new Set(canaries) };
  const { violations } = runScenario(scenario, seed, options, world);
  return violations.map(({ law }) => `${seed} ${law}`);
}

describe('copies that compare before they send', () => {
  const configs = {
    'every piece': demoWith({ skipEqual: 'on' }),
    'as long as it pays': demoWith({ skipEqual: 'auto' }),
    'to a far third replica': {
      ...demoThird(),
      volumes: demoThird().volumes.map((volume) => ({ ...volume, skipEqual: 'on' as const })),
    },
  };
  it('believe no target whose control alone remembers its failure', { timeout: 120_000 }, () => {
    for (let seed = 1; seed <= 24; seed += 1) {
      expect(rememberedByControl(seed, [])).toEqual([]);
    }
    // Only some lose power when nothing but the disk could have it.
    const seen = [3, 31].flatMap((seed) => rememberedByControl(seed, ['doubt-unheard']));
    expect(seen).toContain('3 LAW-acknowledged');
    expect(seen).toContain('31 LAW-cover');
    expect(rememberedByControl(31, [])).toEqual([]);
    for (const seed of [3, 31])
      expect(rememberedByControl(seed, ['skip-in-doubt']).length).toBeGreaterThan(0);
  });

  for (const [what, config] of Object.entries(configs)) {
    for (const mode of ['swarm', 'disks'] as const) {
      it(`break no law in a swarm: ${what}, ${mode}`, { timeout: 600_000 }, () => {
        // Each image of an asynchronous replica is judged whole: a run takes ten times as long.
        const runs = what.includes('far') ? RUNS / 4 : RUNS;
        const shard = { config, mode, seed: 640_000, runs, shrinkBudget: 0 } as const;
        const { violations, statesReached } = runCampaign(shard, undefined, world);
        expect(violations.map(({ seed, law }) => `${seed} ${law}`)).toEqual([]);
        expect(statesReached['mirror.resync.equal'] ?? 0).toBeGreaterThan(runs / 10);
      });
    }
  }
});
