/** The benchmark of the engine runs, and gives every figure that a bar is about. */
import { describe, expect, it } from 'vitest';
import { benchEngine } from '../../bench/engine.ts';
import { BARS, formatFigures, missedBars } from '../../bench/report.ts';

describe('the benchmark of the engine', () => {
  const lines: string[] = [];
  const figures = benchEngine({ quick: true, log: (line) => lines.push(line) });

  it('measures everything more than once, beside the calibration loop', () => {
    expect(lines.filter((line) => line.startsWith('engine round'))).toHaveLength(2);
    expect(Object.keys(figures)).toEqual([
      'engine-events-per-cpu-second',
      'runs-per-cpu-second',
      'simulated-to-cpu-time-1000-iops',
      'calibration-heap-ops',
    ]);
    for (const { ours, peer, ratio } of Object.values(figures)) {
      expect(ours).toBeGreaterThan(0);
      expect(ratio).toBeCloseTo(ours / peer);
    }
  });

  it('has a bar for each figure that is about the engine', () => {
    const names = BARS.map(({ name }) => name);
    for (const name of Object.keys(figures)) {
      if (!name.startsWith('calibration')) expect(names).toContain(name);
    }
  });
});

describe('the bars', () => {
  const figure = { ours: 1, peer: 2, ratio: 0.5, unit: 'runs/CPU s', command: 'npm run bench' };

  it('are missed below the least and above the most', () => {
    expect(missedBars({ 'runs-per-cpu-second': figure })).toEqual([
      'runs-per-cpu-second: 0.50 < 1',
    ]);
    expect(missedBars({ 'host-memory-10GiB': { ...figure, ratio: 1.5 } })).toHaveLength(1);
    expect(missedBars({ 'runs-per-cpu-second': { ...figure, ratio: 1 } })).toEqual([]);
    expect(missedBars({})).toEqual([]);
  });

  it('are missed by a brief measurement only where noise is no excuse', () => {
    const brief = (ratio: number): readonly string[] => {
      return missedBars({ 'runs-per-cpu-second': { ...figure, ratio } }, 'brief');
    };
    expect(brief(0.5)).toEqual([]);
    expect(brief(0.1)).toEqual(['runs-per-cpu-second: 0.10 < 0.2']);
    expect(missedBars({ 'resync-disk-vs-plain-copy': figure }, 'brief')).toEqual([]);
  });

  it('are printed with what repeats them', () => {
    expect(formatFigures({ it: figure })).toBe(
      'it: ours 1.000, peer 2.000, ratio 0.50  [runs/CPU s]  npm run bench',
    );
  });
});
