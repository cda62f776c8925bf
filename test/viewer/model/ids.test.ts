import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdIndex } from '../../../viewer/src/model/ids.ts';

const id = fc.oneof(
  fc
    .tuple(fc.nat(3), fc.nat(2), fc.constantFrom('', 'c', 'd'), fc.nat(50))
    .map(([node, session, actor, seq]) => `${node}.${session}.${actor}${seq}`),
  fc.string({ maxLength: 12 }),
);

describe('the index of ids', () => {
  it('finds each event where it was first put, in any order and of any form', () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 80 }), (ids) => {
        const index = new IdIndex();
        const first = new Map<string, number>();
        for (const [ref, one] of ids.entries()) {
          expect(index.add(one, ref)).toBe(!first.has(one));
          if (!first.has(one)) first.set(one, ref);
        }
        for (const [one, ref] of first) expect(index.find(one)).toBe(ref);
      }),
    );
  });

  it('does not take one number written in two ways for one id', () => {
    const index = new IdIndex();
    index.add('1.1.c7', 0);
    expect(index.find('1.1.c07')).toBe(-1);
  });
});
