/**
 * A block that one real replica cannot read: the other host serves it over the wire, the block is
 * written again, and nobody notices. A file that is cut short under a running host stands for the
 * bad disk: reads behind its end fail until somebody has written there.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { waitFor } from './support/hosts.ts';
import { clientMissing } from './support/nbd-client.ts';
import { TestCluster } from './support/test-cluster.ts';

const SIZE = 16 * 1024 * 1024;
const LAST = SIZE - 4096;

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

/** Runs Python with a client `h` of the volume; what it prints. */
function client(uri: string, script: string): string {
  const program = `import nbd\nh = nbd.NBD()\nh.connect_uri(${JSON.stringify(uri)})\n${script}`;
  const ran = spawnSync('/usr/bin/python3', ['-c', program], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return ran.stdout.trim();
}

describe('a block that one replica cannot read', () => {
  if (missing !== null) {
    it('is served by the other and written again', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.make({
      size: '16MiB',
      // Metadata of its own: behind the data it would be cut off first.
      edit: (yaml) =>
        yaml.replace(
          /\{ path: (\w)\/data\.img \}/g,
          (_, name: string) => `{ path: ${name}/data.img, meta: ${name}/meta.img }`,
        ),
    });
    for (const name of ['a', 'b']) {
      const data = cluster.replicaPath(name);
      const meta = join(cluster.dataFolder(name), 'meta.img');
      copyFileSync(data, meta);
      writeFileSync(meta, readFileSync(data).subarray(SIZE));
      truncateSync(data, SIZE);
    }
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await cluster.waitHealthy();
  }, 120_000);
  afterAll(() => cluster.close());

  it('is served by the other and written again', { timeout: 60_000 }, async () => {
    const name = await cluster.waitServing();
    const uri = cluster.uri(name);
    client(uri, `h.pwrite(bytes([77]) * 65536, ${SIZE - 65536})\nh.flush()\n`);
    const file = cluster.replicaPath(name);
    truncateSync(file, LAST);

    const seen = client(
      uri,
      `data = h.pread(65536, ${SIZE - 65536})\nprint(len(data), set(data), set(h.pread(4096, 0)))`,
    );
    expect(seen).toBe('65536 {77} {0}');

    await waitFor('the block to be repaired', () => statSync(file).size === SIZE);
    await waitFor('both replicas to be equal', () => {
      const other = cluster.replicaPath(name === 'a' ? 'b' : 'a');
      return readFileSync(file).equals(readFileSync(other));
    });
    expect(client(uri, `print(set(h.pread(4096, ${LAST})))`)).toBe('{77}');
    expect(await cluster.waitHealthy()).toBe(name);
    const volume = (await cluster.status(name))?.status.volumes[0];
    expect([volume?.local?.disk, volume?.local?.role]).toEqual(['UpToDate', 'Primary']);
  });
});
