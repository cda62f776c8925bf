import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Series } from '../../../viewer/src/model/series.ts';

/** Points as gaps and severities: the times never fall. */
const points = fc.array(fc.tuple(fc.nat(5), fc.nat(4)), { maxLength: 9000, size: 'max' });

function seriesOf(list: readonly (readonly [gap: number, severity: number])[]): Series {
  const series = new Series();
  let time = 0;
  for (const [index, [gap, severity]] of list.entries()) {
    time += gap;
    series.push(time, index % 7, severity, index);
  }
  return series;
}

describe('a series', () => {
  it('finds the worst of any range as looking at every point would', () => {
    fc.assert(
      fc.property(points, fc.nat(), fc.nat(), (list, one, other) => {
        const series = seriesOf(list);
        const [from, to] = [one % (list.length + 1), other % (list.length + 1)].sort(
          (a, b) => a - b,
        ) as [number, number];
        const part = list.slice(from, to).map(([, severity]) => severity);
        const worst = Math.max(0, ...part);
        expect(series.worst(from, to)).toBe(worst);
        expect(series.worstIndex(from, to)).toBe(
          part.length === 0 ? -1 : from + part.lastIndexOf(worst),
        );
        expect(series.lastOf(3, from, to)).toBe(
          part.findLastIndex((severity) => severity >= 3) < 0
            ? -1
            : from + part.findLastIndex((severity) => severity >= 3),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('finds the first point at or after a time, and the last one at or before it', () => {
    fc.assert(
      fc.property(points, fc.nat(30_000), fc.nat(), (list, time, start) => {
        const series = seriesOf(list);
        const times = [...series.times.slice(0, series.length)];
        const from = start % (list.length + 1);
        const first = times.findIndex((one, index) => index >= from && one >= time);
        expect(series.lowerBound(time, from)).toBe(first < 0 ? series.length : first);
        expect(series.lastAt(time)).toBe(times.findLastIndex((one) => one <= time));
      }),
      { numRuns: 60 },
    );
  });

  it('keeps one bad point among a million in sight', () => {
    const series = new Series();
    for (let index = 0; index < 1_000_000; index++) {
      series.push(index, 0, index === 765_432 ? 4 : 1, index);
    }
    expect(series.worst(0, 1_000_000)).toBe(4);
    expect(series.worstIndex(0, 1_000_000)).toBe(765_432);
    expect(series.worst(765_433, 1_000_000)).toBe(1);
  });
});
