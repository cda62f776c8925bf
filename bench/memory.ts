/** Peak memory of one whole host (all its processes) with a 10 GiB volume under write load. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measure } from './fio.ts';
import { familyOf, peakMemoryMiB, startOurs } from './ours.ts';
import type { Figures } from './report.ts';

/** Bar of a host's peak memory, in MiB. */
const BAR_MIB = 250;

/** Starts a mirror of 10 GiB (sparse files), writes all over it, and sums the peaks. */
export async function benchMemory(log: (line: string) => void): Promise<Figures> {
  const folder = mkdtempSync(join('/dev/shm', 'understudy-memory-'));
  const ours = await startOurs(folder, '10GiB');
  try {
    const load = { pattern: 'randwrite', blockBytes: 4096, depth: 32, seconds: 5 } as const;
    await measure(ours.uri, load);
    // pids holds the families of a, b and w as they were at the start; the first is host a's root.
    const host = familyOf(ours.pids[0] as number);
    const peak = host.reduce((sum, pid) => sum + peakMemoryMiB(pid), 0);
    log(`host a: ${host.length} processes, sum of peaks ${Math.round(peak)} MiB`);
    return {
      'host-memory-10GiB': {
        ours: peak,
        peer: BAR_MIB,
        ratio: peak / BAR_MIB,
        unit: 'MiB, sum of the peak resident memory of one host’s processes; peer is the bar',
        command: 'npm run bench -- --only memory',
      },
    };
  } finally {
    await ours.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
