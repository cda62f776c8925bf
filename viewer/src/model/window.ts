/** The window on the time axis: its limits, and zooming about a moment. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** Nearest look: this many microseconds over the whole width. */
export const WINDOW_MIN = 20;

/** Keeps a window between the nearest look and one half wider than the run, and near the run. */
export function clampWindow(window: TimeWindow, start: number, end: number): TimeWindow {
  const length = Math.max(end - start, 1000);
  const width = Math.max(WINDOW_MIN, Math.min(window.to - window.from, length * 1.5));
  const middle = (window.from + window.to) / 2;
  // At least a tenth of the window shows the run.
  const lowest = start - width * 0.4;
  const highest = end + width * 0.4;
  const centre = Math.max(lowest, Math.min(highest, middle));
  return { from: centre - width / 2, to: centre + width / 2 };
}

/** The window made `factor` times as wide, with `about` staying where it is on the screen. */
export function zoomed(window: TimeWindow, factor: number, about: number): TimeWindow {
  const from = about - (about - window.from) * factor;
  return { from, to: from + (window.to - window.from) * factor };
}
