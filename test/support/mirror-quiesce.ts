/** Quiesce points in the pair harness, and what must be so from their beginning to their end. */

import { Event } from '../../engine/data/abi.ts';
import type { QuiesceReport } from '../../engine/data/messages.ts';
import { until } from './mirror-cases.ts';
import { BLOCK_SECTORS, done, mend } from './mirror-errors.ts';
import { moved } from './mirror-moved.ts';
import type { Pair } from './mirror-pair.ts';
import { started } from './mirror-swarm.ts';

const MS = 1000;

/** The image of each member when the point was reported. */
interface Point {
  readonly id: number;
  readonly by: number;
  /** Requests that its host had completed: one frozen with its clock may still answer late. */
  readonly completed: number;
  readonly images: readonly { readonly node: number; readonly sectors: Uint32Array }[];
}

/** What points have said so far, and how many stood until they were let go. */
export interface Points {
  readonly reports: QuiesceReport[];
  stood: number;
}

/**
 * Judges every point from now on: each member has everything acknowledged, stable, when it is
 * reported; and where it stood until it was let go, nothing has changed and nothing has ended.
 */
export function judged(pair: Pair): Points {
  const points: Points = { reports: [], stood: 0 };
  let point: Point | null = null;
  const report = pair.report.bind(pair);
  pair.report = (h, r) => {
    if (r.kind === 'quiesce') {
      points.reports.push(r);
      if (r.state === 'quiet') point = reached(pair, h.node, r);
      else if (point?.id === r.id) {
        if (r.reason === 'released') {
          unchanged(pair, point);
          points.stood += 1;
        }
        point = null;
      }
    }
    report(h, r);
  };
  return points;
}

function reached(pair: Pair, by: number, { id, members }: QuiesceReport): Point {
  const images: { node: number; sectors: Uint32Array }[] = [];
  for (const node of members) {
    const { stable } = pair.host(node);
    pair.history.checkStable(node, stable, pair.now);
    images.push({ node, sectors: stable.slice() });
  }
  const [first, ...others] = images;
  for (const other of others) {
    const at = other.sectors.findIndex((stamp, sector) => stamp !== first?.sectors[sector]);
    if (at < 0) continue;
    pair.violations.push(`LAW-quiesced: sector ${at} is not the same on host ${other.node}`);
  }
  return { id, by, completed: pair.completedBy(by), images };
}

function unchanged(pair: Pair, { by, completed, images }: Point): void {
  const ended = pair.completedBy(by) - completed;
  if (ended > 0) pair.violations.push(`LAW-quiesced: ${ended} requests have ended`);
  for (const { node, sectors } of images) {
    const { cache } = pair.host(node);
    const at = sectors.findIndex((stamp, sector) => stamp !== cache[sector]);
    if (at >= 0) pair.violations.push(`LAW-quiesced: sector ${at} of host ${node} has changed`);
  }
}

/** Points again and again, under load and through faults; each is let go, late at times. */
export function pointsThroughFaults(
  seed: number,
  canaries: readonly string[] = [],
): readonly [Pair, Points] {
  const pair = started(seed, canaries);
  const points = judged(pair);
  for (let id = 1; id <= 24 && pair.violations.length === 0; id += 1) {
    const h = pair.host(1 + pair.rng.below(2));
    const order = { id, until: pair.now - h.lag + pair.rng.between(20, 900) * MS };
    pair.command(h, { kind: 'quiesce', order, cause: '' });
    pair.runFor(pair.rng.between(1, 60) * MS);
    // Somebody else asks for one as well.
    const other = { id: 1000 + id, until: pair.now - h.lag + 100 * MS };
    if (id % 5 === 0) pair.command(h, { kind: 'quiesce', order: other, cause: '' });
    if (id % 3 === 0) pair.fault();
    pair.runFor(pair.rng.between(1, 300) * MS);
    pair.command(h, { kind: 'resume', id, cause: '' });
    pair.runFor(pair.rng.between(1, 120) * MS);
  }
  if (pair.violations.length === 0) pair.settle();
  return [pair, points];
}

export function quiescedThroughFaults(seed: number, canaries: readonly string[] = []): Pair {
  return pointsThroughFaults(seed, canaries)[0];
}

/** A primary cut off from control holds a point until another has taken over and written. */
export function quiescedPastGrant(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  judged(pair);
  pair.runFor(100 * MS);
  const h = pair.host(1);
  pair.command(h, { kind: 'quiesce', order: { id: 1, until: pair.now + 20_000 * MS }, cause: '' });
  pair.runFor(50 * MS);
  pair.isolate(1, true);
  pair.cut();
  until(pair, () => pair.activeNode === 2 && pair.completedBy(2) > 20);
  pair.command(h, { kind: 'resume', id: 1, cause: '' });
  pair.runFor(5 * MS);
  pair.isolate(1, false);
  pair.heal();
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** A point while a block of host 1 stands in its spare area, and its place has what was before. */
export function quiescedAfterMove(seed: number, canaries: readonly string[] = []): Pair {
  const [pair, first] = moved(seed, canaries);
  mend(pair);
  done(pair, 1, Event.ReqWrite, first - (first % BLOCK_SECTORS), BLOCK_SECTORS);
  done(pair, 1, Event.ReqFlush, 0, 0);
  const { reports } = judged(pair);
  const order = { id: 1, until: pair.now + 5_000 * MS };
  pair.command(pair.host(1), { kind: 'quiesce', order, cause: '' });
  until(pair, () => reports.length > 0);
  if (reports[0]?.members.join() !== '2') pair.violations.push('the other copy is the image');
  return pair;
}
