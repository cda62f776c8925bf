import { describe, expect, it } from 'vitest';
import { Decision, Event, PAGE_BYTES } from '../../../engine/data/abi.ts';
import type { MirrorConfig } from '../../../engine/mirror/config.ts';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from '../../../engine/mirror/messages.ts';
import {
  ASYNC_CONFIG,
  asyncSwarm,
  covered,
  endedOf,
  following,
  looked,
  primaryDark,
  slowPrimaryDark,
  THIRD_CONFIG,
  third,
  thirdSwarm,
} from '../../support/mirror-async.ts';
import { until, watched, wrong } from '../../support/mirror-cases.ts';
import { INPUT, LAYOUT, MS } from '../../support/mirror-hosts.ts';
import type { JudgedHosts } from '../../support/mirror-judged.ts';
import { Many } from '../../support/mirror-many.ts';

/** Host `to` hears `message` on `link`, as if its peer had said so. */
function say(pair: JudgedHosts, to: number, message: PeerMessage, link: number): void {
  const page = new Uint8Array(PAGE_BYTES);
  const length = encodePeerMessage(message, '', page);
  pair.give(pair.host(to), { ...INPUT, op: Event.PeerMessage, link, length, page });
}

/** What host `from` says of some kind, and when. */
function heard(
  pair: JudgedHosts,
  from: number,
  kind: 'received' | 'point',
): { at: number; sequence: number }[] {
  const said: { at: number; sequence: number }[] = [];
  const send = pair.send.bind(pair);
  pair.send = (h, link, input) => {
    const message = input.page ? decodePeerMessage(input.page, 'v')?.message : undefined;
    if (h.node === from && message?.kind === kind) {
      said.push({ at: pair.now, sequence: message.sequence });
    }
    send(h, link, input);
  };
  return said;
}

