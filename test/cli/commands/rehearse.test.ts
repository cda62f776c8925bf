import { describe, expect, it } from 'vitest';
import { exitOf, phasesOf } from '../../../cli/commands/rehearse.ts';
import { EXIT_BROKEN, EXIT_NOT_EXERCISED, EXIT_OK } from '../../../cli/failure.ts';
import { jobsOf } from '../../../cli/rehearse/pool.ts';
import type { Rehearsal } from '../../../cli/rehearse/rehearsal.ts';
import { formatReport } from '../../../cli/rehearse/report.ts';
import { mergeCampaigns } from '../../../scenarios/campaign.ts';
import { COMPLETE_RUNS, DECLARED, notExercised } from '../../../scenarios/coverage.ts';
import { DEMO_CONFIG } from '../../../scenarios/demo.ts';
import type { Scenario } from '../../../scenarios/scenario.ts';

/** A rehearsal of a swarm that met everything declared, when more marks than that are asked for. */
function rehearsal(runs: number, planted: readonly string[], broken: boolean): Rehearsal {
  const scenario = { name: 's', faults: [] } as unknown as Scenario;
  const finding = { law: 'LAW-cover', t: 0, node: 1, code: 'cover.crash', d: {} } as const;
  const violation = { law: 'LAW-cover', seed: 7, scenario, schedule: 'no faults' } as const;
  const campaign = {
    ...mergeCampaigns([]),
    runs,
    faultsFired: Object.fromEntries(DECLARED.faults.map((kind) => [kind, 1])),
    statesReached: Object.fromEntries(DECLARED.marks.map((mark) => [mark, 1])),
    violations: broken ? [{ ...violation, finding: { ...finding, broken: true } }] : [],
  };
  const declared = { ...DECLARED, marks: [...DECLARED.marks, ...planted] };
  return {
    campaign,
    notExercised: notExercised(campaign, runs, declared),
    traceHash: '0',
    rows: [],
    worst: { phase: { mode: 'swarm', seed: 1, runs }, seed: 1 },
    cpuSeconds: 1,
  };
}

const dead = ['mirror.dead-branch'];

describe('a rehearsal', () => {
  it('of a scenario keeps its own configuration, unless another one is given', () => {
    const mine = { ...DEMO_CONFIG };
    const own = (name: string, given: boolean) => {
      const [phase] = phasesOf(mine, { scenario: name }, 1, given);
      return phase?.scenario?.config;
    };
    expect(own('promoted-by-accepted-loss', false)?.volumes[0]?.replicas[1]?.mode).toBe('async');
    expect(own('promoted-by-accepted-loss', true)).toBe(mine);
    expect(own('one-way-cut', false)).toBe(mine);
  });

  it('ends well only when no law broke and a complete swarm met everything declared', () => {
    expect(exitOf(rehearsal(COMPLETE_RUNS, [], false))).toBe(EXIT_OK);
    expect(exitOf(rehearsal(COMPLETE_RUNS, dead, false))).toBe(EXIT_NOT_EXERCISED);
    expect(exitOf(rehearsal(COMPLETE_RUNS - 1, dead, false))).toBe(EXIT_OK);
    expect(exitOf(rehearsal(COMPLETE_RUNS, dead, true))).toBe(EXIT_BROKEN);
    expect(exitOf({ ...rehearsal(COMPLETE_RUNS, dead, false), notExercised: null })).toBe(EXIT_OK);
  });

  it('names in its report what no run met, however short it was', () => {
    const context = { config: DEMO_CONFIG, replays: [] };
    expect(formatReport(rehearsal(5, dead, false), context)).toContain('mirror.dead-branch');
    expect(formatReport(rehearsal(5, [], false), context)).not.toContain('dead-branch');
  });

  it('runs every single fault and a swarm when nothing else is asked for', () => {
    const modes = phasesOf(DEMO_CONFIG, {}, 1).map(({ mode }) => mode);
    expect(modes).toEqual(['single', 'swarm']);
  });

  it('uses as many threads as it is told to, and refuses a number that is none', () => {
    expect(jobsOf('1')).toBe(1);
    expect(jobsOf(undefined)).toBeGreaterThan(0);
    for (const text of ['0', '-1', '1.5', 'all']) {
      expect(() => jobsOf(text)).toThrow(`--jobs ${text} is no such number`);
    }
  });
});
