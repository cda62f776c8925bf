/** What becomes of a host whose replica is a block device that answers nothing for a while. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { AilingDisk, ailingMissing } from './support/ailing-disk.ts';
import { waitFor } from './support/hosts.ts';
import { attachLoop, detachLoop, directLoop, loopMissing } from './support/loop-device.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { TestCluster } from './support/test-cluster.ts';

const SIZE_MIB = 16;
const BLOCKS = (SIZE_MIB * 1024 * 1024) / 4096;
const SEED = 'lost-device';
const missing = hasNative()
  ? (clientMissing() ?? ailingMissing() ?? loopMissing())
  : 'the native addon is not built (npm run build:native)';

describe('a device that answers every request with an I/O error', () => {
  if (missing !== null) {
    it('does not end its host', (context) => context.skip(missing));
    return;
  }

  const recorder = new AckRecorder();
  const disks = new Map<string, AilingDisk>();
  const devices: string[] = [];
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: `${SIZE_MIB}MiB` });
    let yaml = readFileSync(cluster.configPath, 'utf8');
    for (const name of ['a', 'b']) {
      const path = cluster.replicaPath(name);
      const disk = new AilingDisk(path);
      await disk.attach();
      disks.set(name, disk);
      const device = attachLoop(path);
      devices.push(device);
      directLoop(device);
      yaml = yaml.replace(`${name}/data.img`, device);
    }
    writeFileSync(cluster.configPath, yaml);
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await cluster.waitHealthy();
  }, 120_000);

  afterAll(async () => {
    await cluster.close(true);
    for (const device of devices) detachLoop(device);
    for (const disk of disks.values()) disk.detach();
    rmSync(cluster.folder, { recursive: true, force: true });
  });

  it('does not end its host, and is a replica again by itself when it answers', async () => {
    const first = await cluster.waitServing();
    const disk = disks.get(first) as AilingDisk;
    const options = { uri: cluster.uri(first), seed: SEED, first: 1, depth: 8 } as const;
    const writer = new WriterProcess({ ...options, blocks: BLOCKS, unitsMax: 2 }, recorder);
    await waitFor('500 writes', () => writer.acknowledged >= 500 || writer.isEnded, 60_000);
    disk.refuseWrites(true);
    disk.refuseReads(true);
    await waitFor('the lost connection is noticed', () => writer.isEnded, 20_000);
    await waitFor('the other host serves', async () => {
      const serving = await cluster.serving();
      return serving !== null && serving !== first;
    });
    const second = await cluster.waitServing();
    const { monitor, core } = (await cluster.status(first))?.processes ?? {};
    if (core === undefined || monitor === undefined) throw new Error('its core answers');
    signal(core, 'SIGKILL');
    const local = async () => (await cluster.status(first))?.status.volumes[0]?.local;
    await waitFor('a new core that knows', async () => (await local())?.pathLost === true, 20_000);
    expect(await local()).toMatchObject({ disk: 'Failed', role: 'Idle', pathLost: true });
    expect(cluster.log(first)).toContain('replica-unreachable');
    expect(cluster.log(first)).not.toContain('core-refused');
    expect((await cluster.status(first))?.processes.monitor).toEqual(monitor);
    disk.refuseWrites(false);
    disk.refuseReads(false);
    await cluster.waitHealthy();
    expect(await cluster.waitServing()).toBe(second);
    // Its own control hears of it a moment after the other host's.
    await waitFor('the doubt is over', async () => (await local())?.doubted === false, 5000);
    expect((await local())?.disk).toBe('UpToDate');
    expect((await cluster.status(first))?.processes.monitor).toEqual(monitor);
    expect(recorder.verify(await readVolume(cluster.uri(second), SEED))).toEqual([]);
  }, 240_000);
});
