/** Where the time axis has its ticks: steps of 1, 2 or 5 times a power of ten. */

export interface Tick {
  readonly time: number;
  /** Every fifth or so carries a label. */
  readonly major: boolean;
}

/** The smallest step of the 1-2-5 ladder that keeps labels `spacing` pixels apart, in µs. */
export function tickStep(perPixel: number, spacing: number): number {
  const least = Math.max(1, perPixel * spacing);
  let decade = 1;
  while (decade * 10 <= least) decade *= 10;
  for (const factor of [1, 2, 5]) if (decade * factor >= least) return decade * factor;
  return decade * 10;
}

/** Ticks of a window; at most a few hundred whatever the window. */
export function ticks(from: number, to: number, width: number, spacing: number): Tick[] {
  if (!(to > from) || width <= 0) return [];
  const major = tickStep((to - from) / width, spacing);
  const minor = Math.max(1, major / 5);
  const found: Tick[] = [];
  for (let index = Math.ceil(from / minor); index * minor <= to; index++) {
    const time = index * minor;
    found.push({ time, major: Math.round(time % major) === 0 });
  }
  return found;
}
