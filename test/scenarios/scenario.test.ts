import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { scheduleOf } from '../../scenarios/generate.ts';
import { readScenario, type Scenario, writeScenario } from '../../scenarios/scenario.ts';
import { readTime, sayTime, writeTime } from '../../scenarios/time.ts';

const plain = { name: 'n', title: 't', about: 'a', faults: [] };

function scenarioOf(faults: Scenario['faults']): Scenario {
  const read = readScenario(plain);
  if (!read.ok) throw new Error('the plain scenario is well-formed');
  return { ...read.scenario, faults };
}

describe('a scenario', () => {
  it('reads the same as it was written, through JSON', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const scenario = scenarioOf(scheduleOf(seed, DEMO_CONFIG));
        const read = readScenario(JSON.parse(JSON.stringify(writeScenario(scenario))));
        expect(read).toEqual({ ok: true, scenario });
      }),
      { numRuns: 300 },
    );
  });

  it('is read in the words that an operator writes', () => {
    const fault = { at: '2.9s', kind: 'power-off', target: 'a', for: '5s', cache: 'none' };
    const read = readScenario({ ...plain, faults: [fault], workload: { iops: 200 } });
    if (!read.ok) throw new Error(read.problems[0]?.reason);
    const [first] = read.scenario.faults;
    expect(first?.at).toBe(2_900_000);
    expect(first?.for).toBe(5_000_000);
    expect(first?.target).toBe(1);
    expect(read.scenario.workload.iops).toBe(200);
  });

  const wrong: readonly (readonly [string, unknown, string])[] = [
    ['no object', 7, ''],
    ['an unknown field', { ...plain, colour: 1 }, 'colour'],
    ['no faults', { name: 'n' }, 'faults'],
    ['an unknown kind', { ...plain, faults: [{ at: '3s', kind: 'flood' }] }, 'faults[0].kind'],
    ['no kind', { ...plain, faults: [{ at: '3s' }] }, 'faults[0].kind'],
    [
      'an unknown node',
      { ...plain, faults: [{ at: '3s', kind: 'cut', target: 'z' }] },
      'faults[0].target',
    ],
    ['a time without unit', { ...plain, faults: [{ at: '3', kind: 'cut' }] }, 'faults[0].at'],
    [
      'a fault in the healed part',
      { ...plain, faults: [{ at: '50s', kind: 'cut' }] },
      'faults[0].at',
    ],
    ['too short a run', { ...plain, duration: '10s' }, 'duration'],
    ['a broken seed', { ...plain, seed: 1.5 }, 'seed'],
    ['an unknown law', { ...plain, laws: ['LAW-of-nature'] }, 'laws'],
    ['too many I/Os', { ...plain, workload: { iops: 1e9 } }, 'workload.iops'],
  ];
  for (const [what, data, place] of wrong) {
    it(`with ${what} is refused with place, reason and remedy`, () => {
      const read = readScenario(data);
      expect(read.ok).toBe(false);
      if (read.ok) return;
      expect(read.problems.map((problem) => problem.place)).toContain(place);
      for (const { reason, remedy } of read.problems) {
        expect(reason.length).toBeGreaterThan(5);
        expect(remedy.length).toBeGreaterThan(5);
      }
    });
  }
});

describe('a time', () => {
  it('reads the same as it was written', () => {
    fc.assert(
      fc.property(fc.nat(3_600_000_000), (micros) => {
        expect(readTime(writeTime(micros))).toBe(micros);
      }),
    );
  });

  it('is said as a person would', () => {
    expect([sayTime(100_000), sayTime(2_900_000), sayTime(350), sayTime(0)]).toEqual([
      '100 ms',
      '2.9 s',
      '350 µs',
      '0 ms',
    ]);
    expect([readTime('2 min'), readTime('1.5ms'), readTime('-1s'), readTime(3)]).toEqual([
      120_000_000,
      1_500,
      null,
      null,
    ]);
  });
});
