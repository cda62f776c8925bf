import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTimeline } from '../../../engine/timeline/codec.ts';
import {
  TIMELINE_SCHEMA,
  type TimelineEvent,
  type TimelineHeader,
} from '../../../engine/timeline/event.ts';
import { type Journal, JournalReader } from '../../../engine/timeline/journal.ts';
import { type Merged, mergedLines, mergeJournals } from '../../../engine/timeline/merge.ts';
import { swarm } from '../../support/control-swarm.ts';

/** Wall time at which the hosts’ stories begin. */
const WALL_MS = 1_790_000_000_000;

/** What really happened to three nodes under faults, in order, each event at its own moment. */
const stories = Array.from({ length: 6 }, (_, seed) => {
  return swarm(seed + 1).net.events.map((event, at) => ({ ...event, t: at * 700 }));
});
const story = fc.constantFrom(...stories);
/** How wrong each node's wall clock is, and where its monotonic clock began. */
const clock = fc.record({
  error: fc.integer({ min: -30_000, max: 30_000 }),
  mono: fc.nat(1_000_000_000),
});
const clocks = fc.tuple(clock, clock, clock);
type Clocks = readonly { readonly error: number; readonly mono: number }[];

const RIGHT: Clocks = [1, 2, 3].map(() => ({ error: 0, mono: 0 }));

function headerOf(node: number, { error, mono }: Clocks[number]): TimelineHeader {
  return {
    schema: TIMELINE_SCHEMA,
    build: '0.1.0',
    engineHash: 'dev',
    configHash: 'c',
    config: { name: 'three', node },
    clockMap: [{ node, mono, wall: WALL_MS + error }],
  };
}

/** The journals that the nodes of a story would have written. */
function split(events: readonly TimelineEvent[], wrong: Clocks): Journal[] {
  return [1, 2, 3].map((node) => {
    const host = wrong[node - 1] ?? { error: 0, mono: 0 };
    const own = events.filter((event) => event.node === node);
    const local = own.map((event) => ({ ...event, t: event.t + host.mono }));
    const segments = [{ header: headerOf(node, host), events: local }];
    return { name: `${node}/timeline.jsonl`, segments, damaged: 0 };
  });
}

const ids = ({ events }: Merged): readonly string[] => events.map(({ event }) => event.id);

/** What is wrong with an order: nothing may be. */
function breaches(order: readonly TimelineEvent[], truth: readonly TimelineEvent[]): string[] {
  const at = new Map(order.map(({ id }, place) => [id, place]));
  const found: string[] = [];
  if (order.length !== truth.length || at.size !== truth.length) found.push('not the same events');
  for (const { id, cause, reads } of order) {
    for (const before of [cause ?? '', ...(reads ?? [])]) {
      if ((at.get(before) ?? -1) > (at.get(id) ?? -1)) found.push(`${id} before ${before}`);
    }
  }
  for (const node of [1, 2, 3]) {
    const own = (events: readonly TimelineEvent[]) =>
      events.filter((event) => event.node === node).map(({ id }) => id);
    if (own(order).join() !== own(truth).join()) found.push(`the order of node ${node}`);
  }
  return found;
}

