import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../cli/config/units.ts';

describe('quantities with units', () => {
  it('come back exactly as they were written', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 50), (value) => {
        expect(parseDuration(formatDuration(value))).toBe(value);
        expect(parseSize(formatSize(value))).toBe(value);
      }),
    );
  });

  it('are refused without a unit, with an unknown one, negative, or not whole', () => {
    for (const text of ['', '3', 's', '-3s', '3 parsecs', '1.5us', '1e3s', '0.0000001s']) {
      expect(parseDuration(text)).toBe(null);
    }
    for (const text of ['4', '4MB', 'MiB', '0.5B', '-1KiB', '99999999TiB']) {
      expect(parseSize(text)).toBe(null);
    }
  });

  it('may be fractions when the result is whole', () => {
    expect(parseDuration('1.5s')).toBe(1_500_000);
    expect(parseSize('0.5KiB')).toBe(512);
  });
});
