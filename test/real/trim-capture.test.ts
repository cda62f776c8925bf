/**
 * A mostly empty volume is filled anew on a replacement: what its file system trimmed through the
 * mirror, and what reads as zeroes, is not copied, and every file is there afterwards.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { findJournals, mergeSources } from '../../cli/journals.ts';
import { itUnless, waitFor } from './support/hosts.ts';
import { type FileSystem, MountedVolume, mountMissing } from './support/mounted-volume.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const GIB = 1 << 30;
const SIZE_GIB = 20;
/** Of the volume, how much a copy may have to move (the bar), and how much was once written. */
const BAR = 0.05;
const KEPT = 60;
const FILE_BYTES = 2 << 20;
const RUBBISH = 40;
const RUBBISH_BYTES = 32 << 20;

function missingFor(system: FileSystem): string | null {
  return hasNative()
    ? mountMissing(system)
    : 'the native addon is not built (npm run build:native)';
}

/** Kills every process of a host. */
async function end(cluster: TestCluster, name: string): Promise<void> {
  await waitFor('it answers', async () => (await cluster.status(name)) !== null, 20_000);
  for (const found of await cluster.processes(name)) signal(found, 'SIGKILL');
  await waitFor('it is gone', async () => (await cluster.status(name)) === null);
}

interface Resynced {
  readonly copied: number;
  readonly zeroed: number;
}

function resyncs(cluster: TestCluster): Resynced[] {
  const { events } = mergeSources(findJournals([cluster.configPath]));
  const ends = events.filter(({ event }) => event.kind === 'mirror.resync.end');
  return ends.map(({ event }) => event.d as unknown as Resynced);
}

describe.each(['ext4', 'xfs'] as const)('a mostly empty volume with %s on it', (system) => {
  const define = itUnless(missingFor(system));

  define('is filled anew by a few percent of its size, every file right', async () => {
    const cluster = await TestCluster.make({ size: `${SIZE_GIB}GiB` });
    let volume: MountedVolume | null = null;
    try {
      for (const name of ['a', 'b', 'w']) cluster.start(name);
      const first = await cluster.waitHealthy();
      const second = first === 'a' ? 'b' : 'a';
      volume = await MountedVolume.make(cluster.uri(first), join(cluster.folder, 'm'), system);
      const rubbish = join(volume.folder, 'rubbish');
      mkdirSync(rubbish);
      for (let n = 0; n < RUBBISH; n++) {
        writeFileSync(join(rubbish, `${n}`), randomBytes(RUBBISH_BYTES));
      }
      const wanted = new Map<string, string>();
      const keep = (n: number): void => {
        const bytes = randomBytes(FILE_BYTES);
        writeFileSync(join((volume as MountedVolume).folder, `kept-${n}`), bytes);
        wanted.set(`kept-${n}`, createHash('sha256').update(bytes).digest('hex'));
      };
      for (let n = 0; n < KEPT; n++) keep(n);
      volume.sync();

      // The second host's disk is lost, and another one put in its place.
      await end(cluster, second);
      rmSync(cluster.replicaPath(second));
      const made = runUnderstudy('replica', 'new', cluster.configPath, '--name', second);
      expect([made.code, made.err]).toEqual([0, '']);
      await waitFor(
        'the first goes on alone',
        async () => (await cluster.status(first))?.status.volumes[0]?.members.length === 1,
        30_000,
      );
      rmSync(rubbish, { recursive: true });
      volume.sync();
      volume.trim();
      const began = performance.now();
      cluster.start(second);
      // While it is copied to, a client goes on.
      for (let n = KEPT; n < KEPT + 20; n++) keep(n);
      volume.sync();
      await cluster.waitHealthy(240_000);
      const seconds = (performance.now() - began) / 1000;

      let ends: Resynced[] = [];
      await waitFor('the journal has it', () => {
        ends = resyncs(cluster);
        return ends.length > 0;
      });
      const { copied, zeroed } = ends.at(-1) as Resynced;
      const share = copied / (SIZE_GIB * GIB);
      console.log(
        `${system}: ${(copied / 2 ** 20).toFixed(0)} MiB copied, ` +
          `${(zeroed / 2 ** 20).toFixed(0)} MiB zeroed, ${(share * 100).toFixed(2)} % of ` +
          `${SIZE_GIB} GiB, in ${seconds.toFixed(1)} s`,
      );
      expect(share).toBeLessThanOrEqual(BAR);
      await volume.close();
      volume = null;

      // The new replica alone: what a file system finds there.
      expect((await cluster.command('switch', '--to', second)).code).toBe(0);
      await waitFor('it serves', async () => (await cluster.serving()) === second, 30_000);
      await end(cluster, first);
      await waitFor(
        'it serves alone',
        async () => (await cluster.status(second))?.status.volumes[0]?.members.length === 1,
        30_000,
      );
      volume = await MountedVolume.make(cluster.uri(second), join(cluster.folder, 'n'), null);
      for (const [name, digest] of wanted) {
        const bytes = readFileSync(join(volume.folder, name));
        expect([name, createHash('sha256').update(bytes).digest('hex')]).toEqual([name, digest]);
      }
    } finally {
      try {
        await volume?.close();
      } finally {
        await cluster.close();
      }
    }
  });
});