describe('a merge of journals', () => {
  it('gives back what happened, event for event, where the clocks are right', () => {
    for (const events of stories) {
      const merged = mergeJournals(split(events, RIGHT));
      expect(ids(merged)).toEqual(events.map(({ id }) => id));
      expect(merged.events.map(({ time }) => time)).toEqual(
        events.map(({ t }) => WALL_MS * 1000 + t),
      );
      expect(merged.header.merge?.clocks.every(({ shift }) => shift === 0)).toBe(true);
    }
  });

  it('puts causes and facts before effects and keeps each node’s order under any clocks', () => {
    const run = fc.property(story, clocks, (events, wrong) => {
      const merged = mergeJournals(split(events, wrong));
      const order = merged.events.map(({ event }) => event);
      expect(breaches(order, events)).toEqual([]);
      expect(merged.header.merge?.disordered).toBe(0);
    });
    fc.assert(run, { numRuns: 40 });
  });

  it('does more than a sort by clocks: that one these checks do not let pass', () => {
    const wrong = [0, 5_000, -5_000].map((error) => ({ error, mono: 0 }));
    for (const events of stories) {
      const naive = [...events].sort((a, b) => {
        const [one, other] = [wrong[a.node - 1]?.error ?? 0, wrong[b.node - 1]?.error ?? 0];
        return a.t + one * 1000 - (b.t + other * 1000);
      });
      expect(breaches(naive, events).length).toBeGreaterThan(0);
    }
  });

  it('brings wrong clocks so near that only unrelated events can change places', () => {
    const run = fc.property(story, clocks, (events, wrong) => {
      const merged = mergeJournals(split(events, wrong));
      const bounds = merged.header.merge?.clocks ?? [];
      for (const { shift, least, most, sound } of bounds) {
        expect(sound).toBe(true);
        if (least !== null) expect(shift).toBeGreaterThanOrEqual(least);
        if (most !== null) expect(shift).toBeLessThanOrEqual(most);
      }
      // On the shifted clocks no effect is earlier than its cause either.
      const times = new Map(merged.events.map(({ event, time }) => [event.id, time ?? 0]));
      for (const { event, time } of merged.events) {
        const since = times.get(event.cause ?? '');
        if (since !== undefined) expect(time ?? 0).toBeGreaterThanOrEqual(since);
      }
    });
    fc.assert(run, { numRuns: 20 });
  });

  it('does not depend on the order in which journals are handed in', () => {
    const run = fc.property(story, clocks, fc.nat(5), (events, wrong, turn) => {
      const journals = split(events, wrong);
      const turned = [0, 1, 2].map((at) => journals[(at + turn) % 3] as Journal);
      if (turn > 2) turned.reverse();
      expect(mergeJournals(turned)).toEqual(mergeJournals(journals));
    });
    fc.assert(run, { numRuns: 15 });
  });

  it('is read back from its own lines as it was made, and merging it again changes nothing', () => {
    const run = fc.property(story, clocks, (events, wrong) => {
      const merged = mergeJournals(split(events, wrong));
      const text = [...mergedLines(merged)].join('');
      const { header, events: read, faults } = decodeTimeline(text);
      expect(faults).toEqual([]);
      expect(header?.merge).toEqual(merged.header.merge);
      expect(read).toEqual(merged.events.map(({ event }) => event));
      const reader = new JournalReader('merged');
      reader.push(text);
      reader.endFile();
      const again = mergeJournals([reader.journal]);
      expect(ids(again)).toEqual(ids(merged));
      expect(again.header.merge?.clocks.every(({ shift }) => shift === 0)).toBe(true);
      for (const [at, { time }] of again.events.entries()) {
        expect(Math.abs((time ?? 0) - (merged.events[at]?.time ?? 0))).toBeLessThan(1);
      }
    });
    fc.assert(run, { numRuns: 15 });
  });

  it('orders what is left when a node’s journal is lost, and names the one that is missing', () => {
    const run = fc.property(story, clocks, fc.nat(2), (events, wrong, lost) => {
      const journals = split(events, wrong).filter((_, at) => at !== lost);
      const expected = [1, 2, 3].map((node) => ({ node, name: `${node}/timeline.jsonl` }));
      const merged = mergeJournals(journals, expected);
      const left = events.filter(({ node }) => node !== lost + 1);
      const order = merged.events.map(({ event }) => event);
      expect(breaches(order, left)).toEqual([]);
      expect(merged.header.merge?.missing).toEqual([expected[lost]]);
    });
    fc.assert(run, { numRuns: 15 });
  });

  it('knows from the configuration which journals are missing when nobody says it', () => {
    const [, second] = split(stories[0] ?? [], RIGHT);
    const nodes = [null, { id: 1, name: 'a' }, { id: 2, name: 'b' }, { id: 3 }];
    const segments = (second?.segments ?? []).map(({ header, events }) => {
      return { header: header === null ? null : { ...header, config: { nodes } }, events };
    });
    const merged = mergeJournals([{ name: 'b', segments, damaged: 0 }]);
    expect(merged.header.merge?.missing).toEqual([
      { node: 1, name: 'a' },
      { node: 3, name: '3' },
    ]);
  });

  it('takes an event once that stands in two journals', () => {
    const [events = []] = stories;
    const journals = split(events, RIGHT);
    const copy = { ...(journals[1] as Journal), name: 'copy' };
    const merged = mergeJournals([...journals, copy]);
    expect(ids(merged)).toEqual(events.map(({ id }) => id));
    const own = events.filter(({ node }) => node === 2).length;
    expect(merged.header.merge).toMatchObject({ duplicates: own, renamed: 0 });
  });

  it('shows both of two events with one id, and each effect after its own journal’s cause', () => {
    const header = headerOf(1, { error: 0, mono: 0 });
    const journal = (name: string, t: number, kind: string): Journal => {
      const first = { id: '1.1.c1', t, node: 1, kind, d: {} };
      const second = { id: `1.1.c2${name}`, t: t + 1, node: 1, kind, cause: '1.1.c1', d: {} };
      return { name, segments: [{ header, events: [first, second] }], damaged: 0 };
    };
    const merged = mergeJournals([journal('x', 1000, 'one'), journal('y', 10, 'two')]);
    expect(ids(merged)).toEqual(['1.1.c1~2', '1.1.c2y', '1.1.c1', '1.1.c2x']);
    expect(merged.header.merge).toMatchObject({ duplicates: 0, renamed: 1, disordered: 0 });
  });

  it('comes to an end where causes form a circle, and counts it', () => {
    const journals = [1, 2].map((node) => {
      const header = headerOf(node, { error: 0, mono: 0 });
      const event = { id: `${node}.1.c1`, t: 1, node, kind: 'x', cause: `${3 - node}.1.c1`, d: {} };
      return { name: String(node), segments: [{ header, events: [event] }], damaged: 0 };
    });
    const merged = mergeJournals(journals);
    expect(merged.events.length).toBe(2);
    expect(merged.header.merge?.disordered).toBe(1);
  });

  it('keeps apart the clocks of two lives of a host, and joins those of its processes', () => {
    const at = (mono: number, wall: number) => ({
      ...headerOf(1, { error: 0, mono }),
      clockMap: [{ node: 1, mono, wall: WALL_MS + wall }],
    });
    const event = (id: string, t: number) => ({ id, t, node: 1, kind: 'x', d: {} });
    const core: Journal = {
      name: 'core',
      segments: [
        { header: at(5_000_000, 0), events: [event('1.1.c1', 5_000_100)] },
        { header: at(1_000_000, 60_000), events: [event('1.2.c1', 1_000_100)] },
      ],
      damaged: 0,
    };
    const monitor: Journal = {
      name: 'monitor',
      segments: [{ header: at(4_999_000, 0), events: [event('1.hx.1', 5_000_050)] }],
      damaged: 0,
    };
    const merged = mergeJournals([core, monitor]);
    expect(ids(merged)).toEqual(['1.1.c1', '1.hx.1', '1.2.c1']);
    expect(merged.header.merge?.clocks.length).toBe(2);
  });
});
