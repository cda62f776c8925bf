/** Real clusters: what became of a host must be concluded from what the others wrote. */
import { describe, expect, it } from 'vitest';
import { TimelineReader } from '../../../engine/timeline/codec.ts';
import type { Journal } from '../../../engine/timeline/journal.ts';
import { mergedLines, mergeJournals } from '../../../engine/timeline/merge.ts';
import { Run } from '../../../viewer/src/model/run.ts';
import { lastWords, outage, takeOver, walkBack } from '../../../viewer/src/model/why.ts';
import { Session } from '../../../viewer/src/session.ts';
import { STORY_WALL, sampleJournals } from '../../support/sample-journals.ts';
import { sampleText } from '../../support/sample-timeline.ts';

function open(journals: readonly Journal[]): Run {
  const run = new Run();
  const reader = new TimelineReader(run);
  for (const line of mergedLines(mergeJournals(journals))) reader.push(line);
  reader.end();
  return run;
}

/** Where a second of the story stands on the axis. */
const second = (run: Run, seconds: number): number => {
  return (STORY_WALL - run.axis.origin) * 1000 + seconds * 1_000_000;
};

const told = (kind: string, t: number) => ({ id: `1.hx.${t}`, t, node: 1, kind, d: {} });

describe('a dead host on a real cluster', () => {
  const run = open(sampleJournals({ dead: true }));

  it('is silent from the moment it is missed, although it never wrote so', () => {
    const state = (seconds: number) => run.tracks.at('state', 1, '', second(run, seconds));
    expect([state(9), state(10), state(25)]).toEqual(['up', 'silent', 'silent']);
  });

  it('holds no lease and serves nothing once a take-over proved it', () => {
    for (const bare of [false, true]) {
      const cluster = open(sampleJournals({ dead: true, bare }));
      const at = (attribute: 'lease' | 'serving', seconds: number) => {
        const [node, object] = attribute === 'lease' ? [1, ''] : [0, 'mail'];
        return cluster.tracks.at(attribute, node, object, second(cluster, seconds));
      };
      expect([at('lease', 5), at('lease', 13)]).toEqual(['held', 'lapsed']);
      expect(at('serving', 5)).toBe('1');
      expect(at('serving', 15)).toBe('2');
    }
  });

  it('is no leader and no primary any more, as far as anybody knows', () => {
    const role = (seconds: number) => run.tracks.at('role', 1, 'r0', second(run, seconds));
    const rank = (seconds: number) => run.tracks.at('rank', 1, '', second(run, seconds));
    expect([role(5), role(15), rank(5), rank(15)]).toEqual(['Primary', '', 'leader', '']);
    // One that lived on says itself what it is.
    const alive = open(sampleJournals());
    expect(alive.tracks.at('role', 1, 'r0', second(alive, 15))).toBe('Suspended');
  });

  it('is explained by the last that its own journal holds', () => {
    const walk = walkBack(run, takeOver(run, run.end));
    const words = lastWords(run, walk.steps.at(-1)!);
    expect(words?.node).toBe(1);
    expect(run.at(words!.last).node).toBe(1);
    expect(words?.next).toBe(-1);
  });

  it('is explained by its monitor, when that saw the core end', () => {
    const seen = open(sampleJournals({ dead: true, told: [told('host.core-ended', 8_100_000)] }));
    const walk = walkBack(seen, takeOver(seen, seen.end));
    const words = lastWords(seen, walk.steps.at(-1)!);
    expect(seen.kind(words!.last)).toBe('host.core-ended');
    const late = open(sampleJournals({ dead: true, told: [told('host.core-lost', 10_000_000)] }));
    const missed = walkBack(late, takeOver(late, late.end)).steps.at(-1)!;
    const { told: found } = lastWords(late, missed)!;
    expect(found.map((ref) => late.kind(ref))).toEqual(['host.core-lost']);
    expect(late.tracks.at('state', 1, '', late.end)).toBe('stopped');
  });

  it('is not explained by a journal that is not there', () => {
    const without = open(sampleJournals({ dead: true }).slice(1));
    const missed = walkBack(without, takeOver(without, without.end)).steps.at(-1)!;
    expect(lastWords(without, missed)).toMatchObject({ node: 1, last: -1, next: -1, told: [] });
    expect(without.heading?.merge?.missing).toEqual([{ node: 1, name: 'a' }]);
  });
});

describe('a host that was cut off and lived', () => {
  it('is silent only until it writes again', () => {
    const run = open(sampleJournals());
    expect(run.tracks.at('state', 1, '', second(run, 12))).toBe('up');
    const missed = walkBack(run, takeOver(run, run.end)).steps.at(-1)!;
    const { next, told: found } = lastWords(run, missed)!;
    expect(next).toBeGreaterThan(missed);
    expect(found.map((ref) => run.kind(ref))).toContain('lease.lapsed');
  });
});

describe('a simulated world', () => {
  it('says itself what became of a host: nothing is concluded', () => {
    const run = new Run();
    const reader = new TimelineReader(run);
    reader.push(sampleText());
    reader.end();
    expect(run.tracks.at('state', 1, '', 10_000_000)).toBe('up');
    const walk = walkBack(run, takeOver(run, run.end));
    expect(lastWords(run, walk.steps.at(-1)!)).toBeNull();
  });
});

describe('an outage', () => {
  const [journal] = sampleJournals({ dead: true });
  const blocked = {
    id: '3.1.c900000',
    t: 12_000_000,
    node: 3,
    kind: 'group.blocked',
    d: { group: 'mail', reason: 'not-in-sync', remedy: 'bring-member-back' },
  };

  /** The owner says that it lost its lease, and nobody takes over. */
  function down(more: readonly (typeof blocked)[]): Run {
    const { header } = journal!.segments[0]!;
    const events = sampleJournals()[0]!.segments[0]!.events.filter(({ t }) => t < 11_000_000);
    return open([
      { name: 'all', segments: [{ header, events: [...events, ...more] }], damaged: 0 },
    ]);
  }

  it('is explained by what ended the service, else by the decision that blocked the group', () => {
    const ended = down([]);
    expect(ended.kind(outage(ended))).toBe('lease.lapsed');
    const late = { ...blocked, d: { ...blocked.d, group: 'other' } };
    const end = { ...blocked, id: '3.1.c900001', t: 13_000_000, kind: 'link.up', d: blocked.d };
    expect(down([late, end]).kind(outage(down([late, end])))).toBe('lease.lapsed');
    const told = down([blocked, end]);
    expect(told.kind(outage(told))).toBe('group.blocked');
  });

  it('is what is asked about when nothing failed over', () => {
    const session = new Session();
    expect(session.question).toBe('none');
    session.run = down([blocked, { ...blocked, id: '3.1.c900001', t: 13_000_000 }]);
    expect(session.question).toBe('outage');
    session.why();
    expect(session.run.kind(session.selected)).toBe('group.blocked');
    session.run = open(sampleJournals());
    expect(session.question).toBe('failover');
  });
});
