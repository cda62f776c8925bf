import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barRuns, eventRuns, glyphRuns, Runs, type View } from '../../../viewer/src/model/lod.ts';
import { Series } from '../../../viewer/src/model/series.ts';

const lane = fc.array(fc.tuple(fc.nat(400), fc.nat(4)), { minLength: 1, maxLength: 600 });
const view: fc.Arbitrary<View> = fc
  .tuple(fc.nat(60_000), fc.integer({ min: 20, max: 120_000 }), fc.integer({ min: 1, max: 700 }))
  .map(([from, length, width]) => ({ from, to: from + length, width }));

function seriesOf(list: readonly (readonly [gap: number, severity: number])[]): Series {
  const series = new Series();
  let time = 0;
  for (const [index, [gap, severity]] of list.entries()) {
    time += gap;
    series.push(time, 1 + (index % 3), severity, index);
  }
  return series;
}

/** Points of a series that a window holds. */
function visible(series: Series, { from, to }: View): number[] {
  return [...Array(series.length).keys()].filter(
    (at) => series.times[at]! >= from && series.times[at]! < to,
  );
}

function columnOf(series: Series, at: number, { from, to, width }: View): number {
  return Math.min(width - 1, Math.floor((series.times[at]! - from) / ((to - from) / width)));
}

describe('events by pixel column', () => {
  it('show at each column the worst that happened there, in any window', () => {
    fc.assert(
      fc.property(lane, view, (list, window) => {
        const series = seriesOf(list);
        const runs = new Runs();
        eventRuns(series, window, runs);
        const shown = new Map<number, number>();
        for (let run = 0; run < runs.count; run++) {
          for (let x = runs.x[run]!; x < runs.x[run]! + runs.width[run]!; x++) {
            shown.set(x, runs.severity[run]!);
          }
        }
        const worst = new Map<number, number>();
        for (const at of visible(series, window)) {
          const column = columnOf(series, at, window);
          worst.set(column, Math.max(worst.get(column) ?? 0, series.severity(at)));
        }
        expect(shown).toEqual(worst);
      }),
    );
  });

  it('cost one look per column, however many events there are', () => {
    const series = new Series();
    for (let at = 0; at < 200_000; at++) series.push(at * 3, 1, at % 5 === 0 ? 2 : 1, at);
    const runs = new Runs();
    eventRuns(series, { from: 0, to: 600_000, width: 1200 }, runs);
    expect(runs.probes).toBeLessThanOrEqual(1200);
    expect(runs.count).toBeLessThanOrEqual(1200);
  });
});

describe('a bar of states', () => {
  it('shows at each column the worst state that it went through', () => {
    fc.assert(
      fc.property(lane, view, (list, window) => {
        const series = seriesOf(list);
        const runs = new Runs();
        barRuns(series, window, runs);
        const perPixel = (window.to - window.from) / window.width;
        let covered = 0;
        for (let run = 0; run < runs.count; run++) {
          expect(runs.x[run]).toBeGreaterThanOrEqual(covered);
          covered = runs.x[run]! + runs.width[run]!;
          for (let x = runs.x[run]!; x < covered; x++) {
            const from = window.from + x * perPixel;
            const states = [...Array(series.length).keys()].filter(
              (at) =>
                series.times[at]! < from + perPixel * (1 - 1e-9) &&
                (series.times[at + 1] ?? Infinity) > from + perPixel * 1e-9,
            );
            const worst = Math.max(...states.map((at) => series.severity(at)));
            expect(runs.severity[run]).toBeGreaterThanOrEqual(worst === 4 ? 4 : 0);
          }
        }
        expect(covered).toBeLessThanOrEqual(window.width);
        expect(runs.probes).toBeLessThanOrEqual(window.width);
      }),
    );
  });

  it('is one run while nothing changes', () => {
    const series = new Series();
    series.push(10, 3, 1, 0);
    const runs = new Runs();
    barRuns(series, { from: 0, to: 100, width: 50 }, runs);
    expect([runs.count, runs.x[0], runs.width[0], runs.value[0]]).toEqual([1, 5, 45, 3]);
  });
});

describe('glyphs', () => {
  it('are at most one per cell, the worst of it, and never lose a bad event', () => {
    fc.assert(
      fc.property(lane, view, (list, window) => {
        const series = seriesOf(list);
        const runs = new Runs();
        glyphRuns(series, window, 13, 4, runs);
        const bad = visible(series, window).filter((at) => series.severity(at) === 4);
        const drawn = new Set(runs.point.slice(0, runs.count));
        const cell = ((window.to - window.from) / window.width) * 13;
        for (const at of bad) {
          const near = [...drawn].some(
            (point) => Math.abs(series.times[point]! - series.times[at]!) <= cell,
          );
          expect(near).toBe(true);
        }
        expect(runs.count).toBeLessThanOrEqual(window.width / 13 + 2);
      }),
    );
  });
});
