import { describe, expect, it } from 'vitest';
import { History, Request } from '../../backends/sim/history.ts';
import { GARBAGE, Spoils } from '../../backends/sim/spoils.ts';
import { hollow, Zeroes } from '../../backends/sim/zeroes.ts';

function world(): { zeroes: Zeroes; spoils: Spoils; zero: number; data: number } {
  const history = new History();
  const spoils = new Spoils();
  const data = history.invoke(Request.Write, 0, 8, false, 1, 1);
  const zero = history.invoke(Request.Write, 0, 8, false, 1, 1, true);
  return { zeroes: new Zeroes(history, spoils), spoils, zero, data };
}

describe('zeroes', () => {
  it('are what was never written, and what a request for zeroes left; nothing else is', () => {
    const { zeroes, zero, data, spoils } = world();
    expect([0, zero, data, zero + 1, GARBAGE].map((stamp) => zeroes.are(stamp))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    // A disk that holds the wrong thing holds zeroes all the same, if that is what it is.
    expect(zeroes.are(spoils.stamp(zero, data))).toBe(true);
    expect(zeroes.are(spoils.stamp(data, zero))).toBe(false);
    expect(zeroes.all(Int32Array.of(data, 0, zero, data), 1, 2)).toBe(true);
    expect(zeroes.all(Int32Array.of(data, 0, zero, data), 1, 3)).toBe(false);
  });

  it('travel with their request, and land as its stamp only by an operation that zeroes', () => {
    const { zeroes, zero, data, spoils } = world();
    const payload = hollow(zero);
    expect(payload).not.toBe(zero);
    expect(zeroes.are(payload)).toBe(false);
    expect(zeroes.landed(payload)).toBe(zero);
    expect(zeroes.landed(zeroes.sent(payload))).toBe(zero);
    // What a copy read.
    expect(zeroes.landed(zeroes.sent(zero))).toBe(zero);
    expect(zeroes.landed(zeroes.sent(0))).toBe(0);
    const spoiled = spoils.stamp(zero, data);
    expect(zeroes.landed(zeroes.sent(spoiled))).toBe(spoiled);
  });

  it('that nobody asked for are told from every request', () => {
    const { zeroes, data } = world();
    expect(zeroes.landed(data)).toBe(0);
    expect(zeroes.landed(zeroes.sent(data))).toBe(0);
  });
});
