/** What every benchmark returns, and how it is printed. */

/** One comparison. `ratio` is ours / peer, or the median of that over the rounds of one run. */
export interface Figure {
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
  readonly unit: string;
  /** What repeats it. */
  readonly command: string;
}

export type Figures = { [name: string]: Figure };

/** A bar that a ratio must reach (`least`) or must not pass (`most`). */
export interface Bar {
  readonly name: string;
  readonly least?: number;
  readonly most?: number;
}

/** The bars of the product, by figure. */
export const BARS: readonly Bar[] = [
  { name: 'engine-events-per-cpu-second', least: 1 },
  { name: 'runs-per-cpu-second', least: 1 },
  { name: 'simulated-to-cpu-time-1000-iops', least: 1 },
  { name: 'engine-allocated-per-write-qd32', most: 1 },
  { name: 'mirrored-write-4k-qd32-tmpfs-vs-quorum', least: 5 },
  { name: 'mirrored-write-4k-qd32-tmpfs-vs-nbdkit', least: 0.5 },
  { name: 'resync-tmpfs-vs-plain-copy', least: 0.7 },
  { name: 'resync-disk-vs-plain-copy', least: 0.7 },
  { name: 'host-memory-10GiB', most: 1 },
];

/** The bars that `figures` miss, as sentences. */
export function missedBars(figures: Figures): readonly string[] {
  return BARS.flatMap(({ name, least, most }) => {
    const ratio = figures[name]?.ratio;
    if (ratio === undefined) return [];
    if (least !== undefined && ratio < least) return [`${name}: ${ratio.toFixed(2)} < ${least}`];
    if (most !== undefined && ratio > most) return [`${name}: ${ratio.toFixed(2)} > ${most}`];
    return [];
  });
}

/** One line per figure, for people. */
export function formatFigures(figures: Figures): string {
  const round = (value: number): string => value.toPrecision(4);
  return Object.entries(figures)
    .map(([name, { ours, peer, ratio, unit, command }]) => {
      const values = `ours ${round(ours)}, peer ${round(peer)}, ratio ${ratio.toFixed(2)}`;
      return `${name}: ${values}  [${unit}]  ${command}`;
    })
    .join('\n');
}
