/**
 * Three real hosts, each with a replica of one volume: whoever serves is killed in the middle of
 * writes, and another one has every acknowledged write; then all three are members and equal again.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const SIZE_MIB = 32;
const BYTES = SIZE_MIB * 1024 * 1024;
const NAMES = ['a', 'b', 'w'] as const;
const SEED = 'three-hosts';

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

/** The witness becomes a host with a replica of its own. */
function threeHosts(yaml: string): string {
  const first = Number(/replication: 127\.0\.0\.1:(\d+)/.exec(yaml)?.[1]);
  const [replication, nbd] = [first + 6, first + 7];
  return yaml
    .replace(/^( *)witness: true$/m, `$1replication: 127.0.0.1:${replication}\n$1watchdog: none`)
    .replace(/^( *)b: \{ path: b\/data\.img \}$/m, '$&\n$1w: { path: w/data.img }')
    .replace(/^( *)b: \['unix:b.*$/m, `$&\n$1w: ['unix:w/data.nbd', '127.0.0.1:${nbd}']`)
    .replace('nodes: [a, b]', 'nodes: [a, b, w]');
}

/** In place of the two that `init` makes: one over a disk that is there, and two to be filled. */
function makeReplicas(cluster: TestCluster): void {
  for (const name of NAMES) {
    const path = cluster.replicaPath(name);
    rmSync(path, { force: true });
    mkdirSync(dirname(path), { recursive: true });
    if (name === 'a') writeFileSync(path, new Uint8Array(BYTES));
    const made = runUnderstudy(
      'replica',
      name === 'a' ? 'adopt' : 'new',
      cluster.configPath,
      '--name',
      name,
    );
    if (made.code !== 0) throw new Error(made.err);
  }
}

describe('three hosts with a replica each', () => {
  if (missing !== null) {
    it('lose no acknowledged write when one dies', (context) => context.skip(missing));
    return;
  }

  const recorder = new AckRecorder();
  let cluster: TestCluster;
  let broken = false;

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: `${SIZE_MIB}MiB`, edit: threeHosts });
    makeReplicas(cluster);
    for (const name of NAMES) cluster.start(name);
    await allEqual();
  }, 120_000);

  afterAll(async () => {
    if (broken) console.log(`logs and replicas: ${cluster.folder}`);
    await cluster.close(broken);
  });

  const allEqual = () => cluster.waitHealthy(90_000, 3);

  it('lose no acknowledged write when the one that serves dies, and are equal again', {
    timeout: 240_000,
  }, async () => {
    broken = true;
    const dead = await cluster.waitServing();
    const uri = cluster.uri(dead);
    const blocks = BYTES / 4096;
    const options = { uri, seed: SEED, first: 1, depth: 16, blocks, unitsMax: 2 };
    const writer = new WriterProcess(options, recorder);
    await waitFor('300 writes', () => writer.acknowledged >= 300 || writer.isEnded, 60_000);
    for (const found of await cluster.processes(dead)) signal(found, 'SIGKILL');
    await writer.stop();
    const taker = await cluster.waitServing();
    expect(taker).not.toBe(dead);
    const found = await readVolume(cluster.uri(taker), SEED);
    expect(recorder.verify(found).slice(0, 5)).toEqual([]);
    cluster.start(dead);
    await allEqual();
    const contents = NAMES.map((name) =>
      readFileSync(cluster.replicaPath(name)).subarray(0, BYTES),
    );
    expect(contents.map((each) => each.equals(contents[0] as Buffer))).toEqual([true, true, true]);
    broken = false;
  });
});
