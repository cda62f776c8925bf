/** A volume grows while it is served: what has been shown to clients stays there for good. */
import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { demoHosts, demoWithSide } from '../../scenarios/demo.ts';
import { newWorld, type RunResult, runScenario } from '../../scenarios/run.ts';
import { growing, growths } from '../support/holder-changes.ts';

const world = newWorld();
const S = 1_000_000;
const MIB = 1 << 20;
const PAIR = demoHosts([1, 2]);
const THREE = demoHosts([1, 2, 3]);

function run(
  config: ClusterConfig,
  seed: number,
  faults: readonly Fault[],
  canary = '',
): RunResult {
  const base = campaignScenario({ config, mode: 'none', seed, runs: 1 }, seed);
  const canaries = new Set(canary === '' ? [] : [canary]);
  return runScenario({ ...base, faults }, seed, { canaries, stopAtFirst: canary !== '' }, world);
}

function summed(config: ClusterConfig): ClusterConfig {
  const volumes = config.volumes.map((volume) => {
    return { ...volume, logicalBlock: 4096 as const, checksums: true };
  });
  return { ...config, volumes };
}

const at = (seconds: number, kind: Fault['kind'], target: Fault['target']): Fault => {
  return { ...PLAIN_FAULT, kind, target, at: seconds * S };
};

describe('a volume that grows', () => {
  for (const [what, config, schedule, runs] of [
    ['amid whatever befalls a pair', PAIR, growths, 60],
    ['with checksums', summed(PAIR), growths, 30],
    ['with side areas', demoWithSide(32 * MIB), growths, 30],
    ['while who holds a replica changes', THREE, growing, 40],
  ] as const) {
    it(`keeps every law ${what}`, { timeout: 600_000 }, () => {
      let grown = 0;
      let reached = 0;
      for (let seed = 1; seed <= runs; seed += 1) {
        const { violations, statesReached } = run(config, seed, schedule(seed));
        expect([seed, ...violations]).toEqual([seed]);
        grown += statesReached['volume-grown'] ?? 0;
        // Clients have written behind the end that they saw first.
        const [volume] = config.volumes;
        const end = (volume?.sizeBytes ?? 0) / 512;
        const [leg] = world.hosts[0]?.legs ?? [];
        if (leg?.disk.media.subarray(end).some((stamp) => stamp !== 0)) reached += 1;
      }
      expect(grown).toBeGreaterThan(runs);
      expect(reached).toBeGreaterThan(runs / 2);
    });
  }

  it('would show less at the next host, were that one not told', { timeout: 60_000 }, () => {
    const faults = [
      at(5, 'grow-volume', 'primary'),
      at(10, 'kill-core', 'primary'),
      at(20, 'switch', 2),
      at(30, 'switch', 1),
    ];
    const codes = (canary = ''): readonly string[] =>
      run(PAIR, 3, faults, canary).violations.map(({ law, code }) => `${law} ${code}`);
    expect(codes()).toEqual([]);
    expect(codes('size-untold')).toContain('LAW-register register.shrunk');
  });
});
