/**
 * Two real hosts, one of whose replica files is put back to an earlier day while it is the only
 * copy at hand: it serves, and then the host with the newer data returns. `status` says so,
 * `understudy resolve` shows both sides and changes nothing; an order that comes late changes
 * nothing either; and one that is carried out leaves both with exactly what was kept.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendCommand } from '../../backends/real/api-client.ts';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import type { SplitVolume } from '../../cli/split-text.ts';
import type { ResolveCommand, SplitStatus } from '../../engine/cluster/interface.ts';
import type { Discard } from '../../engine/data/messages.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { waitFor } from './support/hosts.ts';
import { clientMissing, WriterProcess } from './support/nbd-client.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const SIZE = 16 * 1024 * 1024;
const BLOCKS = SIZE / 4096;
/** Room for all of a branch, and for the log that names it. */
const SIDE = 24 * 1024 * 1024;
const MINUTE = 60_000;

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

interface Shown {
  readonly split: SplitStatus | null;
  readonly discard: Discard | null;
  readonly order: ResolveCommand | null;
  readonly ordered: boolean;
}

describe('understudy resolve', () => {
  if (missing !== null) {
    it('ends a split brain', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster;
  /** Has the newer data, and the older ones. */
  let [newer, older] = ['', ''];
  const contents = new Map<string, string>();

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: '16MiB', edit: withSide });
    for (const name of ['a', 'b']) {
      const path = cluster.replicaPath(name);
      truncateSync(path, statSync(path).size + SIDE);
    }
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    newer = await cluster.waitHealthy();
    older = newer === 'a' ? 'b' : 'a';
    await write(newer, 'before', 100);
    await stop(older);
    copyFileSync(cluster.replicaPath(older), `${cluster.replicaPath(older)}.old`);
    await write(newer, 'alone', 200);
    cluster.start(older);
    await cluster.waitHealthy();
    await stop(newer);
    await waitFor('a take-over', async () => (await cluster.serving()) === older, MINUTE);
    await stop(older);
    copyFileSync(`${cluster.replicaPath(older)}.old`, cluster.replicaPath(older));
    cluster.start(older);
    await waitFor('the old disk serves', async () => (await cluster.serving()) === older, MINUTE);
    await write(older, 'fork', 20);
    cluster.start(newer);
    await waitFor('both sides heard', async () => (await splitOf())?.sides.length === 2, MINUTE);
    for (const name of [newer, older]) contents.set(name, digest(name));
  }, 5 * MINUTE);

  afterAll(async () => {
    await cluster.close(true);
    rmSync(cluster.folder, { recursive: true, force: true });
  });

  function withSide(yaml: string): string {
    return yaml.replace(/(path: (a|b)\/data\.img)/g, '$1, sideSize: 24MiB');
  }

  async function stop(name: string): Promise<void> {
    for (const found of await cluster.processes(name)) signal(found, 'SIGKILL');
    await waitFor(`${name} gone`, async () => (await cluster.status(name)) === null);
  }

  async function write(name: string, seed: string, count: number): Promise<void> {
    const how = { uri: cluster.uri(name), seed, first: 1, depth: 4, blocks: BLOCKS, unitsMax: 2 };
    const writer = new WriterProcess(how, new AckRecorder());
    await waitFor(`${count} writes`, () => writer.acknowledged >= count, MINUTE);
    await writer.stop();
  }

  async function volume(): Promise<SplitVolume | undefined> {
    return (await cluster.status(older))?.status.volumes[0];
  }

  async function splitOf(): Promise<SplitStatus | undefined> {
    return (await volume())?.split;
  }

  /** Of what applications see, as it lies in the replica's file. */
  function digest(name: string): string {
    return digestOf(cluster.replicaPath(name));
  }

  function digestOf(path: string): string {
    const file = openSync(path, 'r');
    const bytes = Buffer.alloc(SIZE);
    readSync(file, bytes, 0, SIZE, 0);
    closeSync(file);
    return createHash('sha256').update(bytes).digest('hex');
  }

  async function resolve(...words: string[]): Promise<Shown> {
    const { out } = await cluster.command('resolve', '--json', ...words);
    return JSON.parse(out) as Shown;
  }

  /** What the cluster answers to an order as it was shown once. */
  async function sent(order: ResolveCommand | null): Promise<string> {
    if (order === null) throw new Error('nothing was shown');
    const answer = await sendCommand(cluster.dataFolder(older), order);
    return answer.ok ? 'ordered' : answer.reason;
  }

  it('is pointed to by status, which says plainly what is so', { timeout: MINUTE }, async () => {
    const { out } = await cluster.command('status');
    expect(out).toContain('SPLIT BRAIN: its replicas went on apart');
    expect(out).toContain('understudy resolve');
  });

  it('shows both sides and changes nothing', { timeout: MINUTE }, async () => {
    const { code, out } = await cluster.command('resolve', '--keep', newer);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`discard-younger-primary .*${older} `));
    expect(out).toContain(`Keeping ${newer} gives up everything that ${older} alone has: exactly`);
    expect(out).toContain('Nothing is changed.');
    expect(out).toContain(`All that ${older} has is kept in its side area meanwhile`);
    const { split, order, ordered } = await resolve('--keep', newer);
    expect([split?.verdict, split?.policy, ordered]).toEqual(['split-brain', 'manual', false]);
    const owner = split?.sides.find((side) => side.owner);
    expect(owner?.node).toBe(cluster.id(older));
    expect(owner?.changed.atLeast).toBeGreaterThan(0);
    expect(owner?.changed.atMost).toBe(owner?.changed.atLeast);
    expect(split?.sides.map(({ fate }) => fate?.kept)).toEqual(['yes', 'yes']);
    expect(order).toMatchObject({ discards: owner?.generation, atMost: owner?.dirty });
    expect((await cluster.command('resolve', '--yes')).code).toBe(2);
    for (const name of [newer, older]) expect(digest(name)).toBe(contents.get(name));
    expect((await volume())?.discard).toBeUndefined();
  });

  it('does nothing by an order that comes late, or for nobody, nor by taking back what is not', {
    timeout: 3 * MINUTE,
  }, async () => {
    const { order } = await resolve('--keep', newer);
    await stop(newer);
    await waitFor('one side heard', async () => (await splitOf())?.sides.length !== 2, MINUTE);
    expect(await sent(order)).toBe('no-split-brain');
    cluster.start(newer);
    await waitFor('both sides heard', async () => (await splitOf())?.sides.length === 2, MINUTE);
    // What was shown before is not what is so now, whatever it was: it has to be looked at again.
    await stop(older);
    cluster.start(older);
    await waitFor('it serves again', async () => (await cluster.serving()) === older, MINUTE);
    await waitFor('both sides heard', async () => (await splitOf())?.sides.length === 2, MINUTE);
    expect(await sent(order)).toBe('decided-since');
    const { ordered } = await resolve('--take-back', '7', '--yes');
    expect(ordered).toBe(false);
    for (const name of [newer, older]) expect(digest(name)).toBe(contents.get(name));
  });

  it('keeps the side that is named, though the other one leads, byte for byte', {
    timeout: 2 * MINUTE,
  }, async () => {
    const { ordered } = await resolve('--keep', newer, '--yes');
    expect(ordered).toBe(true);
    expect(await cluster.waitHealthy()).toBe(newer);
    await waitFor('equal files', () => digest(newer) === digest(older));
    expect(digest(newer)).toBe(contents.get(newer));
    expect((await cluster.command('resolve')).code).toBe(1);
    const { out } = await cluster.command('status');
    expect(out).not.toContain('SPLIT');
    expect((await volume())?.discard).toBeUndefined();
  });

  it('keeps what was given up, and writes it to a file, byte for byte, until it is dropped', {
    timeout: 2 * MINUTE,
  }, async () => {
    const branch = (verb: string, ...words: string[]) => {
      return runUnderstudy('branch', verb, cluster.configPath, ...words);
    };
    const file = join(cluster.folder, 'branch.img');
    const exported = () => branch('export', '--name', older, '--to', file).code;
    const { out } = await cluster.command('status', '--name', older);
    expect(out).toMatch(/Branch of data that was given up: generation \d+, given up for \d+ /);
    const listed = JSON.parse(branch('list', '--json').out);
    expect(listed.lost).toEqual([]);
    expect(listed.branches).toMatchObject([{ node: older, state: 'whole', by: 'operator' }]);
    expect(exported()).toBe(0);
    expect(digestOf(file)).toBe(contents.get(older));
    // What is there is nobody's to overwrite.
    expect(exported()).toBe(2);
    await write(newer, 'after', 100);
    await stop(older);
    cluster.start(older);
    await cluster.waitHealthy();
    rmSync(file);
    expect(exported()).toBe(0);
    expect(digestOf(file)).toBe(contents.get(older));
    expect(branch('drop').out).toContain('Nothing was changed');
    expect(branch('drop', '--yes').code).toBe(0);
    expect(branch('list').out).toContain('No branch is kept');
    expect(branch('drop', '--yes').code).toBe(1);
    rmSync(file);
    expect(exported()).toBe(1);
    expect(existsSync(file)).toBe(false);
  });
});
