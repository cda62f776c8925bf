import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { samePlain } from '../../../engine/core/plain.ts';

/** Names that meet often, and one that an object might inherit. */
const name = fc.constantFrom('a', 'b', 'c', 'constructor');
const { plain } = fc.letrec((tie) => ({
  plain: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: -1, max: 2 }),
    fc.constantFrom('', '1', 'a'),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('plain'), { maxLength: 3 }),
    fc.array(fc.tuple(name, tie('plain')), { maxLength: 3 }).map(Object.fromEntries),
  ),
}));

describe('plain data', () => {
  it('is the same exactly when it is written alike', () => {
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        expect(samePlain(a, b)).toBe(JSON.stringify(a) === JSON.stringify(b));
        expect(samePlain(a, JSON.parse(JSON.stringify(a)))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('differs by a field more, on either side', () => {
    expect(samePlain({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(samePlain({ a: 1, b: 2 }, { a: 1 })).toBe(false);
    expect(samePlain({ a: [] }, { a: {} })).toBe(false);
    expect(samePlain([1, 2], [1])).toBe(false);
  });
});
