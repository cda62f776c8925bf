import { describe, expect, it } from 'vitest';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { type HuntTask, hunt, tells } from '../../scenarios/hunt.ts';
import { runScenario } from '../../scenarios/run.ts';

const task: HuntTask = {
  id: 'RULE-02',
  mode: 'swarm',
  config: DEMO_CONFIG,
  seed: 1,
  runs: 60,
  shrinkBudget: 60,
};

describe('a hunt', () => {
  it('ends with the first run that tells of the bug, with a schedule that still does', () => {
    const told: number[] = [];
    const { runs, found } = hunt(task, { run: (n) => told.push(n), found: () => told.push(0) });
    if (found === null) throw new Error('the planted bug was not found');
    expect(told).toEqual([...Array.from({ length: runs }, (_, i) => i + 1), 0]);
    expect(found.seed).toBe(runs);
    expect(found.faults.length).toBeLessThanOrEqual(found.drawn.length);
    expect(found.shrinkRuns).toBeGreaterThan(0);
    const drawn = campaignScenario({ ...task, runs: 1 }, found.seed);
    expect(drawn.faults).toEqual(found.drawn);
    const again = runScenario({ ...drawn, faults: found.faults }, found.seed, {
      canaries: new Set([task.id]),
    });
    expect(again.violations.map(({ law }) => law)).toContain(found.law);
    expect(runScenario(drawn, found.seed).violations).toEqual([]);
  });

  it('comes to the same again', () => {
    const other = { ...task, shrinkBudget: 20 };
    expect(hunt(other)).toEqual(hunt(other));
  });

  it('is given up after so many runs', () => {
    // No law of the simulated world depends on this one.
    const { runs, found } = hunt({ ...task, id: 'read-error-passed', runs: 5 });
    expect([runs, found]).toEqual([5, null]);
  });

  it('does not take being stuck for being found, but where nothing else can show', () => {
    const stuck = { law: 'LAW-heals', code: 'heals.not-in-sync' } as const;
    expect(tells('RULE-02', stuck)).toBe(false);
    expect(tells('RULE-13', stuck)).toBe(true);
    expect(tells('RULE-02', { law: 'LAW-heals', code: 'heals.replicas-differ' })).toBe(true);
    expect(tells('RULE-02', { law: 'LAW-cover', code: 'cover.crash' })).toBe(true);
  });
});
