/**
 * Two real hosts with side areas. The source of a resync is killed in the middle and does not come
 * back; the target is put back by `understudy replica return`, and its file is, byte for byte, what
 * it was before. Then the source returns after all.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import type { ClusterStatus } from '../../engine/cluster/interface.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { clientMissing, WriterProcess } from './support/nbd-client.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const SIZE = 128 * 1024 * 1024;
const BLOCKS = SIZE / 4096;
// Room for all of it, however late the source dies: what is full is no way back, and that is told
// elsewhere.
const SIDE = 192 * 1024 * 1024;
/** So much is in the log when the source dies. */
const SAVED = 1024 * 1024;
const MINUTE = 60_000;

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

type Local = NonNullable<ClusterStatus['volumes'][number]['local']>;

describe('understudy replica return', () => {
  if (missing !== null) {
    it('gives back what a resync overwrote', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster;
  let [source, target] = ['', ''];
  let image = '';

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: '128MiB', edit: withSide });
    for (const name of ['a', 'b']) {
      writeFileSync(sideOf(name), '');
      truncateSync(sideOf(name), SIDE);
    }
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    source = await cluster.waitHealthy();
    target = source === 'a' ? 'b' : 'a';
    await write('before', 500);
    for (let attempt = 1; attempt <= 6 && !(await lostInCopy(attempt)); attempt += 1) {
      // The copy was quicker than the signal.
      cluster.start(source);
      source = await cluster.waitHealthy();
      target = source === 'a' ? 'b' : 'a';
    }
  }, 8 * MINUTE);

  /** Kills the source in the middle of a copy; false when the copy had ended by then. */
  async function lostInCopy(attempt: number): Promise<boolean> {
    await stop(target);
    image = digest(target);
    // No log is in it: the replica is whole. What is allocated of the file shows how far one is.
    truncateSync(sideOf(target), 0);
    truncateSync(sideOf(target), SIDE);
    await write(`alone ${attempt}`, 6000 * attempt);
    const doomed = await cluster.processes(source);
    cluster.start(target);
    // A file's size is asked for in no time, and status takes as long as a good part of the copy.
    const ends = Date.now() + MINUTE;
    while (statSync(sideOf(target)).blocks * 512 < SAVED) {
      if (Date.now() > ends) throw new Error('no copy is under way');
      await sleep(1);
    }
    for (const found of doomed) signal(found, 'SIGKILL');
    await waitFor(`${source} gone`, async () => (await cluster.status(source)) === null);
    await waitFor('the loss seen', async () => (await localOf(target))?.link === 'Connecting');
    return (await localOf(target))?.disk === 'Inconsistent';
  }

  afterAll(async () => {
    await cluster.close(true);
    rmSync(cluster.folder, { recursive: true, force: true });
  });

  function withSide(yaml: string): string {
    return yaml.replace(/(path: (a|b)\/data\.img)/g, '$1, sideSize: 192MiB, side: $2/side.img');
  }

  function sideOf(name: string): string {
    return join(cluster.dataFolder(name), 'side.img');
  }

  async function stop(name: string): Promise<void> {
    for (const found of await cluster.processes(name)) signal(found, 'SIGKILL');
    await waitFor(`${name} gone`, async () => (await cluster.status(name)) === null);
  }

  async function write(seed: string, count: number): Promise<void> {
    const how = {
      uri: cluster.uri(source),
      seed,
      first: 1,
      depth: 16,
      blocks: BLOCKS,
      unitsMax: 2,
    };
    const writer = new WriterProcess(how, new AckRecorder());
    await waitFor(`${count} writes`, () => writer.acknowledged >= count, MINUTE);
    await writer.stop();
  }

  async function localOf(name: string): Promise<Local | null> {
    return (await cluster.status(name))?.status.volumes[0]?.local ?? null;
  }

  function returned(...words: string[]): ReturnType<typeof runUnderstudy> {
    return runUnderstudy('replica', 'return', cluster.configPath, '--name', target, ...words);
  }

  /** Of what applications see, as it lies in the replica's file. */
  function digest(name: string): string {
    const file = openSync(cluster.replicaPath(name), 'r');
    const bytes = Buffer.alloc(SIZE);
    readSync(file, bytes, 0, SIZE, 0);
    closeSync(file);
    return createHash('sha256').update(bytes).digest('hex');
  }

  it('is pointed to by status, and shows first what it would do', { timeout: MINUTE }, async () => {
    expect((await localOf(target))?.disk).toBe('Inconsistent');
    const before = digest(target);
    expect(before).not.toBe(image);
    const status = await cluster.command('status', '--name', target);
    expect(status.out).toContain('can be put back');
    const { code, out } = returned();
    expect([code, out]).toEqual([0, expect.stringContaining('Nothing was changed')]);
    expect(digest(target)).toBe(before);
  });

  it('gives back what the resync overwrote, and leads nobody', { timeout: MINUTE }, async () => {
    const { code, out } = returned('--yes', '--json');
    expect([code, JSON.parse(out)]).toEqual([0, { volume: 'data', node: target, back: true }]);
    expect(digest(target)).toBe(image);
    await waitFor('an answer', async () => (await localOf(target))?.disk === 'Outdated', MINUTE);
    expect(await localOf(target)).toMatchObject({ role: 'Secondary', link: 'Connecting' });
    expect((await localOf(target))?.wayBack).toBe(undefined);
    expect(returned('--yes').code).toBe(1);
  });

  it('is no hindrance when the source comes back after all', { timeout: 2 * MINUTE }, async () => {
    cluster.start(source);
    await cluster.waitHealthy();
    await write('after', 50);
    await waitFor('equal files', () => digest(source) === digest(target), MINUTE);
  });
});
