/**
 * Two real hosts, the replica of the second asynchronous: clients never wait for it, and whatever
 * its host was doing when both are killed, its file is, put back where it must be, what the volume
 * was at one moment. Then both come back, and it has everything.
 */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import type { ClusterStatus } from '../../engine/cluster/interface.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';
import { readReplica, WriteOrder } from './support/write-order.ts';

const SIZE = 64 * 1024 * 1024;
const SEED = 'asynchronous';
const MINUTE = 60_000;

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

type Local = NonNullable<ClusterStatus['volumes'][number]['local']>;

function asynchronous(yaml: string): string {
  const side = 'sideSize: 64MiB, side: b/side.img';
  const lag = '    lag: { bytes: 16MiB, pointEvery: 100ms }\n';
  return yaml
    .replace('b: { path: b/data.img }', `b: { path: b/data.img, mode: async, ${side} }`)
    .replace(/^ {4}replicas:$/m, `${lag}$&`);
}

describe('an asynchronous replica on a real host', () => {
  if (missing !== null) {
    it('is what the volume was at one moment', (context) => context.skip(missing));
    return;
  }

  const order = new WriteOrder();
  let cluster: TestCluster;
  let first = 1;

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: '64MiB', edit: asynchronous });
    const side = join(cluster.dataFolder('b'), 'side.img');
    writeFileSync(side, '');
    truncateSync(side, SIZE);
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await caughtUp();
  }, 2 * MINUTE);

  afterAll(async () => {
    await cluster.close();
  });

  async function localOf(name: string): Promise<Local | null> {
    return (await cluster.status(name))?.status.volumes[0]?.local ?? null;
  }

  /** The replica is sent every write, and lacks none. */
  async function caughtUp(): Promise<void> {
    const has = async (): Promise<boolean> => {
      const local = await localOf('a');
      return local?.lags?.[0]?.writes === 0 && local.dirty === 0;
    };
    await waitFor('an asynchronous replica that has everything', has, MINUTE);
  }

  function writer(): WriterProcess {
    const uri = cluster.uri('a');
    const how = { uri, seed: SEED, first, depth: 8, blocks: SIZE / 4096, unitsMax: 4 };
    return new WriterProcess(how, order);
  }

  async function kill(...names: string[]): Promise<void> {
    const found = await Promise.all(names.map((name) => cluster.processes(name)));
    for (const each of found.flat()) signal(each, 'SIGKILL');
    for (const name of names) {
      await waitFor(`${name} gone`, async () => (await cluster.status(name)) === null);
    }
  }

  /** Its file, after what a killed host left half done is put back. */
  async function imageOfB(): Promise<number[]> {
    cluster.start('b');
    await waitFor('an answer of b', async () => (await localOf('b')) !== null, MINUTE);
    await waitFor(
      'an attached disk',
      async () => (await localOf('b'))?.disk !== 'Diskless',
      MINUTE,
    );
    if ((await localOf('b'))?.disk === 'Inconsistent') {
      const { code, err } = runUnderstudy(
        ...['replica', 'return', cluster.configPath, '--name', 'b', '--yes'],
      );
      expect([code, err]).toEqual([0, '']);
    }
    await kill('b');
    return readReplica(cluster.replicaPath('b'), SIZE, SEED);
  }

  it('lets no client wait, though its host stands still', { timeout: 2 * MINUTE }, async () => {
    const epoch = (await cluster.status('a'))?.status.volumes[0]?.epoch;
    const running = writer();
    await waitFor('writes', () => running.acknowledged >= 200, MINUTE);
    const still = await cluster.processes('b');
    for (const each of still) signal(each, 'SIGSTOP');
    const before = running.acknowledged;
    await waitFor('writes without b', () => running.acknowledged >= before + 500, MINUTE);
    for (const each of still) signal(each, 'SIGCONT');
    await running.stop();
    first = running.last + 1;
    expect(running.farewell).toBe('X stopped');
    await caughtUp();
    // Nobody had to be left out of anything.
    expect((await cluster.status('a'))?.status.volumes[0]?.epoch).toBe(epoch);
  });

  it('is an image of one moment, whenever both hosts die', { timeout: 8 * MINUTE }, async () => {
    let broken = 0;
    for (const wait of [350, 20, 900, 130]) {
      const running = writer();
      const before = running.acknowledged;
      await waitFor('writes', () => running.acknowledged >= before + 300, MINUTE);
      await sleep(wait);
      await kill('a', 'b');
      await running.ended;
      first = running.last + 1;
      const image = await imageOfB();
      expect(image.filter((seq) => seq < 0)).toEqual([]);
      expect(order.mixed(image)).toBe('');
      expect(Math.max(...image)).toBeGreaterThan(0);
      if (image.some((seq, block) => seq !== readBlock(block))) broken += 1;
      for (const name of ['a', 'b']) cluster.start(name);
      await cluster.waitServing();
      await caughtUp();
      order.verify(readReplica(cluster.replicaPath('a'), SIZE, SEED));
    }
    // It was behind when it died, or nothing was at stake.
    expect(broken).toBeGreaterThan(0);
  });

  it('has everything, byte for byte, when both are back', { timeout: 2 * MINUTE }, async () => {
    const running = writer();
    await waitFor('writes', () => running.acknowledged >= 500, MINUTE);
    await running.stop();
    await caughtUp();
    await kill('a', 'b');
    const [a, b] = ['a', 'b'].map((name) => readFileSync(cluster.replicaPath(name)));
    expect(b?.subarray(0, SIZE).equals(a?.subarray(0, SIZE) as Buffer)).toBe(true);
  });

  it('goes on from that image when an operator accepts the loss', {
    timeout: 4 * MINUTE,
  }, async () => {
    for (const name of ['a', 'b']) cluster.start(name);
    await cluster.waitServing();
    await caughtUp();
    const running = writer();
    await waitFor('writes', () => running.acknowledged >= 800, MINUTE);
    const promote = (...words: string[]) => {
      return runUnderstudy('promote', cluster.configPath, '--node', 'b', '--name', 'b', ...words);
    };
    expect(promote('--accept-loss').err).toContain('somebody who is in sync is heard');
    await kill('a');
    await running.ended;
    first = running.last + 1;
    const shown = promote();
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('is nobody knows')]);
    if ((await localOf('b'))?.disk === 'Inconsistent') {
      const back = ['replica', 'return', cluster.configPath, '--name', 'b', '--yes'];
      expect(runUnderstudy(...back).err).toBe('');
    }
    await waitFor('the order taken', () => promote('--accept-loss').code === 0, MINUTE);
    expect(await cluster.waitServing()).toBe('b');
    const image = await readVolume(cluster.uri('b'), SEED);
    expect(order.mixed(image)).toBe('');

    // What is written there is everybody's, and a is filled with it; then a serves, and b is
    // behind.
    const recorder = new AckRecorder();
    const how = { seed: 'after', first: 1, depth: 8, blocks: SIZE / 4096, unitsMax: 4 };
    const after = new WriterProcess({ uri: cluster.uri('b'), ...how }, recorder);
    await waitFor('writes at b', () => after.acknowledged >= 300, MINUTE);
    await after.stop();
    cluster.start('a');
    expect(await cluster.waitHealthy()).toBe('b');
    expect(runUnderstudy('switch', cluster.configPath, '--to', 'a', '--name', 'b').code).toBe(0);
    await waitFor('a service on a', async () => (await cluster.serving()) === 'a', MINUTE);
    await caughtUp();
    const held = await readVolume(cluster.uri('a'), 'after');
    expect(recorder.verify(held.map((seq) => Math.max(seq, 0)))).toEqual([]);
  });

  function readBlock(block: number): number {
    return readOfA()[block] as number;
  }

  let ofA: { readonly last: number; readonly image: number[] } | null = null;
  function readOfA(): number[] {
    if (ofA === null || ofA.last !== first) {
      ofA = { last: first, image: readReplica(cluster.replicaPath('a'), SIZE, SEED) };
    }
    return ofA.image;
  }
});
