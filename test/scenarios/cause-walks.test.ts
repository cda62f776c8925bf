/** "Why did it fail over?", and why is the replica whole again: walks backwards over causes. */
import { describe, expect, it } from 'vitest';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { walkFrom } from '../support/causes.ts';

const S = 1_000_000;
const AT = 9 * S;
const world = newWorld();

/** What becomes of the primary on host a, at {@link AT}. */
function timelineOf(
  fault: Partial<Fault> & Pick<Fault, 'kind'>,
  seed: number,
): readonly TimelineEvent[] {
  const base = campaignScenario({ config: DEMO_CONFIG, mode: 'none', seed, runs: 1 }, seed);
  const faults = [{ ...PLAIN_FAULT, at: AT, target: 1, ...fault }];
  const run = runScenario({ ...base, faults }, seed, { timeline: true }, world);
  expect(run.violations).toEqual([]);
  return run.timeline;
}

/** The first event of a kind after the fault; `such` says which. */
function firstOf(
  timeline: readonly TimelineEvent[],
  kind: string,
  such: (event: TimelineEvent) => boolean = () => true,
): TimelineEvent {
  const found = timeline.find((each) => each.kind === kind && each.t >= AT && such(each));
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

const kindsOf = (walk: readonly TimelineEvent[]): string[] => walk.map(({ kind }) => kind);

const TAKE_OVER = ['data.active', 'mirror.active', 'mirror.record', 'volume.record'];

describe('a walk from the group’s being online again', () => {
  for (const [name, fault] of [
    ['a loss of power', { kind: 'power-off', cache: 'random', for: 10 * S }],
    ['a split network', { kind: 'cut', for: 12 * S }],
    ['a cut one way', { kind: 'cut', ways: 'out', for: 14 * S }],
  ] as const) {
    it(`reaches the silence after ${name}, and the word that the lease has run out`, () => {
      for (let seed = 1; seed <= 6; seed += 1) {
        const timeline = timelineOf(fault, seed);
        const walk = walkFrom(firstOf(timeline, 'group.online'), timeline);
        const kinds = kindsOf(walk);
        expect(kinds).toEqual(expect.arrayContaining(TAKE_OVER));
        expect(kinds.slice(-3)).toEqual(['group.takeover', 'peer.suspect', 'link.down']);
        const down = walk.at(-1) as TimelineEvent;
        expect([down.d['peer'], down.t > AT]).toEqual([1, true]);
        // The proof stands beside the way: who attested that the lease has run out, and why.
        const takeover = walk.at(-3) as TimelineEvent;
        const attested = timeline.filter(({ id }) => takeover.reads?.includes(id));
        expect(attested.length).toBe(2);
        for (const word of attested) {
          expect([word.kind, word.cause]).toEqual(['lease.attested', walk.at(-2)?.id]);
        }
      }
    });
  }

  it('reaches the start of the next core after a core was killed', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const timeline = timelineOf({ kind: 'kill-core' }, seed);
      const walk = walkFrom(firstOf(timeline, 'group.online'), timeline);
      const kinds = kindsOf(walk);
      expect(kinds).toEqual(expect.arrayContaining(TAKE_OVER));
      expect(kinds.slice(-3)).toEqual(['group.readopt', 'peer.life', 'core.start']);
      expect([walk.at(-1)?.node, walk.at(-1)?.d['session']]).toEqual([1, 2]);
    }
  });

  it('reaches the error of the disk after a write failed', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const timeline = timelineOf({ kind: 'write-error', for: 20 * S }, seed);
      const walk = walkFrom(firstOf(timeline, 'group.online'), timeline);
      expect(kindsOf(walk)).toEqual(expect.arrayContaining(TAKE_OVER));
      expect([walk.at(-1)?.kind, walk.at(-1)?.node]).toEqual(['mirror.disk.failed', 1]);
    }
  });
});

describe('a walk from what the cut-off primary does', () => {
  it('reaches its lease, which ran out', () => {
    const timeline = timelineOf({ kind: 'cut', for: 12 * S }, 1);
    const role = firstOf(timeline, 'mirror.role', ({ node, d }) => {
      return node === 1 && d['role'] === 'Suspended';
    });
    expect(kindsOf(walkFrom(role, timeline))).toContain('lease.held');
    const stop = firstOf(timeline, 'application.stop', ({ node }) => node === 1);
    expect(kindsOf(walkFrom(stop, timeline))).toEqual(['application.stop', 'lease.lapsed']);
  });
});

describe('a walk from a copy’s being whole again', () => {
  const COPY = ['volume.propose', 'mirror.want', 'mirror.resync.start', 'mirror.handshake'];

  for (const [name, fault, hosts] of [
    // Its next life is the one that says hello; of two that lived on either may be the first.
    ['lost power', { kind: 'power-off', cache: 'random', for: 10 * S }, [1]],
    ['was cut off', { kind: 'cut', for: 12 * S }, [1, 2]],
  ] as const) {
    it(`reaches the return of the host that ${name}`, () => {
      for (let seed = 1; seed <= 6; seed += 1) {
        const timeline = timelineOf(fault, seed);
        const whole = timeline.findLast(({ kind, node, d }) => {
          return kind === 'mirror.disk' && node === 1 && d['disk'] === 'UpToDate';
        }) as TimelineEvent;
        const end = timeline.findLast(({ kind }) => kind === 'mirror.resync.end') as TimelineEvent;
        for (const from of [whole, end]) {
          const walk = walkFrom(from, timeline);
          expect(kindsOf(walk)).toEqual(expect.arrayContaining(COPY));
          const back = walk.at(-1) as TimelineEvent;
          expect([back.kind, back.d['state']]).toEqual(['mirror.link', 'up']);
          expect(hosts).toContain(back.node);
          expect(back.t).toBeGreaterThan(AT + fault.for);
        }
      }
    });
  }
});
