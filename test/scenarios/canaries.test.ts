import { describe, expect, it } from 'vitest';
import { runCampaign } from '../../scenarios/campaign.ts';
import { plantedBugs } from '../../scenarios/canaries.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { readScenario } from '../../scenarios/scenario.ts';
import { found, RUNS, rulesOfTwo, SEEDS } from '../support/campaigns.ts';

const MINUTE = 60_000;

const rules = rulesOfTwo();

describe('a campaign', () => {
  it('knows one planted bug for each rule', () => {
    const ids = Array.from({ length: 14 }, (_, i) => `RULE-${String(i + 1).padStart(2, '0')}`);
    expect(rules.map(({ id }) => id).filter((id) => id.startsWith('RULE-'))).toEqual(ids);
    expect(new Set(plantedBugs().map(({ id }) => id)).size).toBe(plantedBugs().length);
  });

  // The bugs that a handful of runs finds: enough to see that the oracles are awake.
  for (const id of ['RULE-01', 'RULE-02', 'RULE-05', 'RULE-10', 'RULE-13', 'ack-early']) {
    it(`finds ${id} soon`, { timeout: 2 * MINUTE }, () => {
      expect(found(id, SEEDS[0]!, 60)).toBeGreaterThan(0);
    });
  }

  // What only disks bring to light is looked for where every schedule has one that does wrong.
  it('of disk faults finds verify-no-fua soon', { timeout: 2 * MINUTE }, () => {
    expect(found('verify-no-fua', SEEDS[0]!, 120, 'disks')).toBeGreaterThan(0);
  });

  it('of disk faults finds digest-unchecked soon', { timeout: 2 * MINUTE }, () => {
    expect(found('digest-unchecked', SEEDS[0]!, 120, 'disks')).toBeGreaterThan(0);
  });

  it('of disk faults finds failure-forgotten soon', { timeout: 2 * MINUTE }, () => {
    expect(found('failure-forgotten', SEEDS[0]!, 400, 'disks')).toBeGreaterThan(0);
  });

  it('sees by what a host did in which epoch what no other law sees', {
    timeout: 2 * MINUTE,
  }, () => {
    const codes = new Set<string>();
    const shard = { config: DEMO_CONFIG, mode: 'swarm', seed: SEEDS[0]!, runs: 80 } as const;
    runCampaign({ ...shard, canaries: new Set(['early-alone']) }, ({ violations }) => {
      for (const { law, code } of violations) codes.add(`${law} ${code}`);
    });
    expect([...codes]).toEqual(['LAW-one-epoch epoch.passed-over']);
  });

  it('sees a volume that refuses everything once all is over, though its group runs', () => {
    const scenario = readScenario({
      name: 'late-attach',
      title: 'A disk answers late',
      about: 'The only copy hangs while its new core attaches to it.',
      laws: ['LAW-heals'],
      faults: [
        { at: '5s', kind: 'power-off', target: 'b', for: '40s' },
        { at: '8900ms', kind: 'disk-stall', target: 'a', for: '22s' },
        { at: '9s', kind: 'kill-core', target: 'a' },
      ],
    });
    if (!scenario.ok) throw new Error('the scenario is wrong');
    const codes = (...canaries: string[]) => {
      const { violations } = runScenario(scenario.scenario, 1, { canaries: new Set(canaries) });
      return violations.map(({ code }) => code);
    };
    expect(codes()).toEqual([]);
    expect(codes('last-copy-given-up', 'attach-revived')).toEqual(['heals.not-served']);
  });

  it('reports nothing when no bug is planted', { timeout: 4 * MINUTE }, () => {
    const world = newWorld();
    for (const seed of SEEDS) {
      const shard = { config: DEMO_CONFIG, mode: 'swarm', seed, runs: 12 } as const;
      const { violations } = runCampaign(shard, () => {}, world);
      expect(violations.map((one) => [one.law, one.seed, one.schedule])).toEqual([]);
    }
  });
});

describe.skipIf(process.env['UNDERSTUDY_CI'] !== '1')('a long campaign', () => {
  for (const { id, what } of rules) {
    const title = `finds ${id} within ${RUNS} runs from each of ${SEEDS.length} seeds: ${what}`;
    it(title, { timeout: 60 * MINUTE }, () => {
      const runs = SEEDS.map((seed) => [seed, found(id, seed, RUNS)] as const);
      expect(runs.filter(([, run]) => run < 0)).toEqual([]);
    });
  }
});
