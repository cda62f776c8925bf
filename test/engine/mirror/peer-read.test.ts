import { describe, expect, it } from 'vitest';
import { Decision, Event, PAGE_BYTES, Status } from '../../../engine/data/abi.ts';
import { decodePeerMessage, encodePeerMessage } from '../../../engine/mirror/messages.ts';
import { tell, until } from '../../support/mirror-cases.ts';
import {
  answersOf,
  askedByStrangers,
  askOf,
  blocks,
  done,
  lateAnswer,
  mend,
  refusedRead,
  request,
  slotsOut,
  written,
} from '../../support/mirror-errors.ts';
import { PAIR_CONFIG, Pair } from '../../support/mirror-pair.ts';
import { started } from '../../support/mirror-swarm.ts';

const MS = 1000;

describe("a peer's read", () => {
  it('is answered by the member that follows the asking primary', () => {
    const pair = written(1);
    const answers = answersOf(pair, 2);
    const [first] = blocks(pair, 1) as [number];
    pair.host(1).unreadable.add(first);
    expect(done(pair, 1, Event.ReqRead, first, 4)).toBe(0);
    expect(answers[0]).toBe(Status.Ok);
    pair.settle();
    expect([pair.violations, pair.hosts.map(slotsOut)]).toEqual([[], [0, 0]]);
  });

  it('is refused by a host that follows nobody', () => {
    for (const seed of [1, 2, 3]) expect(askedByStrangers(seed).violations).toEqual([]);
  });

  it('is refused by the target of a resync: it is no full copy', () => {
    const pair = started(3);
    pair.runFor(300 * MS);
    pair.powerOff(2);
    pair.runFor(1_500 * MS);
    pair.powerOn(2);
    expect(until(pair, () => pair.host(2).linkState === 'SyncTarget')).toBe(true);
    const answers = answersOf(pair, 2);
    askOf(pair, pair.host(2), pair.record.epoch, 1, 0);
    pair.runFor(10 * MS);
    expect(answers).toEqual([Status.StaleEpoch]);
  });

  it('of an epoch that is not durable there waits until it is', () => {
    const pair = written(4);
    const answers = answersOf(pair, 2);
    const { epoch } = pair.record;
    askOf(pair, pair.host(2), epoch + 1, 1, 4096);
    pair.runFor(30 * MS);
    expect([answers, pair.marks.has('mirror.read.epoch-wait')]).toEqual([[], true]);
    // The same members under the next epoch: the primary announces it.
    tell(pair, [1, 2], {});
    until(pair, () => answers.length > 0);
    expect(answers).toEqual([Status.Ok]);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('closes the link when it leaves a gap or lies outside the volume', () => {
    for (const [sequence, offset] of [
      [2, 0],
      [1, -4096],
      [1, PAIR_CONFIG.sizeBytes],
    ] as const) {
      const pair = new Pair({ seed: 1 });
      pair.runFor(300 * MS);
      const closed: number[] = [];
      pair.onDecision = (h, op) => {
        if (op === Decision.LinkClose) closed.push(h.node);
      };
      askOf(pair, pair.hosts[1], 1, sequence, offset);
      pair.runFor(5 * MS);
      expect(closed).toContain(2);
      pair.settle();
      expect([pair.violations, slotsOut(pair.host(2))]).toEqual([[], 0]);
    }
  });

  it('is over with its link: an answer that is late touches nothing', () => {
    for (let seed = 1; seed <= 10; seed += 1) expect(lateAnswer(seed).violations).toEqual([]);
  });

  it('that is refused ends the relation: who refuses follows somebody else', () => {
    for (const seed of [1, 2, 3]) {
      const pair = refusedRead(seed);
      expect([pair.violations, pair.marks.has('mirror.read.refused')]).toEqual([[], true]);
    }
  });

  it('ends once, whenever the link is lost while it is under way', () => {
    for (let delay = 0; delay < 40; delay += 1) {
      const pair = written(20 + delay);
      const places = blocks(pair, 6);
      for (const first of places) pair.host(1).unreadable.add(first);
      const ended = places.map((first) => request(pair, 1, Event.ReqRead, first, 8));
      pair.runFor(delay * 150);
      pair.cut();
      pair.runFor(300 * MS);
      pair.heal();
      until(pair, () => ended.every(({ status }) => status !== null));
      expect(ended.filter(({ status }) => status === null)).toEqual([]);
      mend(pair);
      pair.settle();
      expect([pair.violations, pair.hosts.map(slotsOut)]).toEqual([[], [0, 0]]);
    }
  });

  it('is never asked of a peer that speaks the version before reads', () => {
    const pair = new Pair({ seed: 6 });
    const give = pair.give.bind(pair);
    pair.give = (h, input) => {
      const heard = input.page ? decodePeerMessage(input.page, PAIR_CONFIG.volume) : null;
      if (heard?.message.kind !== 'hello') return give(h, input);
      const page = new Uint8Array(PAGE_BYTES);
      const length = encodePeerMessage({ ...heard.message, wireMax: 1 }, heard.cause, page);
      return give(h, { ...input, page, length });
    };
    let asked = 0;
    pair.onDecision = (_, op) => {
      if (op === Decision.PeerRead) asked += 1;
    };
    pair.runFor(300 * MS);
    pair.load(true);
    pair.runFor(300 * MS);
    pair.load(false);
    pair.runFor(100 * MS);
    const [first] = blocks(pair, 1) as [number];
    pair.host(1).unreadable.add(first);
    expect(done(pair, 1, Event.ReqRead, first, 1)).toBe(Status.Io);
    expect([asked, pair.host(1).disk]).toEqual([0, 'UpToDate']);
  });
});
