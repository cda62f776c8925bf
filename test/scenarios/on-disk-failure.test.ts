/** Volumes that are served through other replicas when the disk of their primary fails. */
import { describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { demoWith } from '../../scenarios/demo.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { failingDisks, failsUntold, proxied } from '../support/on-disk-failure.ts';
import { CROSSED_CONFIG, TRIO_CONFIG } from '../support/trio-configs.ts';

const world = newWorld();
const MINUTES = { timeout: 600_000 };

/** What `runs` schedules from `seed` on find, half of them without other faults. */
function swarm(config: ClusterConfig, seed: number, runs: number, canaries: string[] = []) {
  const found: string[] = [];
  let on = 0;
  let ended = 0;
  for (let n = 0; n < runs; n += 1) {
    const scenario = failingDisks(proxied(config), seed + n, n % 2 === 1);
    const run = runScenario(scenario, seed + n, { canaries: new Set(canaries) }, world);
    for (const { law, code } of run.violations) found.push(`${seed + n}: ${law} ${code}`);
    on += run.statesReached['mirror.proxy.on'] ?? 0;
    ended += run.statesReached['mirror.proxy.ended'] ?? 0;
  }
  return { found, on, ended };
}

function semi(config: ClusterConfig): ClusterConfig {
  const volumes = config.volumes.map((volume) => ({ ...volume, mode: 'semi-sync' as const }));
  return { ...config, volumes };
}

/** The laws that one scenario of the library breaks with a planted bug, over some seeds. */
function broken(name: string, bug: string, seeds: number): string[] {
  const scenario = LIBRARY.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`the library has ${name}`);
  const laws = new Set<string>();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const run = runScenario(scenario, seed, { canaries: new Set([bug]) }, world);
    for (const { law } of run.violations) laws.add(law);
  }
  return [...laws];
}

describe('disks of primaries that fail, and volumes that stay', () => {
  it('break no law with two replicas', MINUTES, () => {
    const { found, on, ended } = swarm(demoWith({}), 1, 40);
    expect(found).toEqual([]);
    expect(on).toBeGreaterThan(20);
    expect(ended).toBeGreaterThan(5);
  });

  it('nor where members acknowledge on receipt', MINUTES, () => {
    expect(swarm(demoWith({ mode: 'semi-sync' }), 101, 20).found).toEqual([]);
  });

  it('nor with checksums, or with reads from both copies', MINUTES, () => {
    const summed = demoWith({ checksums: true, logicalBlock: 4096 });
    expect(swarm(summed, 201, 10).found).toEqual([]);
    expect(swarm(demoWith({ reads: 'balanced' }), 201, 10).found).toEqual([]);
  });

  // 49: the disk fails as the log leaves a third host out, and nobody is told of that.
  it('nor with three replicas, two of which have each write', MINUTES, () => {
    const { found, on } = swarm(TRIO_CONFIG, 29, 22);
    expect(found).toEqual([]);
    expect(on).toBeGreaterThan(10);
    expect(swarm(semi(TRIO_CONFIG), 301, 8).found).toEqual([]);
  });

  it('nor where the primary stops before it has told anybody of its last record', MINUTES, () => {
    for (const config of [TRIO_CONFIG, proxied(TRIO_CONFIG)]) {
      for (let seed = 4; seed <= 9; seed += 1) {
        const run = runScenario(failsUntold(config, seed), seed, {}, world);
        expect([seed, ...run.violations]).toEqual([seed]);
      }
    }
  });

  it('nor with volumes crossed between three hosts', MINUTES, () => {
    expect(swarm(CROSSED_CONFIG, 401, 6).found).toEqual([]);
  });
});

describe('planted bugs', () => {
  it('proxy-acks-alone: the last word of one epoch is without its member', () => {
    expect(broken('disk-fails-and-service-stays', 'proxy-acks-alone', 1)).toContain(
      'LAW-one-epoch',
    );
  });

  it('proxy-cools: what the failed disk lacks is covered by nobody', () => {
    expect(broken('failed-disk-shows-old-content', 'proxy-cools', 2)).toContain('LAW-cover');
  });

  it('proxy-repairs-from-own: a comparison writes old content over the only copy', () => {
    const laws = broken('disk-fails-and-service-stays', 'proxy-repairs-from-own', 2);
    expect(laws).toContain('LAW-register');
  });

  it('proxy-receipt: the only copy has acknowledged what it has not written', () => {
    const { found } = swarm(demoWith({ mode: 'semi-sync' }), 3, 2, ['proxy-receipt']);
    expect(found.join()).toContain('LAW-one-epoch');
  });
});
