import { describe, expect, it } from 'vitest';
import { Event } from '../../../engine/data/abi.ts';
import { MIRROR_EVENTS, MIRROR_MARKS } from '../../../engine/mirror/catalogue.ts';
import type { TimelineEvent } from '../../../engine/timeline/event.ts';
import type { Pair } from '../../support/mirror-pair.ts';
import { started, swarmRun } from '../../support/mirror-swarm.ts';

/** Seeds that once failed, with their story, and a few more. */
const SEEDS = [
  2, // a torn write of a dead host must not be judged as a whole
  15, // a hello that came before the attach was lost: the link never shook hands
  17, // a record during a demotion left the primary a secondary of itself
  ...Array.from({ length: 17 }, (_, i) => 100 + i),
];

describe('a pair of data actors', () => {
  it('keeps every law under random faults, and heals', () => {
    for (const seed of SEEDS) {
      const pair = swarmRun(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      expect(pair.completed).toBeGreaterThan(300);
    }
  });

  it('decides the same from the same seed', () => {
    const [a, b] = [swarmRun(7), swarmRun(7)];
    expect(a.log).toEqual(b.log);
    expect([a.steps, a.completed, a.reads]).toEqual([b.steps, b.completed, b.reads]);
  });

  it('names its events and rare branches in the catalogue', () => {
    const pair = started(1);
    pair.verbose = true;
    pair.cut();
    pair.runFor(500_000);
    pair.heal();
    pair.runFor(1_500_000);
    pair.powerOff(1);
    pair.runFor(1_000_000);
    pair.powerOn(1);
    pair.settle();
    const events = eventsOf(pair);
    for (const event of events) expect(Object.keys(event.d)).toEqual(MIRROR_EVENTS[event.kind]);
    expect(events.length).toBeGreaterThan(30);
    for (const mark of [...pair.marks, ...swarmRun(3).marks]) expect(MIRROR_MARKS).toContain(mark);
  });

  it('names the failure of its disk as the cause of what it then says, to control too', () => {
    const pair = started(3);
    pair.verbose = true;
    pair.runFor(200_000);
    pair.hosts[0].broken = true;
    pair.runFor(900_000);
    const failure = eventsOf(pair).find(({ kind }) => kind === 'mirror.disk.failed');
    const stated = eventsOf(pair).find(({ kind, d }) => {
      return kind === 'mirror.disk' && d['disk'] === 'Failed';
    });
    expect(failure).toBeDefined();
    expect(stated?.cause).toBe(failure?.id);
    const told = pair.log.find(
      (line) => line.includes('"kind":"state"') && line.includes('Failed'),
    );
    expect(told).toContain(`"failure":"${failure?.id}"`);
  });

  it('refuses an event that its interface does not have', () => {
    const pair = started(1);
    const host = pair.hosts[0];
    host.memory.events.put(0, 99, 0, 0, 0, 0, 0, 0);
    expect(() => host.actor?.step(1, pair.now)).toThrow('a backend knows the events');
    expect(Event.Control).toBe(19);
  });
});

/** What a pair that writes everything down put on the timeline. */
function eventsOf(pair: Pair): readonly TimelineEvent[] {
  return pair.log
    .filter((line) => line.includes('"kind":"event"'))
    .map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as { event: TimelineEvent }).event);
}
