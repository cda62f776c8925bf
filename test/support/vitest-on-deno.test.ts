import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equals } from './equality.ts';
import { expect as portable } from './vitest-on-deno.ts';

function holds(question: () => void): boolean {
  try {
    question();
    return true;
  } catch {
    return false;
  }
}

const value = fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true });

describe('the vocabulary for Deno', () => {
  it('finds equal what vitest finds equal', () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        expect(equals(left, right)).toBe(holds(() => expect(left).toEqual(right)));
      }),
    );
  });

  it('finds a copy equal, and a copy with one more field not', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
        const copy = structuredClone(fields);
        portable(copy).toEqual(fields);
        portable({ ...copy, 'no such field': 1 }).not.toEqual(fields);
        portable({ ...copy, 'no such field': undefined }).toEqual(fields);
      }),
    );
  });

  it('finds a part where vitest finds it', () => {
    const whole = { a: 1, b: { c: [1, { d: 2, e: 3 }] }, u: undefined };
    const parts: object[] = [
      {},
      { a: 1 },
      { a: 2 },
      { b: {} },
      { b: { c: [1, { d: 2 }] } },
      { z: undefined },
    ];
    parts.push({ b: { c: [1] } }, { b: { c: [1, { d: 9 }] } }, { u: undefined }, { b: 1 });
    for (const part of parts) {
      const theirs = holds(() => expect(whole).toMatchObject(part));
      expect(
        holds(() => portable(whole).toMatchObject(part)),
        JSON.stringify(part),
      ).toBe(theirs);
    }
  });

  it('orders numbers as vitest does', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), (left, right) => {
        const pairs: [() => void, () => void][] = [
          [() => portable(left).toBe(right), () => expect(left).toBe(right)],
          [() => portable(left).toBeLessThan(right), () => expect(left).toBeLessThan(right)],
          [
            () => portable(left).toBeLessThanOrEqual(right),
            () => expect(left).toBeLessThanOrEqual(right),
          ],
          [() => portable(left).toBeGreaterThan(right), () => expect(left).toBeGreaterThan(right)],
          [
            () => portable(left).toBeGreaterThanOrEqual(right),
            () => expect(left).toBeGreaterThanOrEqual(right),
          ],
        ];
        for (const [ours, theirs] of pairs) expect(holds(ours)).toBe(holds(theirs));
      }),
    );
  });

  it('accepts a throw by class, by words and by pattern, and nothing else', () => {
    const boom = () => {
      throw new TypeError('boom');
    };
    for (const wanted of [TypeError, Error, 'oo', /^bo+m$/, undefined]) {
      portable(boom).toThrow(wanted);
      expect(holds(() => portable(boom).not.toThrow(wanted))).toBe(false);
    }
    for (const wanted of [RangeError, 'other', /^oo/]) {
      expect(holds(() => portable(boom).toThrow(wanted))).toBe(false);
    }
    expect(holds(() => portable(() => 1).toThrow())).toBe(false);
  });

  it('says what was believed, what came and what was wanted', () => {
    expect(() => portable(2, 'one owner').toBe(1)).toThrow('one owner: got 2, wanted is 1');
    expect(() => portable([1]).not.toHaveLength(1)).toThrow('got [1], wanted not has length 1');
  });

  it('knows absence, membership and text', () => {
    portable(undefined).toBeUndefined();
    portable(null).toBeNull();
    portable(null).toBeDefined();
    portable(new Set([1, 2])).toContain(2);
    portable('abcd').toContain('bc');
    portable('abcd').toMatch(/^a/);
    expect(holds(() => portable(['ab']).toContain('a'))).toBe(false);
    expect(holds(() => portable('abcd').toMatch('x'))).toBe(false);
  });
});
