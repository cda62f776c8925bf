/**
 * Real hosts whose volume grows while a client writes: no core starts anew, whoever connects is
 * shown more, and as much wherever the volume is served from then on, also by a host that was away
 * for it, has the file of before, or lost its folder. Every acknowledged write is there, and the
 * replicas are the same byte for byte.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, StayingWriter } from './support/nbd-client.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const MIB = 1024 * 1024;
const ROOM = 96 * MIB;
const SEED = 'grown';
/** Blocks of 4 KiB in so many MiB. */
const blocksIn = (mib: number): number => mib * 256;

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

describe('a volume that grows while it is served', () => {
  if (missing !== null) {
    it('shows as much everywhere, and loses nothing', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster;
  let broken = true;

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: '32MiB', init: ['--room', '96MiB'] });
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await cluster.waitHealthy();
  }, 120_000);

  afterAll(async () => {
    if (broken) console.log(`logs and replicas: ${cluster.folder}`);
    await cluster.close(broken);
  });

  /** A file beside the one that the nodes were started with. */
  function fileWith(size: string, room = '96MiB'): string {
    const path = join(cluster.folder, `${size}-${room}.yaml`);
    const yaml = readFileSync(cluster.configPath, 'utf8');
    const edited = yaml.replace('size: 32MiB', `size: ${size}`).replace('96MiB', room);
    writeFileSync(path, edited);
    return path;
  }

  async function inUse(version: number): Promise<void> {
    await waitFor(
      `version ${version} in use everywhere`,
      async () => {
        const all = await Promise.all(['a', 'b', 'w'].map((name) => cluster.status(name)));
        const { stage } = all[0]?.status.config ?? {};
        return all.every((host) => host?.status.config?.inUse === version) && stage === undefined;
      },
      60_000,
    );
  }

  /** Dead without a word, all of it. */
  async function kill(name: string): Promise<void> {
    for (const found of await cluster.processes(name)) signal(found, 'SIGKILL');
    await waitFor('its end', async () => (await cluster.status(name)) === null);
  }

  const shown = async (name: string): Promise<number> =>
    (await readVolume(cluster.uri(name), SEED)).length;

  const say = (verb: string, file: string, ...rest: string[]) =>
    runUnderstudy('config', verb, file, ...rest);

  it('shows as much everywhere, and loses nothing', { timeout: 420_000 }, async () => {
    const serving = await cluster.waitServing();
    const other = serving === 'a' ? 'b' : 'a';
    expect(await shown(serving)).toBe(blocksIn(32));
    const cores = async (): Promise<readonly unknown[]> => {
      const all = await Promise.all(['a', 'b', 'w'].map((name) => cluster.status(name)));
      return all.map((host) => host?.processes.core);
    };
    const before = await cores();
    const uri = cluster.uri(serving);
    const writer = new StayingWriter({ uri, seed: SEED, first: 1, blocks: blocksIn(32) });
    await waitFor('writes', () => writer.acknowledged > 100, 30_000);

    const large = fileWith('64MiB');
    const told = say('apply', large);
    expect(told.err).toBe('');
    expect(told.out).toContain('grows from 32MiB to 64MiB, of the 96MiB');
    expect(told.out).toContain('Data at risk: none; a and b have everything.');
    expect((await cluster.status(serving))?.status.config).toBe(undefined);
    writer.longest = 0;
    expect(say('apply', large, '--yes').out).toContain('version 1');
    await inUse(1);
    expect(await shown(serving)).toBe(blocksIn(64));
    // Who was connected goes on as before: no core has started anew.
    expect(await cores()).toEqual(before);
    const longest = writer.longest;
    await writer.stop();
    expect((await cluster.status('a'))?.fileDiffers).toBe(true);

    // What cannot be is refused, with the reason.
    for (const [size, room, why] of [
      ['48MiB', '96MiB', 'does not get smaller'],
      ['64MiB', '128MiB', 'volumes.data.room'],
      ['128MiB', '96MiB', 'volumes.data.size'],
    ] as const) {
      const refusal = say('apply', fileWith(size, room), '--yes');
      expect([size, refusal.code, refusal.err.includes(why)]).toEqual([size, 2, true]);
    }
    expect(say('apply', large, '--yes').out).toContain('Nothing to do');

    // Its end is written as well, and the host that serves is lost.
    const next = new StayingWriter({ uri, seed: SEED, first: 1e6, blocks: blocksIn(64) });
    await waitFor('writes', () => next.acknowledged > 600, 60_000);
    await next.stop();
    await kill(serving);
    await waitFor('the other one', async () => (await cluster.serving()) === other, 60_000);
    const found = await readVolume(cluster.uri(other), SEED);
    expect(found.length).toBe(blocksIn(64));
    const ends = found.slice(blocksIn(32)).filter((sequence) => sequence > 0);
    expect(ends.length).toBeGreaterThan(100);
    const held = (sequence: number): boolean => sequence >= 1e6;
    expect(next.verify(found).filter((line) => held(Number(line.split(', not ')[1])))).toEqual([]);

    // It grows once more while that one is away, which comes back with the file of before.
    const all = fileWith('96MiB');
    expect(say('apply', all, '--yes').out).toContain('version 2');
    await waitFor('more', async () => (await shown(other)) === blocksIn(96), 60_000);
    const last = new StayingWriter({
      uri: cluster.uri(other),
      seed: SEED,
      first: 2e6,
      blocks: blocksIn(96),
    });
    await waitFor('writes', () => last.acknowledged > 600, 60_000);
    cluster.start(serving);
    await inUse(2);
    await cluster.waitHealthy();
    await last.stop();
    await switchTo(serving);
    expect(await shown(serving)).toBe(blocksIn(96));

    // Forgotten, and started with the file of now: it is known, and shows as much.
    await kill(other);
    for (const each of readdirSync(join(cluster.folder, other))) {
      if (each !== 'data.img') {
        rmSync(join(cluster.folder, other, each), { recursive: true, force: true });
      }
    }
    cluster.start(other, all);
    await inUse(2);
    await cluster.waitHealthy();
    expect((await cluster.status(other))?.fileDiffers).toBe(false);
    await switchTo(other);
    const whole = await readVolume(cluster.uri(other), SEED);
    expect(whole.length).toBe(blocksIn(96));
    const late = (line: string): boolean => Number(line.split(', not ')[1]) >= 2e6;
    expect(last.verify(whole).filter(late)).toEqual([]);
    await cluster.waitHealthy();
    await sleep(1000);
    const [left, right] = ['a', 'b'].map((name) =>
      readFileSync(cluster.replicaPath(name)).subarray(0, ROOM),
    );
    expect((left as Buffer).equals(right as Buffer)).toBe(true);
    console.log(`longest write in ms while the volume grew: ${longest}`);
    broken = false;
  });

  async function switchTo(name: string): Promise<void> {
    const ordered = await cluster.command('switch', '--to', name);
    expect(ordered.err).toBe('');
    await waitFor(`${name} to serve`, async () => (await cluster.serving()) === name, 60_000);
    await cluster.waitHealthy();
  }
});

describe('room in a replica', () => {
  const folder = mkdtempSync(join(tmpdir(), 'us-room-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  it('is what init is told, and no less than the size', () => {
    const made = runUnderstudy('init', join(folder, 'one'), '--size', '8MiB', '--room', '4MiB');
    expect([made.code, made.err.includes('--room 4MiB')]).toEqual([2, true]);
  });
});
