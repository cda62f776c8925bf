/**
 * The law of causes over whole runs: "why did it fail over?" is a walk backwards, and the walk ends
 * nowhere but with an event of a kind that the engine's catalogues call a beginning.
 */
import { describe, expect, it } from 'vitest';
import { CLUSTER_BEGINS, CLUSTER_EVENTS } from '../../engine/cluster/events.ts';
import { MIRROR_BEGINS, MIRROR_EVENTS } from '../../engine/mirror/catalogue.ts';
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { runScenario } from '../../scenarios/run.ts';
import {
  beginsBy,
  breachesIn,
  causeRuns,
  libraryTimelines,
  timelinesOf,
} from '../support/causes.ts';

/** Kinds that no simulated process round the engine tells of: those have tests of their own. */
const UNMET = ['mirror.spill.on', 'mirror.spill.off'];
const RUNS = process.env['UNDERSTUDY_CI'] === '1' ? 24 : 3;

/** Kinds of which an event without a cause was met. */
const begun = new Set<string>();

function note(timeline: readonly TimelineEvent[]): void {
  for (const { kind, cause } of timeline) if (cause === undefined) begun.add(kind);
}

describe('every event that may not begin a chain names one that stands before it', () => {
  for (const runs of causeRuns()) {
    it(`in ${runs.name}`, { timeout: 300_000 }, () => {
      const found: string[] = [];
      let events = 0;
      for (const { seed, timeline } of timelinesOf(runs, 20_031, RUNS)) {
        note(timeline);
        events += timeline.length;
        for (const breach of breachesIn(timeline)) found.push(`${seed}: ${breach}`);
      }
      expect(found).toEqual([]);
      expect(events).toBeGreaterThan(100 * RUNS);
    });
  }

  it('in every scenario of the library', { timeout: 300_000 }, () => {
    const found: string[] = [];
    for (const { name, timeline } of libraryTimelines()) {
      note(timeline);
      for (const breach of breachesIn(timeline)) found.push(`${name}: ${breach}`);
    }
    expect(found).toEqual([]);
  });

  it('and what may begin one does, in some of these runs', () => {
    const may = [...Object.keys(CLUSTER_BEGINS), ...Object.keys(MIRROR_BEGINS)];
    expect(may.filter((kind) => !begun.has(kind))).toEqual(UNMET);
  });
});

describe('what looks for breaches', () => {
  const scenario = LIBRARY.find(({ name }) => name === 'primary-power-loss');
  if (scenario === undefined) throw new Error('the library has lost a scenario');
  const { timeline } = runScenario(scenario, scenario.seed, { timeline: true });

  it('finds a cause that was cut off, whichever it is', () => {
    let cut = 0;
    for (const [at, event] of timeline.entries()) {
      if (event.cause === undefined || beginsBy(event.kind) !== undefined) continue;
      const { cause: _, ...bare } = event;
      const found = breachesIn([...timeline.slice(0, at), bare, ...timeline.slice(at + 1)]);
      expect(found).toEqual([`${event.kind} ${event.id} has no cause`]);
      cut += 1;
    }
    expect(cut).toBeGreaterThan(100);
  });

  it('finds a cause that never was, or comes later', () => {
    const last = timeline.findLast(({ cause }) => cause !== undefined) as TimelineEvent;
    const at = timeline.indexOf(last);
    const with_ = (cause: string) => [...timeline.slice(0, at), { ...last, cause }];
    expect(breachesIn(with_('9.9.c9'))).toEqual([
      `${last.kind} ${last.id} is before its cause 9.9.c9`,
    ]);
    expect(breachesIn(with_(last.id))).toEqual([
      `${last.kind} ${last.id} is before its cause ${last.id}`,
    ]);
  });
});

describe('the list of what may begin a chain', () => {
  it('names kinds that there are, each with its reason', () => {
    for (const [kind, why] of Object.entries({ ...CLUSTER_BEGINS, ...MIRROR_BEGINS })) {
      expect(Object.hasOwn({ ...CLUSTER_EVENTS, ...MIRROR_EVENTS }, kind)).toBe(true);
      expect(why).toMatch(/^[A-Z].{20,}\.$/s);
    }
  });
});
