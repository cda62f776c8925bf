/**
 * Two real hosts under load: while `understudy snapshot` holds a quiesce point, the files of both
 * replicas are copied whole. The copies are the same, byte for byte, and hold exactly what the
 * client had been told by then.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import type { AckRecorder } from './support/ack-recorder.ts';
import { waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, type WriterProcess } from './support/nbd-client.ts';
import type { TestCluster } from './support/test-cluster.ts';
import { underLoad } from './support/under-load.ts';

const SIZE = 32 * 1024 * 1024;
const BLOCK = 4096;
const BLOCKS = SIZE / BLOCK;
const SEED = 'snapshot';

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

interface Result {
  readonly images: readonly { replicas: readonly { node: string; path: string }[] }[];
  readonly heldMillis: number;
  readonly stood: boolean;
  readonly reason: string;
  readonly command: string;
}

describe('understudy snapshot', () => {
  if (missing !== null) {
    it('copies the image of one moment', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster;
  let serving: string;
  let recorder: AckRecorder;
  let writer: WriterProcess;

  beforeAll(async () => {
    ({ cluster, serving, recorder, writer } = await underLoad(SIZE / 1024 / 1024, SEED, BLOCKS));
  }, 120_000);

  afterAll(async () => {
    await cluster.close(true);
    rmSync(cluster.folder, { recursive: true, force: true });
  });

  async function snapshot(...words: string[]): Promise<readonly [number, Result, string]> {
    const { code, out, err } = await cluster.command('snapshot', '--json', ...words);
    return [code, JSON.parse(out) as Result, err];
  }

  function copyTo(name: string): string {
    const to = (replica: string): string => `"${join(cluster.folder, `${name}-${replica}`)}"`;
    return ['a', 'b'].map((r) => `cp "${cluster.replicaPath(r)}" ${to(r)}`).join(' && ');
  }

  function copies(name: string): readonly [Buffer, Buffer] {
    const [a, b] = ['a', 'b'].map((replica) => {
      return readFileSync(join(cluster.folder, `${name}-${replica}`)).subarray(0, SIZE);
    });
    return [a as Buffer, b as Buffer];
  }

  it('holds both replicas still, with what was acknowledged', { timeout: 60_000 }, async () => {
    for (const name of ['one', 'two', 'three']) {
      const before = writer.acknowledged;
      const [code, result, err] = await snapshot('--run', copyTo(name));
      expect([code, result.stood, result.command, err]).toEqual([0, true, '', '']);
      expect(result.images[0]?.replicas).toEqual(
        [serving, serving === 'a' ? 'b' : 'a'].map((node) => {
          return { node, path: cluster.replicaPath(node) };
        }),
      );
      const [a, b] = copies(name);
      expect(a.equals(b)).toBe(true);
      await waitFor('writes go on', () => writer.acknowledged > before + 100, 60_000);
    }
  });

  it('leaves alone what status tells of the load', { timeout: 60_000 }, async () => {
    const load = /Load of data: \d+ writes\/s .* of it for the mirror, .* % of a processor/;
    await waitFor('a load', async () => {
      const { out } = await cluster.command('status', '--name', serving);
      return load.test(out);
    });
    const meters = (await cluster.status(serving))?.status.volumes[0]?.local?.meters;
    expect(meters?.addedMicros).toBeGreaterThan(0);
    expect(meters?.writeMicros).toBeGreaterThanOrEqual(meters?.addedMicros ?? 0);
    expect(meters?.bytesSent).toBeGreaterThan(0);
  });

  it('is let go late, and the image is none', { timeout: 60_000 }, async () => {
    const [code, { stood, reason, command }] = await snapshot('--for', '1', '--run', 'sleep 20');
    expect([code, stood, reason]).toEqual([1, false, 'point-expired']);
    expect(command).toBe('took too long, and was ended');
  });

  it('lets requests go on when its command fails', { timeout: 60_000 }, async () => {
    const before = writer.acknowledged;
    const [code, { stood, command }] = await snapshot('--run', 'exit 3');
    expect([code, stood, command]).toEqual([1, true, 'failed with exit code 3']);
    await waitFor('writes go on', () => writer.acknowledged > before + 50, 60_000);
  });

  it('has the image that the client reads when it has stopped', { timeout: 60_000 }, async () => {
    await writer.stop();
    const [code] = await snapshot('--run', copyTo('last'));
    expect(code).toBe(0);
    const found = await readVolume(cluster.uri(serving), SEED);
    expect(recorder.verify(found)).toEqual([]);
    const [last] = copies('last');
    expect(last.equals(readFileSync(cluster.replicaPath('a')).subarray(0, SIZE))).toBe(true);
  });

  it('refuses what cannot be, in words', { timeout: 60_000 }, async () => {
    const other = serving === 'a' ? 'b' : 'a';
    const wrong = await cluster.command('snapshot', '--run', 'true', '--name', other);
    expect([wrong.code, wrong.err]).toMatchObject([2, expect.stringContaining('no node of this')]);
    expect((await cluster.command('snapshot', '--run', 'true', '--for', '31')).code).toBe(2);
    expect((await cluster.command('snapshot')).code).toBe(2);
    const unknown = await cluster.command('snapshot', '--run', 'true', '--volume', 'nothing');
    expect([unknown.code, unknown.err]).toMatchObject([2, expect.stringContaining('one of: data')]);
  });
});
