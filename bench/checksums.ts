/**
 * What checksums cost: two pairs of ours side by side, one that keeps a checksum of every block and
 * one that does not, under the same random 4 KiB writes and reads through NBD, interleaved in one
 * run. Ratios count. The volume lies within the reach of the activity log and of the pages of
 * checksums in memory: what turning hot costs is in the warm-up only.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measure, median } from './fio.ts';
import { startOurs } from './ours.ts';
import type { Running } from './process.ts';
import type { Figures } from './report.ts';

/** How long to measure. */
export interface ChecksumsOptions {
  readonly rounds: number;
  readonly secondsEach: number;
  readonly log: (line: string) => void;
}

/** Runs both pairs on tmpfs and returns the ratios: with checksums to without. */
export async function benchChecksums(options: ChecksumsOptions): Promise<Figures> {
  const { rounds, secondsEach, log } = options;
  const folder = mkdtempSync('/dev/shm/understudy-bench-');
  const running: Record<string, Running> = {};
  const figures: Figures = {};
  try {
    for (const [name, init] of [
      ['on', ['--checksums']],
      ['off', []],
    ] as const) {
      const home = join(folder, name);
      mkdirSync(home);
      running[name] = await startOurs(home, '256MiB', 0, init);
    }
    for (const pattern of ['randwrite', 'randread'] as const) {
      for (const depth of [1, 32]) {
        const seen: Record<string, number[]> = { on: [], off: [] };
        for (let round = 1; round <= rounds; round++) {
          for (const [name, { uri }] of Object.entries(running)) {
            const load = { pattern, blockBytes: 4096, depth } as const;
            const { iops } = await measure(uri, { ...load, seconds: secondsEach });
            seen[name]?.push(iops);
            log(`${pattern} depth ${depth} round ${round}/${rounds} ${name}: ${Math.round(iops)}`);
          }
        }
        const [on = [], off = []] = [seen['on'], seen['off']];
        figures[`checksums-4k-${pattern}-qd${depth}-tmpfs`] = {
          ours: median(on),
          peer: median(off),
          // Neighbours in time are compared, for the machine's own speed drifts.
          ratio: median(on.map((one, round) => one / (off[round] ?? Number.NaN))),
          unit: 'IOPS (peer: without)',
          command: 'npm run bench -- --only checksums',
        };
      }
    }
  } finally {
    await Promise.all(Object.values(running).map((one) => one.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}