describe('what is sent on to an asynchronous replica', () => {
  it('is every write in the order in which it is issued, and nothing beside', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const { pair } = following(seed);
      const issued: string[] = [];
      const sent: string[] = [];
      pair.onDecision = (h, op, slot, offset, length) => {
        if (h.node !== 1 || slot >= LAYOUT.frontSlots) return;
        if (op === Decision.LocalWrite) issued.push(`${slot} ${offset} ${length}`);
        if (op === Decision.PeerWrite) sent.push(`${slot} ${offset} ${length}`);
      };
      pair.runFor(300 * MS);
      expect(issued.length).toBeGreaterThan(50);
      expect(sent).toEqual(issued);
    }
  });

  it('is known to differ from its issue to the point that covers it, also without power', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const { pair } = following(seed);
      for (let n = 0; n < 150 && pair.violations.length === 0; n += 1) {
        pair.runFor(2 * MS);
        covered(pair);
      }
      expect(pair.violations).toEqual([]);
    }
  });

  it('stays known where the primary loses it with its power, or has not written it yet', () => {
    expect(wrong(primaryDark, 6)).toEqual([]);
    expect(wrong(slowPrimaryDark, 4)).toEqual([]);
  });

  it('keeps no write waiting and no flush, however long nothing is heard of the replica', () => {
    for (const silence of [150, 900]) {
      const { pair } = following(2);
      const { epoch } = pair.record;
      pair.pause(2, silence * MS);
      const ended = endedOf(pair);
      pair.runFor(silence * MS);
      expect(ended.writes).toBeGreaterThan(silence / 5);
      expect(ended.flushes).toBeGreaterThan(2);
      expect(pair.record.epoch).toBe(epoch);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('is said to have come within a tenth of a second, long before a point covers it', () => {
    const { pair } = following(3, [], { ...ASYNC_CONFIG, pointDelay: 300 * MS });
    const received = heard(pair, 2, 'received');
    const arrivals: { at: number; number: number }[] = [];
    const give = pair.give.bind(pair);
    pair.give = (h, input) => {
      if (h.node === 2 && input.op === Event.PeerWrite) {
        const view = new DataView((input.header as Uint8Array).buffer);
        arrivals.push({ at: pair.now, number: view.getFloat64(8, true) });
      }
      give(h, input);
    };
    pair.runFor(500 * MS);
    const early = arrivals.filter(({ at }) => at < pair.now - 110 * MS);
    expect(early.length).toBeGreaterThan(50);
    for (const { at, number } of early) {
      const word = received.find(({ sequence }) => sequence >= number);
      // The turn in which a timer goes off is a little later.
      expect((word?.at ?? Number.POSITIVE_INFINITY) - at).toBeLessThanOrEqual(105 * MS);
    }
  });

  it('is let go where it is more than the replica may lack, and copied when it hears again', () => {
    const { pair, watch } = following(4, [], { ...ASYNC_CONFIG, lagBytes: 128 * 1024 });
    until(pair, () => pair.host(1).linkState === 'Connected');
    const seen = watched(pair);
    pair.clog(2, 180 * MS);
    const ended = endedOf(pair);
    pair.runFor(150 * MS);
    expect(ended.writes).toBeGreaterThan(60);
    expect(JSON.stringify(seen.filter(({ node }) => node === 1))).toContain('"reason":"lag"');
    const { points } = watch;
    expect(until(pair, () => watch.points > points)).toBe(true);
    pair.settle();
    watch.look();
    expect(pair.violations).toEqual([]);
  });

  it('is waited for by writes there, and by no flush, where that is said', () => {
    const wait = { ...ASYNC_CONFIG, lagBytes: 128 * 1024, lagWaits: true };
    const { pair } = following(4, [], wait);
    const seen = watched(pair);
    pair.clog(2, 170 * MS);
    pair.runFor(100 * MS);
    const ended = endedOf(pair);
    pair.runFor(60 * MS);
    expect(ended.writes).toBe(0);
    const kinds = pair.hosts[0].busyFront.map((each) => each?.kind);
    expect(kinds.filter((kind) => kind === Event.ReqWrite).length).toBeGreaterThan(5);
    expect(kinds).not.toContain(Event.ReqFlush);
    pair.runFor(300 * MS);
    expect(ended.writes).toBeGreaterThan(20);
    expect(JSON.stringify(seen)).not.toContain('"reason":"lag"');
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('ends waiting at the limit where the link is lost, and is copied later', () => {
    const wait = { ...ASYNC_CONFIG, lagBytes: 128 * 1024, lagWaits: true };
    expect(wrong((seed) => asyncSwarm(seed, [], wait), 8)).toEqual([]);
    const { pair } = following(5, [], wait);
    pair.cut();
    pair.runFor(100 * MS);
    const ended = endedOf(pair);
    pair.runFor(200 * MS);
    expect(ended.writes).toBeGreaterThan(50);
  });
});

describe('a spill', () => {
  const spilling = { ...ASYNC_CONFIG, spillNodes: [2], spillAwaited: true };

  it('is told of once when it is there, and whenever there is none for a reason', () => {
    const { pair } = following(6, [], spilling);
    const seen = watched(pair);
    const say = (on: boolean, reason: string): void => {
      pair.command(pair.host(1), { kind: 'spill', node: 2, on, reason });
      pair.runFor(50 * MS);
    };
    say(true, '');
    say(true, '');
    say(false, '');
    say(true, '');
    say(false, 'no room');
    say(false, 'no room');
    say(true, '');
    // About a replica that is not asynchronous there is nothing to say.
    pair.command(pair.host(1), { kind: 'spill', node: 1, on: false, reason: 'none' });
    pair.runFor(50 * MS);
    const told = seen.flatMap(({ report }) => (report.kind === 'event' ? [report.event] : []));
    const spills = told.filter(({ kind }) => kind.startsWith('mirror.spill.'));
    expect(spills.map(({ kind, d }) => [kind, d?.['peer'], d?.['reason']])).toEqual([
      ['mirror.spill.on', 2, undefined],
      ['mirror.spill.off', 2, 'no room'],
      ['mirror.spill.on', 2, undefined],
    ]);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('changes nothing of what is sent, in memory or not', () => {
    const sent = (config: MirrorConfig): string => {
      const { pair } = following(7, [], config);
      const all: string[] = [];
      pair.onDecision = (h, op, slot, offset, length) => {
        all.push(`${h.node} ${op} ${slot} ${offset} ${length}`);
      };
      pair.runFor(200 * MS);
      return all.join('\n');
    };
    const plain = sent(ASYNC_CONFIG);
    expect(sent({ ...ASYNC_CONFIG, spillNodes: [2] })).toBe(plain);
    expect(sent(spilling)).toBe(plain);
  });
});

describe('what an asynchronous replica says that cannot be', () => {
  const words = [
    ['a point beyond what was sent', { kind: 'point', sequence: 1 << 20 }],
    ['a point before an earlier one', { kind: 'point', sequence: 1 }],
    ['that more has come than was sent', { kind: 'received', sequence: 1 << 20 }],
    ['that less has come than before', { kind: 'received', sequence: 0 }],
  ] as const;
  for (const [what, message] of words) {
    it(`is ${what}: the link is closed, and nothing counts as clean`, () => {
      const both = following(6);
      const { pair } = both;
      const seen = watched(pair);
      const { link } = pair.hosts[0];
      say(pair, 1, message, link);
      pair.runFor(5 * MS);
      const own = seen.filter(({ node }) => node === 1);
      expect(JSON.stringify(own)).toContain('"reason":"garbage"');
      covered(pair);
      pair.powerOff(1);
      covered(pair);
      pair.powerOn(1);
      looked(both, 200 * MS);
      pair.settle();
      expect(pair.violations).toEqual([]);
    });
  }
});

describe('a follower of a primary that sends on to an asynchronous replica', () => {
  it('knows whatever happens in what it differs from that replica, and the other way round', () => {
    expect(wrong(thirdSwarm, 12)).toEqual([]);
  });

  it('has a small map when it takes over: little is copied, and an image kept meanwhile', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const all = third(seed);
      const { pair, watch } = all;
      looked(all, 600 * MS);
      const seen: number[] = [];
      const report = pair.report.bind(pair);
      pair.report = (h, said) => {
        report(h, said);
        if (said.kind !== 'event' || said.event.kind !== 'mirror.resync.start') return;
        if (said.event.d['target'] === 3) seen.push(Number(said.event.d['dirty']));
      };
      pair.powerOff(1);
      const { points } = watch;
      const done = () => watch.points > points && seen.length > 0;
      const end = pair.now + 3_000 * MS;
      while (!done() && pair.now < end && pair.violations.length === 0) looked(all, 5 * MS);
      expect([pair.record.primary, seen.length > 0]).toEqual([2, true]);
      // Of 2048 blocks in all: what was hot, or had no point yet.
      expect(Math.max(...seen)).toBeLessThan(1400);
      pair.powerOn(1);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  /** What followers are told that goes beyond what the replica had then. */
  function overtold(seed: number, canaries: readonly string[] = []): readonly number[] {
    const pair = new Many({ seed, canaries, config: THIRD_CONFIG });
    const points = heard(pair, 3, 'point');
    const told: number[] = [];
    let [newest, bound] = [0, 0];
    pair.onDecision = (h, op, slot) => {
      const write = h.node === 1 && op === Decision.PeerWrite;
      if (write) newest = Math.max(newest, h.memory.headers.sequence(slot));
    };
    const send = pair.send.bind(pair);
    pair.send = (h, link, input) => {
      const message = input.page ? decodePeerMessage(input.page, 'v')?.message : undefined;
      if (h.node === 1 && message?.kind === 'covered') {
        // Its own number is one that no write has.
        if (message.sequence === 0) bound = newest + 1;
        const has = Math.max(bound, points.at(-1)?.sequence ?? 0);
        if (message.sequence > has) told.push(message.sequence - has);
      }
      send(h, link, input);
    };
    pair.load(true);
    pair.runFor(400 * MS);
    return told;
  }

  it('hears of no more than the replica has, when it is filled and at each point', () => {
    for (let seed = 1; seed <= 4; seed += 1) expect(overtold(seed)).toEqual([]);
    const planted = [1, 2, 3, 4].flatMap((seed) => overtold(seed, ['equal-overtold']));
    expect(planted.length).toBeGreaterThan(0);
  });

  it('takes no word that a synchronous replica has everything', () => {
    for (const node of [1, 2, 9]) {
      const { pair } = third(3);
      pair.runFor(100 * MS);
      const cable = pair.cables.find(({ ends }) => ends[0].node === 1 && ends[1].node === 2);
      const link = cable?.link ?? 0;
      let dropped = false;
      pair.onDecision = (h, op) => {
        dropped ||= h.node === 2 && op === Decision.LinkClose;
      };
      say(pair, 2, { kind: 'covered', node, sequence: 0, disks: [] }, link);
      say(pair, 2, { kind: 'covered', node, sequence: 1 << 20, disks: [] }, link);
      pair.runFor(5 * MS);
      expect(dropped).toBe(true);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });
});
