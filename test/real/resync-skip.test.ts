/**
 * A host was away while all of a volume was written again, mostly as it was: its copy is compared,
 * and what crosses the wire is what differs.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { findJournals, mergeSources } from '../../cli/journals.ts';
import { itUnless, waitFor } from './support/hosts.ts';
import { clientMissing } from './support/nbd-client.ts';
import { TestCluster } from './support/test-cluster.ts';

const MIB = 1 << 20;
const SIZE_MIB = 64;
/** Blocks that are written otherwise the second time, each in a piece of its own. */
const CHANGED = 5;
const PIECE = 128 * 1024;

/** Writes the whole volume, `changed` blocks of it otherwise than the others would have it. */
const WRITER = `
import nbd, random, sys
uri, size, changed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
h = nbd.NBD()
h.connect_uri(uri)
for mib in range(size):
    h.pwrite(random.Random(mib).randbytes(1 << 20), mib << 20)
for n in range(changed):
    h.pwrite(random.Random(1000 + n).randbytes(4096), (n * 11) << 20)
h.flush()
h.shutdown()
`;

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';
const define = itUnless(missing);

interface Compared {
  readonly compared: number;
  readonly equal: number;
}

function told<T>(cluster: TestCluster, kind: string): T[] {
  const { events } = mergeSources(findJournals([cluster.configPath]));
  return events.filter(({ event }) => event.kind === kind).map(({ event }) => event.d as T);
}

const ends = (cluster: TestCluster) => told<{ copied: number }>(cluster, 'mirror.resync.end');

function write(cluster: TestCluster, name: string, changed: number): void {
  const words = ['-c', WRITER, cluster.uri(name), String(SIZE_MIB), String(changed)];
  execFileSync('/usr/bin/python3', words, { stdio: 'inherit' });
}

describe('a copy of what is mostly there already', () => {
  define('sends what differs, by the piece, and both are equal after it', async () => {
    const cluster = await TestCluster.make({
      size: `${SIZE_MIB}MiB`,
      edit: (yaml) => yaml.replace('# resync: { skipEqual: off }', 'resync: { skipEqual: on }'),
    });
    try {
      for (const name of ['a', 'b', 'w']) cluster.start(name);
      const first = await cluster.waitHealthy();
      const second = first === 'a' ? 'b' : 'a';
      write(cluster, first, 0);
      for (const found of await cluster.processes(second)) signal(found, 'SIGKILL');
      await waitFor('it is gone', async () => (await cluster.status(second)) === null);
      await waitFor(
        'the first goes on alone',
        async () => (await cluster.status(first))?.status.volumes[0]?.members.length === 1,
        30_000,
      );
      const before = ends(cluster).length;
      write(cluster, first, CHANGED);
      cluster.start(second);
      await cluster.waitHealthy(120_000);
      await waitFor('the journal has it', () => ends(cluster).length > before);
      const { copied } = ends(cluster).at(-1) as { copied: number };
      const { compared, equal } = told<Compared>(cluster, 'mirror.resync.compared').at(
        -1,
      ) as Compared;
      console.log(`of ${compared} bytes compared ${equal} were equal; ${copied} were sent`);
      expect(compared).toBeGreaterThanOrEqual(SIZE_MIB * MIB);
      expect(copied).toBeGreaterThanOrEqual(CHANGED * 4096);
      // The volume is 512 pieces; what was asked for before both maps were there may be so twice.
      expect(copied).toBeLessThanOrEqual(4 * CHANGED * PIECE);
      expect(equal).toBeGreaterThan(0.95 * SIZE_MIB * MIB);
      for (const name of ['a', 'b']) {
        for (const found of await cluster.processes(name)) signal(found, 'SIGKILL');
      }
      const [a, b] = ['a', 'b'].map((name) => {
        return readFileSync(cluster.replicaPath(name)).subarray(0, SIZE_MIB * MIB);
      });
      expect(Buffer.compare(a as Buffer, b as Buffer)).toBe(0);
    } finally {
      await cluster.close();
    }
  });
});
