/**
 * A volume in two parts on real hosts, with a database that writes its log to the one and its
 * pages to the other: whichever host is killed, the survivor has every acknowledged write of both,
 * the replicas are equal part by part afterwards, and a far, asynchronous one is one moment of
 * both.
 */
import { closeSync, openSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import type { ClusterStatus } from '../../engine/cluster/interface.ts';
import { AilingDisk, ailingMissing } from './support/ailing-disk.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { clientMissing, readVolume } from './support/nbd-client.ts';
import { momentOf, type PageLogImage, PageLogWriter, pageLogImage } from './support/page-log.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';
import { readReplica } from './support/write-order.ts';

const MIB = 1 << 20;
const [DATA, LOG] = [24 * MIB, 8 * MIB];
const [DATA_BLOCKS, LOG_BLOCKS] = [DATA / 4096, LOG / 4096];
const SEED = 'parts';
const MINUTE = 60_000;

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

type Local = NonNullable<ClusterStatus['volumes'][number]['local']>;

function inParts(more: string, far: string): (yaml: string) => string {
  return (yaml) =>
    yaml
      .replace(
        /^ {4}size: .*$/m,
        `    parts:\n      - { name: pages, size: ${DATA / MIB}MiB }\n` +
          `      - { name: log, size: ${LOG / MIB}MiB }\n${more}`,
      )
      .replace('a: { path: a/data.img }', 'a: { paths: { pages: a/pages.img, log: a/log.img } }')
      .replace(
        'b: { path: b/data.img }',
        `b: { paths: { log: b/log.img, pages: b/pages.img }${far} }`,
      );
}

describe('a volume in two parts on two real hosts', () => {
  if (missing !== null) {
    it('is one volume', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster | null = null;
  let disk: AilingDisk | null = null;
  let first = 1;
  afterEach(async () => {
    await cluster?.close(true);
    disk?.detach();
    if (cluster !== null) rmSync(cluster.folder, { recursive: true, force: true });
    cluster = disk = null;
    first = 1;
  });

  /** Two hosts, the second being filled; `ails`: the log of the first may fail. */
  async function start(more = '', far = '', ails = false): Promise<TestCluster> {
    const made = await TestCluster.make({ size: '1MiB', edit: inParts(more, far) });
    cluster = made;
    for (const name of ['a', 'b']) rmSync(made.replicaPath(name));
    for (const [part, bytes] of [
      ['pages', DATA],
      ['log', LOG],
    ] as const) {
      closeSync(openSync(file(made, 'a', part), 'w'));
      truncateSync(file(made, 'a', part), bytes);
    }
    for (const [verb, name] of [
      ['adopt', 'a'],
      ['new', 'b'],
    ] as const) {
      const ran = runUnderstudy('replica', verb, made.configPath, '--name', name);
      expect([ran.code, ran.err]).toEqual([0, '']);
    }
    if (ails) {
      disk = new AilingDisk(file(made, 'a', 'log'));
      await disk.attach();
    }
    for (const name of ['a', 'b', 'w']) made.start(name);
    return made;
  }

  function file(of: TestCluster, name: string, part: string): string {
    return join(of.dataFolder(name), `${part}.img`);
  }

  function uri(of: TestCluster, name: string, part: string): string {
    return of.uri(name).replace(/[^/]*$/, part);
  }

  function writer(of: TestCluster, name: string): PageLogWriter {
    return new PageLogWriter({
      ...{ dataUri: uri(of, name, 'pages'), logUri: uri(of, name, 'log'), seed: SEED, first },
      ...{ dataBlocks: DATA_BLOCKS, logBlocks: LOG_BLOCKS },
    });
  }

  async function kill(of: TestCluster, ...names: string[]): Promise<void> {
    const found = await Promise.all(names.map((name) => of.processes(name)));
    for (const each of found.flat()) signal(each, 'SIGKILL');
    for (const name of names) {
      await waitFor(`${name} gone`, async () => (await of.status(name)) === null);
    }
  }

  async function localOf(of: TestCluster, name: string): Promise<Local | null> {
    return (await of.status(name))?.status.volumes[0]?.local ?? null;
  }

  it('loses no acknowledged write of either, whoever is killed', {
    timeout: 8 * MINUTE,
  }, async () => {
    const of = await start();
    await of.waitHealthy();
    for (const wait of [0, 170, 60]) {
      const serving = await of.waitHealthy();
      const running = writer(of, serving);
      const wanted = first + 400;
      await waitFor('writes', () => running.acknowledged >= wanted, MINUTE);
      await sleep(wait);
      await kill(of, serving);
      await running.ended;
      expect(running.flushes).toBeGreaterThan(3);
      const survivor = await of.waitServing();
      expect(survivor).not.toBe(serving);
      const image: PageLogImage = {
        data: await readVolume(uri(of, survivor, 'pages'), SEED),
        log: await readVolume(uri(of, survivor, 'log'), SEED),
      };
      // Every write that was acknowledged, the one under way or not, and nothing else.
      const moment = momentOf(image);
      expect([running.acknowledged, running.acknowledged + 1]).toContain(moment);
      first = moment + 1;
      of.start(serving);
    }
    const last = await of.waitHealthy();
    const running = writer(of, last);
    await waitFor('more writes', () => running.acknowledged >= first + 200, MINUTE);
    await running.stop();
    expect(running.farewell).toBe('X stopped');
    await kill(of, 'a', 'b');
    const then = pageLogImage(running.acknowledged, DATA_BLOCKS, LOG_BLOCKS);
    for (const [part, bytes, image] of [
      ['pages', DATA, then.data],
      ['log', LOG, then.log],
    ] as const) {
      const [a, b] = ['a', 'b'].map((name) => file(of, name, part)) as [string, string];
      const [one, other] = [readFileSync(a), readFileSync(b)];
      expect(one.subarray(0, bytes).equals(other.subarray(0, bytes))).toBe(true);
      expect(readReplica(a, bytes, SEED)).toEqual(image);
    }
  });

  it('is one moment of both on a far, asynchronous replica, whenever the hosts die', {
    timeout: 8 * MINUTE,
  }, async () => {
    const lag = '    lag: { bytes: 16MiB, pointEvery: 50ms }\n';
    const of = await start(lag, ', mode: async, sideSize: 32MiB');
    const caughtUp = async (): Promise<boolean> => {
      const local = await localOf(of, 'a');
      return local?.lags?.[0]?.writes === 0 && local.dirty === 0;
    };
    await waitFor('an asynchronous replica that has everything', caughtUp, MINUTE);
    for (const wait of [10, 240, 90]) {
      const running = writer(of, 'a');
      const wanted = first + 400;
      await waitFor('writes', () => running.acknowledged >= wanted, MINUTE);
      await sleep(wait);
      await kill(of, 'a', 'b');
      await running.ended;
      const acknowledged = running.acknowledged;
      of.start('b');
      const there = async (): Promise<boolean> => {
        const disk = (await localOf(of, 'b'))?.disk;
        return disk !== undefined && disk !== 'Diskless';
      };
      await waitFor('an attached disk', there, MINUTE);
      if ((await localOf(of, 'b'))?.disk === 'Inconsistent') {
        const words = ['return', of.configPath, '--name', 'b', '--yes'];
        expect(runUnderstudy('replica', ...words).err).toBe('');
      }
      await kill(of, 'b');
      const moment = momentOf({
        data: readReplica(file(of, 'b', 'pages'), DATA, SEED),
        log: readReplica(file(of, 'b', 'log'), LOG, SEED),
      });
      expect(moment).toBeGreaterThan(0);
      expect(moment).toBeLessThanOrEqual(acknowledged + 1);
      for (const name of ['a', 'b']) of.start(name);
      expect(await of.waitServing()).toBe('a');
      await waitFor('an asynchronous replica that has everything', caughtUp, MINUTE);
      first =
        momentOf({
          data: await readVolume(uri(of, 'a', 'pages'), SEED),
          log: await readVolume(uri(of, 'a', 'log'), SEED),
        }) + 1;
      expect([acknowledged + 1, acknowledged + 2]).toContain(first);
    }
  });

  it('moves with both when one disk fails or is away, and says which', {
    timeout: 8 * MINUTE,
  }, async (context) => {
    const missing = ailingMissing();
    if (missing !== null) return context.skip(missing);
    const of = await start('', '', true);
    const ailing = disk as AilingDisk;
    expect(await of.waitHealthy()).toBe('a');
    const running = writer(of, 'a');
    await waitFor('writes', () => running.acknowledged >= 300, MINUTE);
    ailing.refuseWrites(true);
    await running.ended;
    await waitFor('a service on b', async () => (await of.serving()) === 'b', MINUTE);
    const moment = momentOf({
      data: await readVolume(uri(of, 'b', 'pages'), SEED),
      log: await readVolume(uri(of, 'b', 'log'), SEED),
    });
    expect([running.acknowledged, running.acknowledged + 1]).toContain(moment);
    const told = (await of.status('a'))?.volumes['data']?.['lastFault'];
    expect(told).toMatch(/^log: (metadata )?(write|flush): /);
    expect(of.log('a')).toContain('"code":"disk-fault","volume":"data","fault":"log: ');
    ailing.refuseWrites(false);

    // The path to it is cut: its host waits for it, and has both parts again by itself.
    await kill(of, 'a');
    of.start('a');
    expect(await of.waitHealthy()).toBe('b');
    ailing.cutPath();
    first = moment + 1;
    const more = writer(of, 'b');
    const away = (): boolean => of.log('a').includes('replica-unreachable');
    await waitFor('a host that waits for its disk', away, MINUTE);
    expect(of.log('a')).toContain(`the replica ${file(of, 'a', 'log')} of volume`);
    await ailing.mendPath();
    await more.stop();
    expect(more.farewell).toBe('X stopped');
    expect(await of.waitHealthy()).toBe('b');
    await kill(of, 'a', 'b');
    const then = pageLogImage(more.acknowledged, DATA_BLOCKS, LOG_BLOCKS);
    expect(readReplica(file(of, 'a', 'pages'), DATA, SEED)).toEqual(then.data);
    expect(readReplica(ailing.backing, LOG, SEED)).toEqual(then.log);
  });
});
