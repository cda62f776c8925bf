import { describe, expect, it } from 'vitest';
import { Links } from '../../../engine/cluster/heartbeat.ts';
import { LeaseHolder } from '../../../engine/cluster/lease.ts';
import { Right } from '../../../engine/cluster/right.ts';
import { contextOf, linkUp, ofKind, STILL } from '../../support/control-fixtures.ts';

function setup() {
  const { context } = contextOf(1);
  context.now = 10_000_000;
  context.startedAt = context.now;
  context.started = '1.1.c1';
  const links = new Links(context, () => STILL);
  const lapses: string[] = [];
  const right = new Right(context, links, new LeaseHolder(), (lapse) => lapses.push(lapse));
  const told = () => ofKind(context.take(), 'event').map(({ event }) => event);
  return { context, links, lapses, right, told };
}

describe('the right to act', () => {
  it('is there with the promises of a majority, and goes back to who is heard', () => {
    const { context, links, lapses, right, told } = setup();
    linkUp(context, links, 2);
    const up = told().find(({ kind }) => kind === 'peer.up');
    expect(right.acknowledged(1, context.now, 2)).toBe(false);
    expect(right.acknowledged(2, context.now, 2)).toBe(true);
    expect(right.held).toBe(true);
    const [held] = told();
    expect([held?.kind, held?.cause]).toEqual(['lease.held', up?.id]);
    expect([context.right, ...lapses]).toEqual([held?.id, '']);
    // A longer one is no news.
    context.now += 100;
    right.acknowledged(1, context.now, 2);
    expect(right.acknowledged(2, context.now, 2)).toBe(true);
    expect(told()).toEqual([]);
  });

  it('runs out of itself, and whoever stood still gets it back without anything that tells', () => {
    const { context, links, lapses, right, told } = setup();
    linkUp(context, links, 2);
    right.acknowledged(1, context.now, 2);
    right.acknowledged(2, context.now, 2);
    told();
    context.now += 60_000_000;
    right.judge();
    const [lapsed] = told();
    expect([lapsed?.kind, lapsed?.cause]).toEqual(['lease.lapsed', undefined]);
    expect([right.held, lapses.at(-1)]).toEqual([false, lapsed?.id]);
    right.acknowledged(1, context.now, 2);
    right.acknowledged(2, context.now, 2);
    const [again] = told();
    expect([again?.kind, again?.cause]).toEqual(['lease.held', undefined]);
  });

  it('goes back to the own start where only the own promise was missing', () => {
    const { context, right, told } = setup();
    right.acknowledged(2, context.now, 2);
    right.acknowledged(1, context.now, 2);
    expect(told().map(({ kind, cause }) => [kind, cause])).toEqual([['lease.held', '1.1.c1']]);
  });
});
