/**
 * Two real hosts, the replica of the second asynchronous and its host in no hurry: what waits for
 * it is more than memory takes, goes into a file, and comes to it in order with no copy.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hasNative, type SpillStatus } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { hasProgram } from '../native/support/rig.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const MIB = 1024 * 1024;
const SIZE = 256 * MIB;
const MINUTE = 60_000;
/** Shorter than the silence after which a link is given up, and long for a client. */
const STILL = 500;
/** Counters that status shows are so old at most, in ms. */
const STATUS_AGE = 1_500;

const able = hasNative() && hasProgram('nbdcopy');

describe.skipIf(!able)('a spill on a real host', () => {
  let cluster: TestCluster;

  afterEach(async () => {
    await cluster?.close();
  }, MINUTE);

  async function begin(folder: string): Promise<void> {
    const lag = '    lag: { bytes: 2GiB, atLimit: wait, pointEvery: 100ms }\n';
    const b = `mode: async, sideSize: 64MiB, side: b/side.img, spill: { folder: ${folder} }`;
    const edit = (yaml: string) => {
      return yaml
        .replace('b: { path: b/data.img }', `b: { path: b/data.img, ${b} }`)
        .replace(/^ {4}replicas:$/m, `${lag}$&`);
    };
    cluster = await TestCluster.make({ size: '256MiB', edit });
    mkdirSync(join(cluster.folder, 'spill'));
    const side = join(cluster.dataFolder('b'), 'side.img');
    writeFileSync(side, '');
    truncateSync(side, 64 * MIB);
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await caughtUp();
  }

  /** The replica is sent every write, and lacks none. */
  async function caughtUp(): Promise<void> {
    const has = async (): Promise<boolean> => {
      const local = (await cluster.status('a'))?.status.volumes[0]?.local;
      return local?.lags?.[0]?.writes === 0 && local.dirty === 0;
    };
    await waitFor('an asynchronous replica that has everything', has, 2 * MINUTE);
  }

  async function spill(): Promise<SpillStatus | undefined> {
    return (await cluster.status('a'))?.spills?.['data']?.[0];
  }

  async function copyIn(name: string): Promise<Buffer> {
    const image = randomBytes(SIZE);
    const path = join(cluster.folder, name);
    writeFileSync(path, image);
    await new Promise<void>((resolve, reject) => {
      execFile('nbdcopy', ['--connections=4', path, cluster.uri('a')], (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    return image;
  }

  it('takes what memory does not, and its replica has it all, byte for byte, with no copy', {
    timeout: 5 * MINUTE,
  }, async () => {
    await begin('spill');
    await copyIn('first.img');
    await caughtUp();
    const downs = async () => Number((await cluster.status('a'))?.volumes['data']?.['linksDown']);
    const [core] = (await cluster.processes('b')).filter(({ pid }) => {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('core');
    });
    if (core === undefined) throw new Error('b has a core');
    let most = 0;
    let faults: number | undefined;
    let image: Buffer = Buffer.alloc(0);
    /** Writes while b stands still again and again; links that were lost by then. */
    const attempt = async (): Promise<number> => {
      const before = await downs();
      let over = false;
      most = 0;
      faults = (await spill())?.faults;
      const slow = (async () => {
        while (!over) {
          signal(core, 'SIGSTOP');
          await sleep(STILL);
          signal(core, 'SIGCONT');
          most = Math.max(most, (await spill())?.bytes ?? 0);
          await sleep(100);
        }
      })();
      try {
        // Status is a second old, and a fast host may have read it all out again by then.
        for (let n = 0; n < 30 && most <= 8 * MIB; n += 1) image = await copyIn('second.img');
      } finally {
        over = true;
        await slow;
      }
      await caughtUp();
      await sleep(STATUS_AGE);
      return (await downs()) - before;
    };
    // A busy machine may leave b no time between two stops: a link lost for that shows nothing.
    let lost = await attempt();
    for (let n = 0; n < 4 && lost > 0; n += 1) lost = await attempt();
    expect(lost).toBe(0);
    // 64 MiB are in memory, and before those nothing is in the file.
    expect(most).toBeGreaterThan(8 * MIB);
    // What status says of it is a second old.
    await waitFor('an empty file', async () => (await spill())?.bytes === 0, MINUTE);
    expect(await spill()).toMatchObject({ state: 'on', faults });
    // Nobody can see it, and so nobody finds it after a crash.
    expect(readdirSync(join(cluster.folder, 'spill'))).toEqual([]);
    const { out } = runUnderstudy('status', cluster.configPath, '--name', 'a');
    expect(out).toContain('Lag of data on b: none; 0.0 MiB in a spill file');
    const stopped = [...(await cluster.processes('a')), ...(await cluster.processes('b'))];
    for (const each of stopped) signal(each, 'SIGKILL');
    for (const name of ['a', 'b']) {
      await waitFor(`${name} gone`, async () => (await cluster.status(name)) === null);
      const data = readFileSync(cluster.replicaPath(name)).subarray(0, SIZE);
      expect(data.equals(image)).toBe(true);
    }
  });

  it('is done without where its folder cannot be used, and everybody is told', {
    timeout: 3 * MINUTE,
  }, async () => {
    await begin('not-there');
    await waitFor('word of it', async () => (await spill())?.state === 'off', MINUTE);
    expect((await spill())?.reason).toBe('No such file or directory');
    expect(await cluster.serving()).toBe('a');
    const image = await copyIn('only.img');
    await caughtUp();
    const { out } = runUnderstudy('status', cluster.configPath, '--name', 'a');
    expect(out).toContain('no spill file, so 1 GiB at most (No such file or directory)');
    const folder = cluster.dataFolder('a');
    const told = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(told.join('')).toContain('"kind":"mirror.spill.off"');
    expect(readFileSync(cluster.replicaPath('a')).subarray(0, SIZE).equals(image)).toBe(true);
  });
});
