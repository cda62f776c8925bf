/**
 * Mirrored 4 KiB random writes through NBD: two copies of ours beside one copy of nbdkit and two
 * copies of qemu-storage-daemon's quorum, interleaved in one run so that a noisy machine disturbs
 * all three alike. Ratios count; absolute figures do not. The volume lies within the reach of the
 * activity log (256 of its 896 extents): what an extent's turning hot costs is in the warm-up only.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measure, median } from './fio.ts';
import { startOurs } from './ours.ts';
import { startNbdkit, startQuorum } from './peers.ts';
import type { Running } from './process.ts';
import type { Figures } from './report.ts';

const VOLUME_BYTES = 256 * 1024 * 1024;

/** Where and how long to measure. */
export interface MirroredWriteOptions {
  /** 'tmpfs' keeps every backing file in memory; 'disk' uses the real disk. */
  readonly place: 'tmpfs' | 'disk';
  readonly rounds: number;
  readonly secondsEach: number;
  readonly log: (line: string) => void;
}

/** Runs all three servers side by side and returns the ratios. */
export async function benchMirroredWrite(options: MirroredWriteOptions): Promise<Figures> {
  const { place, rounds, secondsEach, log } = options;
  const parent = place === 'tmpfs' ? '/dev/shm' : process.cwd();
  const folder = mkdtempSync(join(parent, 'understudy-bench-'));
  const running: Record<string, Running> = {};
  const figures: Figures = {};
  try {
    running['ours'] = await startOurs(folder, '256MiB');
    running['nbdkit'] = await startNbdkit(folder, VOLUME_BYTES);
    running['quorum'] = await startQuorum(
      folder,
      VOLUME_BYTES,
      place === 'tmpfs' ? 'writeback' : 'direct',
    );
    for (const depth of [1, 32]) {
      const seen: Record<string, number[]> = { ours: [], nbdkit: [], quorum: [] };
      for (let round = 1; round <= rounds; round++) {
        for (const [name, { uri }] of Object.entries(running)) {
          const load = { pattern: 'randwrite', blockBytes: 4096, depth } as const;
          const { iops } = await measure(uri, { ...load, seconds: secondsEach });
          seen[name]?.push(iops);
          log(`${place} depth ${depth} round ${round}/${rounds} ${name}: ${Math.round(iops)} IOPS`);
        }
      }
      const ours = seen['ours'] ?? [];
      for (const peerName of ['quorum', 'nbdkit']) {
        const peer = seen[peerName] ?? [];
        figures[`mirrored-write-4k-qd${depth}-${place}-vs-${peerName}`] = {
          ours: median(ours),
          peer: median(peer),
          // Neighbours in time are compared, for the machine's own speed drifts.
          ratio: median(ours.map((one, round) => one / (peer[round] ?? Number.NaN))),
          unit: 'IOPS',
          command: `npm run bench -- --only mirrored-write-${place}`,
        };
      }
    }
  } finally {
    await Promise.all(Object.values(running).map((one) => one.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}
