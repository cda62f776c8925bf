import { describe, expect, it } from 'vitest';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { readScenario, type Scenario, writeScenario } from '../../scenarios/scenario.ts';
import { stepOf, stepsOf } from '../../scenarios/sweep.ts';

const plain = { name: 'n', title: 't', about: 'a', duration: '40s' };
const cut = { at: '5s', kind: 'cut', for: '1s' };
const crash = { at: '5s', kind: 'kill-core', when: 'message', nth: 3 };

function read(text: object): Scenario {
  const found = readScenario({ ...plain, ...text });
  if (!found.ok) throw new Error(`${found.problems[0]?.place} ${found.problems[0]?.reason}`);
  return found.scenario;
}

describe('a sweep', () => {
  it('moves its own faults a little further each time, and no others', () => {
    const sweep = { faults: [1], moves: 'at', by: '100us', steps: 4 };
    const steps = stepsOf(read({ faults: [cut, cut], sweep }));
    expect(steps.map(({ faults }) => faults.map(({ at }) => at))).toEqual([
      [5_000_000, 5_000_000],
      [5_000_000, 5_000_100],
      [5_000_000, 5_000_200],
      [5_000_000, 5_000_300],
    ]);
  });

  it('moves a length, a count, or the distance from a moment', () => {
    const moved = (moves: string, by?: string) => {
      const sweep = { faults: [0], moves, steps: 3, ...(by === undefined ? {} : { by }) };
      return stepsOf(read({ faults: [{ ...cut, when: 'resync' }], sweep })).map(
        ({ faults }) => faults[0],
      );
    };
    expect(moved('for', '2ms').map((fault) => fault?.for)).toEqual([
      1_000_000, 1_002_000, 1_004_000,
    ]);
    expect(moved('nth').map((fault) => fault?.nth)).toEqual([1, 2, 3]);
    expect(moved('after', '1ms').map((fault) => fault?.after)).toEqual([0, 1_000, 2_000]);
  });

  it('is gone through seed by seed by a campaign, whose scenarios are none themselves', () => {
    const sweep = { faults: [0], moves: 'at', by: '1ms', steps: 5 };
    const scenario = read({ faults: [cut], sweep });
    const { config } = scenario;
    const shard = { config, mode: 'none', seed: 0, runs: 5, scenario } as const;
    const seeds = [0, 1, 2, 3, 4, 5, 0xffffffff];
    const made = seeds.map((seed) => campaignScenario(shard, seed));
    expect(made.map(({ faults }) => faults[0]?.at)).toEqual(
      seeds.map((seed) => 5_000_000 + (seed % 5) * 1_000),
    );
    // What fails is saved and run again with its seed: it must not move once more.
    for (const each of made) expect(stepOf(each, each.seed)).toEqual(each);
  });

  it('is one step where there is none', () => {
    const scenario = read({ faults: [cut] });
    expect(stepsOf(scenario)).toEqual([scenario]);
  });

  it('reads the same as it was written', () => {
    for (const moves of ['at', 'nth']) {
      const by = moves === 'nth' ? {} : { by: '250us' };
      const sweep = { faults: [0, 1], moves, ...by, steps: 30 };
      const scenario = read({ faults: [cut, { ...crash, after: '2ms' }], sweep, history: 7 });
      expect(readScenario(writeScenario(scenario))).toEqual({ ok: true, scenario });
    }
  });

  it.each([
    ['of faults that are not there', { faults: [2], moves: 'nth', steps: 3 }, 'sweep.faults'],
    ['of nothing', { faults: [], moves: 'nth', steps: 3 }, 'sweep.faults'],
    ['of no field', { faults: [0], moves: 'ppm', steps: 3 }, 'sweep.moves'],
    ['without a distance', { faults: [0], moves: 'at', steps: 3 }, 'sweep.by'],
    ['that is a campaign', { faults: [0], moves: 'nth', steps: 9_999 }, 'sweep.steps'],
  ])('%s is refused with its place', (_, sweep, place) => {
    const found = readScenario({ ...plain, faults: [cut], sweep });
    expect(found.ok ? [] : found.problems.map((problem) => problem.place)).toContain(place);
  });
});

describe('a fault that aims', () => {
  const world = newWorld();
  /** World times of what happened, by kind. */
  const timesOf = (scenario: Scenario, ...kinds: readonly string[]) =>
    runScenario(scenario, 1, { timeline: true }, world)
      .timeline.filter(({ kind }) => kinds.includes(kind))
      .map(({ kind, t }) => [kind, t] as const);

  it('strikes exactly so long after its moment', () => {
    const away = { at: '5s', kind: 'power-off', target: 'secondary', for: '2s' };
    const late = { at: '5s', kind: 'kill-core', when: 'handshake', after: '700us' };
    const times = timesOf(read({ faults: [away, late] }), 'mirror.handshake', 'fault.kill-core');
    const at = times.findIndex(([kind]) => kind === 'fault.kill-core');
    expect((times[at]?.[1] ?? 0) - (times[at - 1]?.[1] ?? 0)).toBe(700);
  });

  it('lets the n-th write of metadata fail, and no other', () => {
    const nth = (n: number) => {
      const faults = [
        {
          at: '5s',
          kind: 'write-error',
          area: 'metadata',
          for: '1us',
          when: 'meta-write',
          after: '0us',
          nth: n,
        },
      ];
      const run = runScenario(read({ faults }), 1, { timeline: true }, world);
      const failed = run.timeline.filter(({ kind }) => kind === 'world.disk-failed');
      return [run.faultsFired['write-error'], failed.length, failed[0]?.t ?? 0] as const;
    };
    const [first, second] = [nth(1), nth(2)];
    expect([first[0], first[1], second[0], second[1]]).toEqual([1, 1, 1, 1]);
    expect(second[2]).toBeGreaterThan(first[2]);
  });

  it('waits for what its own target does', () => {
    const away = { at: '5s', kind: 'cut', target: 'a', peer: 'b', links: 'replication', for: '2s' };
    const sent = (target: string) =>
      timesOf(read({ faults: [away, { ...crash, target }] }), 'fault.kill-core').length;
    expect([sent('a'), sent('b'), sent('w')]).toEqual([1, 1, 0]);
  });
});
