import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Agreed,
  agreedWith,
  begunOf,
  doneOf,
  NOTHING_AGREED,
} from '../../../engine/cluster/changes.ts';
import { contextOf, ofKind } from '../../support/control-fixtures.ts';

describe('a context', () => {
  it('numbers events within the session of its node', () => {
    const { context } = contextOf(2);
    const first = context.event('log.campaign', { term: 1 });
    const second = context.event('log.leader', { term: 1 }, first, [first]);
    expect([first, second]).toEqual(['2.1.c1', '2.1.c2']);
    const [, event] = ofKind(context.take(), 'event');
    expect(event?.event.cause).toBe(first);
    expect(event?.event.reads).toEqual([first]);
  });

  it('leaves out a cause that there is not', () => {
    const { context } = contextOf(1);
    context.event('log.campaign', { term: 1 });
    const [event] = ofKind(context.take(), 'event');
    expect(Object.keys(event?.event ?? {})).not.toContain('cause');
  });

  it('has what is handled go on with what waits for a disk', () => {
    const { context } = contextOf(1);
    context.started = '1.1.c1';
    expect(context.said).toBe('1.1.c1');
    context.cause = '2.1.c5';
    const waits = context.carry(() => context.event('log.leader', { term: 1 }));
    context.cause = '';
    const nothing = context.carry(() => context.event('log.leader', { term: 2 }));
    context.cause = '3.1.c6';
    waits();
    nothing();
    expect(context.said).toBe('3.1.c6');
    const causes = ofKind(context.take(), 'event').map(({ event }) => event.cause);
    expect(causes).toEqual(['2.1.c5', '3.1.c6']);
  });

  it('remembers what told last of each subject of the log', () => {
    const { context } = contextOf(1);
    expect(context.toldOf('group shop')).toBe('');
    context.tells('group shop', '1.1.c2');
    context.tells('volume data', '1.1.c3');
    context.tells('group shop', '1.1.c4');
    expect([context.toldOf('group shop'), context.toldOf('volume data')]).toEqual([
      '1.1.c4',
      '1.1.c3',
    ]);
  });

  it('draws what no other life draws, though its chance is the same', () => {
    const life = fc.tuple(fc.nat(2 ** 20), fc.nat(1000), fc.nat());
    fc.assert(
      fc.property(life, life, (one, other) => {
        fc.pre(one.some((value, index) => value !== other[index]));
        const drawn = [one, other].map(([high = 0, session = 0, now = 0]) => {
          const { context } = contextOf(1);
          Object.assign(context, { boot: high * 2 ** 22 + 5, session, now });
          return [context.draw(), context.draw()];
        });
        expect(new Set(drawn.flat()).size).toBe(4);
        expect(drawn.flat().every((value) => Number.isSafeInteger(value) && value > 0)).toBe(true);
      }),
    );
  });

  it('gives each decision away once', () => {
    const { context } = contextOf(1);
    context.decide({ kind: 'wake-at', at: 5 });
    expect(context.take().length).toBe(1);
    expect(context.take().length).toBe(0);
  });

  it('has whoever leads the log decide by what is agreed on, whatever it has in use', () => {
    const replica = { node: 3, path: '/dev/c', meta: '' };
    const change = {
      kind: 'add-replica',
      volume: 'data',
      replica,
      listen: [],
      place: 0,
    } as const;
    const ordered = agreedWith(NOTHING_AGREED, change);
    const nodes = (agreed: Agreed, canaries: readonly string[] = []): unknown => {
      const { context } = contextOf(1, canaries);
      const own = context.units.map((unit) => unit.nodes);
      expect(own).toEqual([[1, 2]]);
      return context.unitsBy(agreed).map((unit) => unit.nodes);
    };
    expect([nodes(NOTHING_AGREED), nodes(ordered)]).toEqual([[[1, 2]], [[1, 2]]]);
    expect(nodes(begunOf(ordered))).toEqual([[3, 1, 2]]);
    expect(nodes(doneOf(begunOf(ordered)))).toEqual([[3, 1, 2]]);
    expect(nodes(begunOf(ordered), ['led-by-own-file'])).toEqual([[1, 2]]);
  });
});
