/** A swarm over a configuration whose replicas keep what a resync overwrites. */
import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { campaignScenario, runCampaign } from '../../scenarios/campaign.ts';
import { demoWithSide } from '../../scenarios/demo.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

const MIB = 1 << 20;
const lost = LIBRARY.find(({ name }) => name === 'source-lost-for-good') as Scenario;
const shard = { mode: 'swarm', seed: 800_000 } as const;

function brokenBy(canary: string, runs: number): ReadonlySet<string> {
  const laws = new Set<string>();
  const canaries = new Set([canary]);
  const config = demoWithSide(16 * MIB);
  runCampaign({ ...shard, config, runs, canaries }, ({ violations }) => {
    for (const { law } of violations) laws.add(law);
  });
  return laws;
}

describe('replicas that keep what a resync overwrites', () => {
  it('keep every law in a swarm, LAW-way-back among them', { timeout: 600_000 }, () => {
    for (const [sideBytes, runs] of [
      [16 * MIB, 60],
      [MIB / 4, 30],
    ] as const) {
      const found: string[] = [];
      const config = demoWithSide(sideBytes);
      const { statesReached } = runCampaign({ ...shard, config, runs }, ({ seed, violations }) => {
        for (const { law, code } of violations) found.push(`${seed}: ${law} ${code}`);
      });
      expect(found).toEqual([]);
      expect(statesReached['mirror.undo.begun']).toBeGreaterThan(runs / 2);
      if (sideBytes < MIB) expect(statesReached['mirror.undo.given-up']).toBeGreaterThan(0);
    }
  });

  for (const canary of [
    'undo-unwaited',
    'undo-taken-late',
    'undo-copies-only',
    'undo-dropped-early',
  ]) {
    it(`break LAW-way-back with ${canary}`, { timeout: 300_000 }, () => {
      expect(brokenBy(canary, 12)).toContain('LAW-way-back');
    });
  }

  it('give the image back when their source is lost, whatever cuts the return short', {
    timeout: 120_000,
  }, () => {
    const [outage, loss, order] = lost.faults as readonly [Fault, Fault, Fault];
    let back = 0;
    for (let step = 0; step < 16; step += 1) {
      const again = { ...order, at: 16_000_000 };
      const at = order.at + 700 + 900 * step;
      const kind = step % 2 === 0 ? ('reboot' as const) : ('kill-core' as const);
      const stop: Fault = { ...PLAIN_FAULT, kind, at, target: 2, for: 500_000 };
      const after = 4_000 + 2_500 * step;
      const faults = [outage, { ...loss, after }, order, stop, again];
      const { violations, statesReached } = runScenario({ ...lost, faults }, step + 1);
      expect(violations).toEqual([]);
      back += statesReached['mirror.return.done'] ?? 0;
    }
    expect(back).toBeGreaterThan(12);
  });

  it('keep the image through a loss of power at each write of metadata of a copy', {
    timeout: 120_000,
  }, () => {
    const [outage] = lost.faults as readonly [Fault];
    let [cut, back] = [0, 0];
    for (let nth = 1; nth <= 24; nth += 1) {
      const off = { ...PLAIN_FAULT, kind: 'power-off', when: 'meta-write', target: 2 } as const;
      const loss: Fault = { ...off, at: 8_990_000, nth, after: 0, for: 2_000_000, cache: 'none' };
      const gone: Fault = { ...loss, when: 'at-once', at: 9_900_000, target: 1, for: 7_000_000 };
      const order: Fault = { ...PLAIN_FAULT, kind: 'return', at: 14_500_000, target: 2 };
      const faults = [outage, loss, gone, order];
      const { violations, statesReached } = runScenario({ ...lost, faults }, nth);
      expect(violations).toEqual([]);
      cut += statesReached['mirror.resync.interrupted'] ?? 0;
      back += statesReached['mirror.return.done'] ?? 0;
    }
    expect(cut).toBeGreaterThan(8);
    expect(back).toBeGreaterThan(3);
  });

  // Seed 55: what a failed disk shows of a block is zeroes, and what its medium has is none.
  it('keep it where both disks fail in turn, and a target shows what its medium has not', {
    timeout: 60_000,
  }, () => {
    const config = demoWithSide(MIB);
    const error = { kind: 'write-error', area: 'everything', ppm: 1e6, for: 1_000_000 } as const;
    const fails = { ...PLAIN_FAULT, ...error };
    for (let seed = 50; seed < 60; seed += 1) {
      const base = campaignScenario({ ...shard, config, runs: 1, seed }, seed);
      const first = { ...fails, target: 1, at: 10_298_972 } as const;
      const faults = [first, { ...fails, target: 2, at: 22_063_720 } as const];
      const { violations, statesReached } = runScenario({ ...base, faults }, seed);
      expect(violations).toEqual([]);
      expect(statesReached['mirror.undo.begun']).toBeGreaterThan(0);
    }
  });

  it('break LAW-way-back where they count as an image too early', { timeout: 60_000 }, () => {
    const { violations } = runScenario(lost, 1, { canaries: new Set(['return-claimed']) });
    expect(violations.map(({ law }) => law)).toContain('LAW-way-back');
    const { statesReached } = runScenario(lost, 1);
    expect(statesReached['mirror.return.done']).toBe(1);
  });
});
