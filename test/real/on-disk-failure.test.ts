/** A volume that stays where it is served when the disk under it refuses to write. */
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { AilingDisk, ailingMissing } from './support/ailing-disk.ts';
import { waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { TestCluster } from './support/test-cluster.ts';

const SIZE_MIB = 64;
const BYTES = SIZE_MIB * 1024 * 1024;
const BLOCKS = BYTES / 4096;
const SEED = 'on-disk-failure';
const missing = hasNative()
  ? (clientMissing() ?? ailingMissing())
  : 'the native addon is not built (npm run build:native)';

describe('a disk that refuses to write under a volume that stays', () => {
  if (missing !== null) {
    it('costs its client nothing', (context) => context.skip(missing));
    return;
  }

  const recorder = new AckRecorder();
  const disks = new Map<string, AilingDisk>();
  let cluster: TestCluster;
  let served = '';
  let other = '';

  beforeAll(async () => {
    const edit = (text: string): string => text.replace('Failure: switch', 'Failure: proxy');
    cluster = await TestCluster.make({ size: `${SIZE_MIB}MiB`, edit });
    for (const name of ['a', 'b']) {
      const disk = new AilingDisk(cluster.replicaPath(name));
      await disk.attach();
      disks.set(name, disk);
    }
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    served = await cluster.waitHealthy();
    other = served === 'a' ? 'b' : 'a';
  }, 120_000);

  afterAll(async () => {
    await cluster.close(true);
    for (const disk of disks.values()) disk.detach();
    rmSync(cluster.folder, { recursive: true, force: true });
  });

  function image(name: string): Buffer {
    return readFileSync((disks.get(name) as AilingDisk).backing).subarray(0, BYTES);
  }

  async function local(name: string) {
    return (await cluster.status(name))?.status.volumes[0]?.local ?? null;
  }

  it('costs its client nothing, and the other host has every byte', async () => {
    const options = { uri: cluster.uri(served), seed: SEED, first: 1, depth: 8 } as const;
    const writer = new WriterProcess({ ...options, blocks: BLOCKS, unitsMax: 2 }, recorder);
    await waitFor('500 writes', () => writer.acknowledged >= 500 || writer.isEnded, 60_000);
    disks.get(served)?.refuseWrites(true);
    const before = writer.acknowledged;
    const more = (): boolean => writer.acknowledged >= before + 2000 || writer.isEnded;
    await waitFor('2000 more writes', more, 60_000);
    expect(writer.isEnded).toBe(false);
    await writer.stop();
    expect(await cluster.serving()).toBe(served);
    const { disk, role, proxies } = (await local(served)) ?? {};
    expect({ disk, role, proxies }).toEqual({ disk: 'Failed', role: 'Primary', proxies: true });
    const said = await cluster.command('status', '--name', served);
    expect(said.out).toContain(`served through the copy of ${other}`);
    // Through the host that serves, and on the very disk of the other one.
    for (const uri of [
      cluster.uri(served),
      `nbd+unix:///?socket=${cluster.replicaPath(other)}.sock`,
    ]) {
      const found = await readVolume(uri, SEED);
      expect(recorder.verify(found.slice(0, BLOCKS)).slice(0, 5)).toEqual([]);
    }
    expect(image(other).equals(image(served))).toBe(false);
  }, 180_000);

  it('is switched over by a person, and filled when it is whole again', async () => {
    expect((await cluster.command('switch', '--to', other)).code).toBe(0);
    await waitFor('the other host serves', async () => (await cluster.serving()) === other, 20_000);
    disks.get(served)?.refuseWrites(false);
    const status = await cluster.status(served);
    if (status === null) throw new Error(`node ${served} does not answer`);
    signal(status.processes.core, 'SIGKILL');
    await cluster.waitHealthy();
    expect(await cluster.serving()).toBe(other);
    const found = await readVolume(cluster.uri(other), SEED);
    expect(recorder.verify(found).slice(0, 5)).toEqual([]);
    expect(image(other).equals(image(served))).toBe(true);
    expect(await local(served)).toMatchObject({ disk: 'UpToDate', doubted: false });
  }, 120_000);
});
