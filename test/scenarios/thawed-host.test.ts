import { describe, expect, it } from 'vitest';
import { leaseArithmetic } from '../../engine/cluster/config-check.ts';
import { thawedHostStopsSlowly } from '../../scenarios/library/thawed-host-stops-slowly.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { readScenario, type Scenario } from '../../scenarios/scenario.ts';

const world = newWorld();
/** In 4, 7 and 15 the application of host a takes more than two seconds to stop. */
const SEEDS = [1, 4, 7, 15];

describe('a guest that wakes when its group has moved', () => {
  it('breaks LAW-one-holder no longer than its watchdog’s patience, by the law’s table', () => {
    const read = readScenario(thawedHostStopsSlowly);
    if (!read.ok) throw new Error('the scenario is well-formed');
    for (const seed of SEEDS) {
      const { violations } = runScenario(read.scenario, seed, {}, world);
      expect([seed, ...violations]).toEqual([seed]);
    }
  });

  it.each(['freeze-longer-than-lease', 'guest-suspended-with-its-clock'])(
    'has stopped what it ran, or is reset, when a lease that it had then and its watchdog end: %s',
    (name) => {
      const scenario = LIBRARY.find((each) => each.name === name) as Scenario;
      const { needed } = leaseArithmetic(scenario.config.timing);
      for (const seed of SEEDS) {
        const { timeline } = runScenario(scenario, seed, { timeline: true }, world);
        const woke = timeline.find(
          ({ kind, d }) => kind === 'fault.over' && d['kind'] === 'freeze',
        );
        const from = woke?.t ?? Number.NaN;
        const stopped = timeline.find(({ t, node, kind }) => {
          return node === 1 && kind === 'world.application-stopped' && t >= from;
        });
        expect([seed, (stopped?.t ?? Number.NaN) - from < needed]).toEqual([seed, true]);
      }
    },
  );

  it('is stopped as soon where its core dies and starts meanwhile, for no core pets anew', () => {
    const kills = ['18200ms', '19400ms'].map((at) => ({ at, kind: 'kill-core', target: 'a' }));
    const [freeze] = thawedHostStopsSlowly.faults;
    const text = { ...thawedHostStopsSlowly, faults: [freeze, ...kills] };
    const read = readScenario(text as typeof thawedHostStopsSlowly);
    if (!read.ok) throw new Error('the scenario is well-formed');
    for (const seed of SEEDS) {
      const { violations } = runScenario(read.scenario, seed, {}, world);
      expect([seed, ...violations]).toEqual([seed]);
    }
    const how = { canaries: new Set(['overstay-petted']) };
    expect(runScenario(read.scenario, 4, how, world).violations).not.toEqual([]);
  });

  // Nothing changes when the excuse of the table ends: the end of an overlap is judged, too.
  it.each(['thawed-host-stops-slowly', 'freeze-longer-than-lease'])(
    'is found beside its successor when a watchdog is petted on (planted): %s',
    (name) => {
      const scenario = LIBRARY.find((each) => each.name === name) as Scenario;
      const how = { canaries: new Set(['overstay-petted']) };
      const laws = SEEDS.flatMap((seed) => runScenario(scenario, seed, how, world).violations);
      expect(new Set(laws.map(({ law }) => law))).toEqual(new Set(['LAW-one-holder']));
    },
  );
});
