/**
 * Level of detail: turns a lane's points into at most one run per pixel column, so that what a
 * frame costs depends on the width of the picture and not on the number of events. The worst
 * severity of a column always survives: one broken law among a million events lights its pixel.
 *
 * `probes` counts the columns looked at; tests bound it, because counts are the same on every
 * machine and times are not.
 */
import type { Series } from './series.ts';

/** The part of the time axis that is on the screen, and over how many pixels. */
export interface View {
  readonly from: number;
  readonly to: number;
  readonly width: number;
}

/** Horizontal runs of equal look, in pixels; reused from frame to frame. */
export class Runs {
  count = 0;
  probes = 0;
  x: Int32Array = new Int32Array(256);
  width: Int32Array = new Int32Array(256);
  /** The state's code for bars; 1 to {@link DENSITY_MAX} for events. */
  value: Uint32Array = new Uint32Array(256);
  severity: Uint8Array = new Uint8Array(256);
  /** Index in the series of the point that the run stands for: its worst. */
  point: Uint32Array = new Uint32Array(256);

  clear(): void {
    this.count = 0;
    this.probes = 0;
  }

  add(x: number, width: number, value: number, severity: number, point: number): void {
    const last = this.count - 1;
    if (
      last >= 0 &&
      this.x[last]! + this.width[last]! === x &&
      this.value[last] === value &&
      this.severity[last] === severity
    ) {
      this.width[last] = this.width[last]! + width;
      this.point[last] = point;
      return;
    }
    if (this.count === this.x.length) this.#grow();
    this.x[this.count] = x;
    this.width[this.count] = width;
    this.value[this.count] = value;
    this.severity[this.count] = severity;
    this.point[this.count] = point;
    this.count += 1;
  }

  #grow(): void {
    const size = this.count * 2;
    for (const name of ['x', 'width'] as const) {
      const wide = new Int32Array(size);
      wide.set(this[name]);
      this[name] = wide;
    }
    for (const name of ['value', 'point'] as const) {
      const wide = new Uint32Array(size);
      wide.set(this[name]);
      this[name] = wide;
    }
    const severity = new Uint8Array(size);
    severity.set(this.severity);
    this.severity = severity;
  }
}

/** Densities are drawn as this many heights. */
export const DENSITY_MAX = 4;

/** Columns of events: density and worst severity of each column that has any. */
export function eventRuns(series: Series, view: View, runs: Runs): void {
  runs.clear();
  const perPixel = (view.to - view.from) / view.width;
  let at = series.lowerBound(view.from);
  while (at < series.length && series.times[at]! < view.to) {
    const column = Math.min(view.width - 1, Math.floor((series.times[at]! - view.from) / perPixel));
    const next = series.lowerBound(view.from + (column + 1) * perPixel, at + 1);
    runs.probes += 1;
    const point = series.worstIndex(at, next);
    runs.add(column, 1, density(next - at), series.severity(point), point);
    at = next;
  }
}

/** 1, 2–4, 5–16, more: four heights that the eye tells apart. */
function density(count: number): number {
  if (count <= 1) return 1;
  if (count <= 4) return 2;
  return count <= 16 ? 3 : DENSITY_MAX;
}

/**
 * A bar of states: each point holds until the next one. A column in which the state changed shows
 * the worst state it went through.
 */
export function barRuns(series: Series, view: View, runs: Runs): void {
  runs.clear();
  const perPixel = (view.to - view.from) / view.width;
  let column = 0;
  let at = series.lastAt(view.from);
  if (at < 0) {
    if (series.length === 0) return;
    at = 0;
    column = Math.max(0, Math.floor((series.times[0]! - view.from) / perPixel));
  }
  while (column < view.width) {
    // Points up to the end of this column: `next` is the first one after it.
    const next = series.lowerBound(view.from + (column + 1) * perPixel, at + 1);
    runs.probes += 1;
    const point = next === at + 1 ? at : series.worstIndex(at, next);
    let end = column + 1;
    at = next - 1;
    if (point === at) {
      const until =
        next < series.length
          ? Math.floor((series.times[next]! - view.from) / perPixel)
          : view.width;
      end = Math.min(view.width, Math.max(end, until));
    }
    runs.add(column, end - column, series.values[point]!, series.severity(point), point);
    column = end;
  }
}

/**
 * Events worth a glyph, at most one per `cell` pixels: the worst of its cell. Cells are fixed to
 * the time axis, so that glyphs do not flicker when the picture is moved.
 */
export function glyphRuns(
  series: Series,
  view: View,
  cell: number,
  severityMin: number,
  runs: Runs,
): void {
  runs.clear();
  const perPixel = (view.to - view.from) / view.width;
  const perCell = perPixel * cell;
  let at = series.lowerBound(view.from);
  while (at < series.length && series.times[at]! < view.to) {
    const end = (Math.floor(series.times[at]! / perCell) + 1) * perCell;
    const next = series.lowerBound(end, at + 1);
    runs.probes += 1;
    const point = series.worstIndex(at, next);
    if (series.severity(point) >= severityMin) {
      const x = Math.round((series.times[point]! - view.from) / perPixel);
      // Width 0 keeps neighbours from being merged.
      runs.add(x, 0, series.values[point]!, series.severity(point), point);
    }
    at = next;
  }
}
