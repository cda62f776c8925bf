/**
 * Two real hosts: one is killed, the other goes on alone, and then that one is gone. The first
 * comes back and may not serve; an operator accepts the loss, and it goes on from what it had when
 * it was left out. When the other one is back it is filled from there.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const SIZE = 16 * 1024 * 1024;
const BLOCKS = SIZE / 4096;
const MINUTE = 60_000;

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

describe('the replica of a pair that was left out, on a real host', () => {
  if (missing !== null) {
    it('takes over by accepted loss', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: '16MiB' });
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await cluster.waitHealthy();
  }, 2 * MINUTE);

  afterAll(async () => {
    await cluster.close();
  });

  /** Writes at `name` until so many are acknowledged. */
  async function write(name: string, seed: string, count: number): Promise<AckRecorder> {
    const recorder = new AckRecorder();
    const how = { seed, first: 1, depth: 8, blocks: BLOCKS, unitsMax: 4 };
    const running = new WriterProcess({ uri: cluster.uri(name), ...how }, recorder);
    await waitFor(`writes at ${name}`, () => running.acknowledged >= count, MINUTE);
    await running.stop();
    return recorder;
  }

  /** What of `seed` is in each block, 0 where it is something else. */
  async function held(name: string, seed: string): Promise<number[]> {
    return (await readVolume(cluster.uri(name), seed)).map((seq) => Math.max(seq, 0));
  }

  async function kill(name: string): Promise<void> {
    for (const each of await cluster.processes(name)) signal(each, 'SIGKILL');
    await waitFor(`${name} gone`, async () => (await cluster.status(name)) === null);
  }

  it('takes over by accepted loss, with all that it had, and the other is filled from it', {
    timeout: 6 * MINUTE,
  }, async () => {
    const first = await cluster.waitServing();
    const other = first === 'a' ? 'b' : 'a';
    const both = await write(first, 'both', 400);
    await kill(other);
    const alone = await write(first, 'alone', 300);
    expect(alone.verify(await held(first, 'alone'))).toEqual([]);
    await kill(first);
    cluster.start(other);
    const promote = (...words: string[]) => {
      const where = [cluster.configPath, '--node', other, '--name', other];
      return runUnderstudy('promote', ...where, ...words);
    };
    await waitFor(
      'an outdated replica',
      async () =>
        (await cluster.status(other))?.status.volumes[0]?.local?.disk === 'Outdated' &&
        (await cluster.serving()) === null,
      MINUTE,
    );
    const shown = promote();
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('that is nobody knows')]);
    await waitFor('the order taken', () => promote('--accept-loss').code === 0, MINUTE);
    expect(await cluster.waitServing()).toBe(other);
    expect(both.verify(await held(other, 'both'))).toEqual([]);
    expect((await held(other, 'alone')).filter((seq) => seq > 0)).toEqual([]);

    const after = await write(other, 'after', 200);
    cluster.start(first);
    expect(await cluster.waitHealthy()).toBe(other);
    expect(after.verify(await held(other, 'after'))).toEqual([]);
    for (const name of [first, other]) await kill(name);
    const [one, two] = [first, other].map((name) => readFileSync(cluster.replicaPath(name)));
    expect(one?.subarray(0, SIZE).equals(two?.subarray(0, SIZE) as Buffer)).toBe(true);
  });
});
