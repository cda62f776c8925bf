/** One load: fio's NBD engine (libnbd), which is none of ours. */
import { $ } from 'zx';

/** What to ask of a server. */
export interface Load {
  readonly pattern: 'randwrite' | 'randread' | 'write' | 'read';
  readonly blockBytes: number;
  readonly depth: number;
  readonly seconds: number;
}

/** What fio saw. */
export interface Measured {
  readonly iops: number;
  /** Median completion latency in µs. */
  readonly medianMicros: number;
}

/** Runs `load` against `uri`. Throws when fio reports an error. */
export async function measure(uri: string, load: Load): Promise<Measured> {
  const options = [
    '--name=bench',
    '--ioengine=nbd',
    `--uri=${uri}`,
    `--rw=${load.pattern}`,
    `--bs=${load.blockBytes}`,
    `--iodepth=${load.depth}`,
    '--time_based=1',
    `--runtime=${load.seconds}`,
    '--ramp_time=1',
    '--randrepeat=0',
    '--norandommap=1',
    '--output-format=json',
  ];
  const { stdout } = await $({ quiet: true })`fio ${options}`;
  // fio may print a notice before the object.
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    readonly jobs: readonly (Readonly<Record<'read' | 'write', Side>> & {
      readonly error: number;
    })[];
  };
  const job = report.jobs[0];
  if (job === undefined || job.error !== 0) throw new Error(`fio failed: ${stdout.slice(0, 400)}`);
  const side = load.pattern.includes('write') ? job.write : job.read;
  return { iops: side.iops, medianMicros: (side.clat_ns.percentile?.['50.000000'] ?? 0) / 1000 };
}

interface Side {
  readonly iops: number;
  readonly clat_ns: { readonly percentile?: Readonly<Record<string, number>> };
}

/** The middle of an odd count, the mean of the two middle ones of an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
