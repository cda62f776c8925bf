import { describe, expect, it } from 'vitest';
import { QUIESCE_MAX } from '../../../engine/data/messages.ts';
import { until } from '../../support/mirror-cases.ts';
import type { Pair } from '../../support/mirror-pair.ts';
import {
  judged,
  type Points,
  pointsThroughFaults,
  quiescedAfterMove,
  quiescedPastGrant,
} from '../../support/mirror-quiesce.ts';
import { started } from '../../support/mirror-swarm.ts';

const MS = 1000;

/** A pair under load whose host `node` is asked for a point. */
function asked(seed: number, node = 1, time = 10_000 * MS): readonly [Pair, Points] {
  const pair = started(seed);
  const points = judged(pair);
  pair.runFor(100 * MS);
  const order = { id: 7, until: pair.now + time };
  pair.command(pair.host(node), { kind: 'quiesce', order, cause: '' });
  return [pair, points];
}

function said(points: Points): readonly string[] {
  return points.reports.map(({ id, state, reason }) => `${id} ${state} ${reason}`.trim());
}

describe('a quiesce point', () => {
  it('stands on every member while nothing ends, and requests go on when it is let go', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const [pair, points] = asked(seed);
      until(pair, () => points.reports.length > 0);
      expect(points.reports).toMatchObject([{ id: 7, state: 'quiet', members: [1, 2] }]);
      const { completed } = pair;
      pair.runFor(500 * MS);
      expect(pair.completed).toBe(completed);
      pair.command(pair.host(1), { kind: 'resume', id: 7, cause: '' });
      pair.runFor(200 * MS);
      expect(pair.completed).toBeGreaterThan(completed);
      expect(said(points)).toEqual(['7 quiet', '7 ended released']);
      pair.settle();
      expect([points.stood, pair.violations]).toEqual([1, []]);
    }
  });

  it('ends by itself when its time is over, and that it did is known to who lets it go', () => {
    const [pair, points] = asked(3, 1, 100 * MS);
    pair.runFor(300 * MS);
    const { completed } = pair;
    pair.runFor(100 * MS);
    expect(pair.completed).toBeGreaterThan(completed);
    pair.command(pair.host(1), { kind: 'resume', id: 7, cause: '' });
    pair.runFor(10 * MS);
    expect(said(points)).toEqual(['7 quiet', '7 ended expired', '7 ended unknown']);
  });

  it('is held for no longer than clients bear, whatever is asked for', () => {
    const [pair, points] = asked(4, 1, 10 * QUIESCE_MAX);
    pair.runFor(QUIESCE_MAX + 100 * MS);
    expect(said(points)).toEqual(['7 quiet', '7 ended expired']);
  });

  it('is refused where the volume is not led, and while another one stands', () => {
    const [away, none] = asked(5, 2);
    away.runFor(10 * MS);
    expect(said(none)).toEqual(['7 ended not-primary']);
    const [pair, points] = asked(5);
    const order = { id: 8, until: pair.now + 1_000 * MS };
    pair.runFor(50 * MS);
    pair.command(pair.host(1), { kind: 'quiesce', order, cause: '' });
    pair.runFor(10 * MS);
    expect(said(points)).toEqual(['7 quiet', '8 ended quiesced-already']);
    pair.command(pair.host(1), { kind: 'resume', id: 7, cause: '' });
    pair.runFor(10 * MS);
    expect(said(points).at(-1)).toBe('7 ended released');
  });

  it('ends when the primary gives up its role', () => {
    const [pair, points] = asked(6);
    until(pair, () => points.reports.length > 0);
    pair.switchOver();
    until(pair, () => pair.record.primary === 2);
    expect(said(points)).toEqual(['7 quiet', '7 ended not-primary']);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('is reached without a peer that is lost meanwhile, and then names itself alone', () => {
    const [pair, points] = asked(7);
    pair.powerOff(2);
    until(pair, () => points.reports.length > 0);
    expect(points.reports).toMatchObject([{ state: 'quiet', members: [1] }]);
    expect(pair.violations).toEqual([]);
  });

  it('stands through every fault, or does not pass for one that did', () => {
    const ends = new Map<string, number>();
    for (let seed = 1; seed <= 24; seed += 1) {
      const [pair, { reports }] = pointsThroughFaults(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      for (const { reason } of reports) ends.set(reason, (ends.get(reason) ?? 0) + 1);
    }
    for (const reason of ['', 'released', 'expired', 'not-primary', 'quiesced-already']) {
      expect([reason, ends.get(reason) ?? 0]).not.toEqual([reason, 0]);
    }
  });

  it('names no replica whose place of a block holds what was there before it moved', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      expect([seed, ...quiescedAfterMove(seed).violations]).toEqual([seed]);
    }
  });

  it('ends with the right to act as primary: another may write since', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const pair = quiescedPastGrant(seed);
      expect([seed, pair.activeNode, ...pair.violations]).toEqual([seed, 2]);
    }
  });
});
