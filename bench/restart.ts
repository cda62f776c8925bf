/**
 * From restart to UpToDate: the serving host is killed, all its processes at once, while its hot
 * set is as large as it gets: as long as one page of the journal names, and 4 GiB. When it is back,
 * all of the hot set is copied to it by whoever took over; timed from the start of its processes
 * until it is a member again. Beside it a plain copy of as many bytes.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HOT_MAX } from '../engine/mirror/journal.ts';
import { median } from './fio.ts';
import { startOurs } from './ours.ts';
import type { Figure, Figures } from './report.ts';
import { copies, copyAfter, plainCopies } from './resync.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;
/** Hot sets, in extents of 1 MiB, and the names of their figures. */
const SETS = [
  { hot: HOT_MAX, name: 'restart-to-up-to-date' },
  { hot: 4096, name: 'restart-to-up-to-date-4GiB' },
] as const;

export interface RestartOptions {
  readonly rounds: number;
  /** Briefly: the shorter hot set alone. */
  readonly quick: boolean;
  readonly log: (line: string) => void;
}

/** Crashes the serving host of a pair on the disk, once a round, in turn, with either hot set. */
export async function benchRestart(options: RestartOptions): Promise<Figures> {
  const figures: Figures = {};
  for (const { hot, name } of options.quick ? SETS.slice(0, 1) : SETS) {
    figures[name] = await restartWith(hot, options);
  }
  return figures;
}

async function restartWith(hot: number, { rounds, log }: RestartOptions): Promise<Figure> {
  const folder = mkdtempSync(join(process.cwd(), 'understudy-restart-'));
  const ours = await startOurs(folder, `${2 * hot}MiB`, hot);
  const seen = { ours: [] as number[], plain: [] as number[], copied: [] as number[] };
  let [serving, other] = [ours.serving, ours.other];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await heat(hot, `nbd+unix:///?socket=${join(ours.home, serving, 'data.nbd')}`);
      const timeline = join(ours.home, other, 'timeline.jsonl');
      const before = copies(timeline).length;
      await ours.crashHost(serving);
      await ours.inSync(1, 60, other);
      const began = performance.now();
      ours.startHost(serving);
      await ours.inSync(2, 300, other);
      const took = (performance.now() - began) / 1000;
      const { bytes, micros } = await copyAfter(timeline, before);
      const { over } = await plainCopies(folder, Math.round(bytes / MIB), 'disk');
      seen.ours.push(took);
      seen.plain.push(over / 1e6);
      seen.copied.push(bytes / MIB);
      log(
        `restart, ${hot} extents, round ${round}/${rounds}: ${took.toFixed(1)} s, of which ` +
          `${(micros / 1e6).toFixed(1)} s copied ${Math.round(bytes / MIB)} MiB; ` +
          `plain copy ${(over / 1e6).toFixed(1)} s`,
      );
      [serving, other] = [other, serving];
    }
  } finally {
    await ours.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const [time, plain] = [median(seen.ours), median(seen.plain)];
  return {
    ours: time,
    peer: plain,
    ratio: time / plain,
    unit: `s, hot set of ${Math.round(median(seen.copied))} MiB; peer is a plain copy of it`,
    command: 'npm run bench -- --only restart',
  };
}

/** One block in every other extent: as many as may be are hot, scattered over the volume. */
async function heat(hot: number, uri: string): Promise<void> {
  await run('fio', [
    '--name=heat',
    '--ioengine=nbd',
    `--uri=${uri}`,
    '--rw=write:2044k',
    '--bs=4k',
    '--iodepth=8',
    `--size=${2 * hot}m`,
    `--io_size=${hot * 4}k`,
    '--end_fsync=1',
  ]);
}
