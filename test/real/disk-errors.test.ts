/** What becomes of the volume when a real replica's disk refuses to write. */
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
const BLOCKS = (SIZE_MIB * 1024 * 1024) / 4096;
const SEED = 'disk-errors';
const missing = hasNative()
  ? (clientMissing() ?? ailingMissing())
  : 'the native addon is not built (npm run build:native)';

describe('a disk that refuses to write', () => {
  if (missing !== null) {
    it('costs no acknowledged write', (context) => context.skip(missing));
    return;
  }

  const recorder = new AckRecorder();
  const disks = new Map<string, AilingDisk>();
  let cluster: TestCluster;
  let sequence = 1;

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: `${SIZE_MIB}MiB` });
    for (const name of ['a', 'b']) {
      const disk = new AilingDisk(cluster.replicaPath(name));
      await disk.attach();
      disks.set(name, disk);
    }
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await cluster.waitHealthy();
  }, 120_000);

  afterAll(async () => {
    await cluster.close(true);
    for (const disk of disks.values()) disk.detach();
    rmSync(cluster.folder, { recursive: true, force: true });
  });

  function disk(name: string): AilingDisk {
    return disks.get(name) as AilingDisk;
  }

  async function writer(name: string, count: number): Promise<WriterProcess> {
    const options = { uri: cluster.uri(name), seed: SEED, first: sequence, depth: 8 } as const;
    const process_ = new WriterProcess({ ...options, blocks: BLOCKS, unitsMax: 2 }, recorder);
    const enough = (): boolean => process_.acknowledged >= count || process_.isEnded;
    await waitFor(`${count} writes`, enough, 60_000);
    return process_;
  }

  async function diskState(name: string): Promise<{ disk: string; doubted: boolean }> {
    const local = (await cluster.status(name))?.status.volumes[0]?.local;
    return { disk: local?.disk ?? '', doubted: local?.doubted ?? false };
  }

  async function verify(name: string): Promise<void> {
    const found = await readVolume(cluster.uri(name), SEED);
    expect(recorder.verify(found).slice(0, 5)).toEqual([]);
  }

  function expectEqualReplicas(): void {
    const [a, b] = ['a', 'b'].map((name) => {
      return readFileSync(disk(name).backing).subarray(0, SIZE_MIB * 1024 * 1024);
    }) as [Buffer, Buffer];
    expect(a.equals(b)).toBe(true);
  }

  /** The core of a host starts anew, in the same boot. */
  async function restartCore(name: string): Promise<void> {
    const status = await cluster.status(name);
    if (status === null) throw new Error(`node ${name} does not answer`);
    signal(status.processes.core, 'SIGKILL');
  }

  it('on the serving host moves the volume, and costs no acknowledged write', async () => {
    const first = await cluster.waitServing();
    const process_ = await writer(first, 500);
    disk(first).refuseWrites(true);
    await waitFor('the lost connection is noticed', () => process_.isEnded, 20_000);
    sequence = process_.last + 1;
    await waitFor('the other host serves', async () => (await cluster.serving()) !== first, 20_000);
    const second = await cluster.waitServing();
    expect(second).not.toBe(first);
    await verify(second);
    expect(await diskState(first)).toEqual({ disk: 'Failed', doubted: true });
  }, 120_000);

  it('stays out when its core restarts, and is whole again once it was copied to', async () => {
    const serving = await cluster.waitServing();
    const failed = serving === 'a' ? 'b' : 'a';
    disk(failed).refuseWrites(false);
    await restartCore(failed);
    await cluster.waitHealthy();
    expect(await cluster.waitServing()).toBe(serving);
    await verify(serving);
    expectEqualReplicas();
    expect(await diskState(failed)).toEqual({ disk: 'UpToDate', doubted: false });
  }, 120_000);

  it('on the other host is left behind, and the client notices nothing', async () => {
    const serving = await cluster.waitHealthy();
    const other = serving === 'a' ? 'b' : 'a';
    const process_ = await writer(serving, 200);
    disk(other).refuseWrites(true);
    const before = process_.acknowledged;
    const more = (): boolean => process_.acknowledged >= before + 500 || process_.isEnded;
    await waitFor('500 more writes', more, 60_000);
    await process_.stop();
    sequence = process_.last + 1;
    expect(process_.acknowledged).toBeGreaterThanOrEqual(before + 500);
    expect(await diskState(other)).toEqual({ disk: 'Failed', doubted: true });
    disk(other).refuseWrites(false);
    await restartCore(other);
    await cluster.waitHealthy();
    await verify(serving);
    expectEqualReplicas();
  }, 180_000);

  it('whose path is lost comes back by itself when the path does', async () => {
    const first = await cluster.waitHealthy();
    const process_ = await writer(first, 500);
    disk(first).cutPath();
    await waitFor('the lost connection is noticed', () => process_.isEnded, 20_000);
    sequence = process_.last + 1;
    await waitFor('the other host serves', async () => (await cluster.serving()) !== first, 20_000);
    const second = await cluster.waitServing();
    await verify(second);
    const restarts = async (): Promise<number> => {
      const status = await cluster.status(first);
      const lost = status?.status.volumes[0]?.local?.pathLost === true;
      return lost ? status.processes.coreRestarts : -1;
    };
    const before = await restarts();
    expect(before).toBeGreaterThanOrEqual(0);
    await waitFor('its core looks again', async () => (await restarts()) > before, 60_000);
    expect(await cluster.serving()).toBe(second);
    await disk(first).mendPath();
    await cluster.waitHealthy();
    expect(await cluster.waitServing()).toBe(second);
    await verify(second);
    expectEqualReplicas();
    expect(await diskState(first)).toEqual({ disk: 'UpToDate', doubted: false });
  }, 240_000);
});
