import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
});
