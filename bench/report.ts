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
  /**
   * The same for a brief measurement, of code just loaded, on a machine of which nobody knows how
   * fast it is and what else it does: past this it is no noise. Without it such a measurement says
   * nothing.
   */
  readonly brief?: number;
}

/** The bars of the product, by figure. */
export const BARS: readonly Bar[] = [
  { name: 'engine-events-per-cpu-second', least: 1, brief: 0.25 },
  { name: 'runs-per-cpu-second', least: 1, brief: 0.2 },
  { name: 'simulated-to-cpu-time-1000-iops', least: 1, brief: 0.5 },
  { name: 'engine-allocated-per-write-qd32', most: 1, brief: 8 },
  { name: 'mirrored-write-4k-qd32-tmpfs-vs-quorum', least: 5, brief: 2.5 },
  { name: 'mirrored-write-4k-qd32-tmpfs-vs-nbdkit', least: 0.5, brief: 0.2 },
  { name: 'resync-tmpfs-vs-plain-copy', least: 0.7 },
  { name: 'resync-disk-vs-plain-copy', least: 0.7 },
  { name: 'host-memory-10GiB', most: 1, brief: 1.1 },
];

/** The bars that `figures` miss, as sentences; of a brief measurement only what is no noise. */
export function missedBars(figures: Figures, how: 'full' | 'brief' = 'full'): readonly string[] {
  return BARS.flatMap(({ name, least, most, brief }) => {
    const ratio = figures[name]?.ratio;
    if (ratio === undefined || (how === 'brief' && brief === undefined)) return [];
    const bar = (limit: number): number => (how === 'brief' ? (brief ?? limit) : limit);
    if (least !== undefined && ratio < bar(least)) {
      return [`${name}: ${ratio.toFixed(2)} < ${bar(least)}`];
    }
    if (most !== undefined && ratio > bar(most)) {
      return [`${name}: ${ratio.toFixed(2)} > ${bar(most)}`];
    }
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
