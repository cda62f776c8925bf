/**
 * Resync throughput: a replica comes back after everything was written without it, and its copy is
 * timed by the serving host's own timeline, from its start until the target is a member, stable and
 * agreed. Beside it, in the same minute, what a person would copy as many bytes with: `dd bs=1M
 * conv=fsync` from one file to a new one on the same disk (O_DIRECT where the replicas use it), in
 * one process, over no network and with no checksum. Overwriting an old file is cheaper for memory
 * that holds it already, as a replica's is: that is told as well. No application I/O: that is the
 * resync's worst rival. A first round, in which memory and blocks are new to all, does not count.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { median } from './fio.ts';
import { startOurs } from './ours.ts';
import type { Figures } from './report.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;

export interface ResyncOptions {
  readonly place: 'tmpfs' | 'disk';
  readonly rounds: number;
  readonly mebibytes: number;
  readonly log: (line: string) => void;
}

/** Copies the whole volume once per round, ours and plainly. */
export async function benchResync(options: ResyncOptions): Promise<Figures> {
  const { place, rounds, mebibytes, log } = options;
  const parent = place === 'tmpfs' ? '/dev/shm' : process.cwd();
  const folder = mkdtempSync(join(parent, 'understudy-resync-'));
  const ours = await startOurs(folder, `${mebibytes}MiB`);
  const rates = { ours: [] as number[], plain: [] as number[], over: [] as number[] };
  try {
    for (let round = 0; round <= rounds; round += 1) {
      const timeline = join(ours.home, ours.serving, 'timeline.jsonl');
      const before = copies(timeline).length;
      await ours.stopHost(ours.other);
      await ours.inSync(1, 60);
      await writeAll(ours.uri, mebibytes);
      ours.startHost(ours.other);
      await ours.inSync(2, 300);
      const { bytes, micros } = await copyAfter(timeline, before);
      const { fresh, over } = await plainCopies(folder, mebibytes, place);
      if (round === 0) continue;
      rates.ours.push(bytes / micros);
      rates.plain.push((mebibytes * MIB) / fresh);
      rates.over.push((mebibytes * MIB) / over);
      log(
        `${place} resync round ${round}/${rounds}: ours ${rates.ours.at(-1)?.toFixed(0)} MB/s of ` +
          `${Math.round(bytes / MIB)} MiB, plain copy ${rates.plain.at(-1)?.toFixed(0)} MB/s, ` +
          `over an old file ${rates.over.at(-1)?.toFixed(0)} MB/s`,
      );
    }
  } finally {
    await ours.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const versus = (peer: readonly number[]) => ({
    ours: median(rates.ours),
    peer: median(peer),
    ratio: median(rates.ours.map((one, at) => one / (peer[at] ?? Number.NaN))),
    unit: 'MB/s',
    command: `npm run bench -- --only resync-${place}`,
  });
  return {
    [`resync-${place}-vs-plain-copy`]: versus(rates.plain),
    [`resync-${place}-vs-overwriting-copy`]: versus(rates.over),
  };
}

/** Fills the volume through a client none of ours. */
export async function writeAll(uri: string, mebibytes: number): Promise<void> {
  await run('fio', [
    '--name=fill',
    '--ioengine=nbd',
    `--uri=${uri}`,
    '--rw=write',
    '--bs=1m',
    '--iodepth=4',
    `--size=${mebibytes}m`,
    '--end_fsync=1',
  ]);
}

/** Microseconds that plain copies of as many bytes take, stable at their end. */
export async function plainCopies(
  folder: string,
  mebibytes: number,
  place: string,
): Promise<{ readonly fresh: number; readonly over: number }> {
  const [from, to] = [join(folder, 'plain-from'), join(folder, 'plain-to')];
  const common = ['bs=1M', `count=${mebibytes}`, 'status=none'];
  await run('dd', ['if=/dev/urandom', `of=${from}`, ...common, 'conv=fsync']);
  const flags = place === 'disk' ? ['iflag=direct', 'oflag=direct'] : [];
  const copy = async (conv: string): Promise<number> => {
    const began = performance.now();
    await run('dd', [`if=${from}`, `of=${to}`, ...common, ...flags, `conv=${conv}`]);
    return (performance.now() - began) * 1000;
  };
  const fresh = await copy('fsync');
  const over = await copy('notrunc,fsync');
  rmSync(from);
  rmSync(to);
  return { fresh, over };
}

export interface Copy {
  readonly bytes: number;
  /** Start to end. */
  readonly micros: number;
}

/** The finished copy after so many; a timeline is written a moment after what it tells. */
export async function copyAfter(path: string, count: number): Promise<Copy> {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = copies(path)[count];
    if (found !== undefined) return found;
    await setTimeout(100);
  }
  throw new Error(`${path} tells of no further resync`);
}

/** The finished copies on a timeline, in their order. */
export function copies(path: string): readonly Copy[] {
  let began = 0;
  const found: Copy[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    // The last line may be half written.
    if (!line.includes('"mirror.resync.') || !line.endsWith('}')) continue;
    const { t, kind, d } = JSON.parse(line) as {
      readonly t: number;
      readonly kind: string;
      readonly d: { readonly copied?: number };
    };
    if (kind === 'mirror.resync.start') began = t;
    if (kind === 'mirror.resync.end') found.push({ bytes: d.copied ?? 0, micros: t - began });
  }
  return found;
}
