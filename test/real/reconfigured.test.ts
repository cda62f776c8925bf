/**
 * Real hosts whose configuration changes while a client writes: a third host gets a replica,
 * another one is filled on a new disk, and one leaves. The application stays where it is, every
 * acknowledged write is there, and the replicas are the same byte for byte.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { SPARE } from '../../backends/real/spawn.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, StayingWriter } from './support/nbd-client.ts';
import { TestCluster } from './support/test-cluster.ts';

const SIZE_MIB = 32;
const BYTES = SIZE_MIB * 1024 * 1024;
const BLOCKS = 1024;
const SEED = 'reconfigured';

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

/** The witness becomes a host without a replica; the group has an application. */
function threeHosts(yaml: string): string {
  const first = Number(/replication: 127\.0\.0\.1:(\d+)/.exec(yaml)?.[1]);
  return yaml
    .replace(/^( *)witness: true$/m, `$1replication: 127.0.0.1:${first + 8}\n$1watchdog: none`)
    .replace(
      /^ *# application:\n(?: *#.*\n)*/m,
      "    application:\n      start: 'exec sleep 100000'\n      checkEvery: 1s\n",
    );
}

describe('a cluster whose configuration changes while it serves', () => {
  if (missing !== null) {
    it('loses nothing, and goes on', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster;
  let broken = true;

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: `${SIZE_MIB}MiB`, edit: threeHosts });
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await inStep(2);
  }, 120_000);

  afterAll(async () => {
    if (broken) console.log(`logs and replicas: ${cluster.folder}`);
    await cluster.close(broken);
  });

  const inStep = (members: number) => cluster.waitHealthy(90_000, members);

  /** A file beside the one that the nodes were started with. */
  function fileWith(name: string, edit: (yaml: string) => string): string {
    const path = join(cluster.folder, name);
    writeFileSync(path, edit(readFileSync(cluster.configPath, 'utf8')));
    return path;
  }

  /** `understudy WORDS` with the cluster's file in place of its own: it is spoken to by folder. */
  async function say(...words: string[]): Promise<{ code: number; out: string; err: string }> {
    const [name = '', verb = '', file = '', ...rest] = words;
    const { runUnderstudy } = await import('./support/test-cluster.ts');
    const ran = runUnderstudy(name, verb, file, ...rest);
    return { code: ran.code ?? -1, out: ran.out, err: ran.err };
  }

  async function inUse(version: number): Promise<void> {
    await waitFor(
      `version ${version} in use everywhere`,
      async () => {
        const all = await Promise.all(['a', 'b', 'w'].map((name) => cluster.status(name)));
        return all.every((host) => host?.status.config?.inUse === version);
      },
      60_000,
    );
  }

  const withThird = (yaml: string): string => {
    const nbd = Number(/b: \['unix:b\/data\.nbd', '127\.0\.0\.1:(\d+)'\]/.exec(yaml)?.[1]) + 1;
    return yaml
      .replace(/^( *)b: \{ path: b\/data\.img \}$/m, '$&\n$1w: { path: w/data.img }')
      .replace(/^( *)b: \['unix:b.*$/m, `$&\n$1w: ['unix:w/data.nbd', '127.0.0.1:${nbd}']`)
      .replace('nodes: [a, b]', 'nodes: [a, b, w]');
  };

  it('gives a third host a replica, one a new disk, and takes one out, and loses nothing', {
    timeout: 420_000,
  }, async () => {
    const serving = await cluster.waitServing();
    const other = serving === 'a' ? 'b' : 'a';
    await waitFor('spare cores', () => cluster.processesSaying(SPARE).length >= 2, 60_000);
    await waitFor('the application', () => cluster.applicationProcesses(serving).length > 0);
    const [application] = cluster.applicationProcesses(serving);
    const uri = cluster.uri(serving);
    const writer = new StayingWriter({ uri, seed: SEED, first: 1, blocks: BLOCKS });
    await waitFor('writes', () => writer.acknowledged > 100, 30_000);

    // A third replica. Without its file nobody goes on, and status says what is missing.
    const third = fileWith('third.yaml', withThird);
    const shown = await say('config', 'apply', third);
    expect(shown.code).toBe(0);
    expect(shown.out).toContain('gets a replica on w');
    expect(shown.out).toContain('Data at risk: none; a and b have everything.');
    expect((await cluster.status(serving))?.status.config).toBe(undefined);
    const ordered = await say('config', 'apply', third, '--yes');
    expect(ordered.err).toBe('');
    expect(ordered.out).toContain('version 1');
    await waitFor('the want of a file', async () => {
      const waits = (await cluster.status('w'))?.status.config?.waits;
      return waits?.reason.includes('does not exist') === true;
    });
    const made = await say('replica', 'new', third, '--name', 'w');
    expect(made.err).toBe('');
    await inUse(1);
    await inStep(3);
    expect(writer.acknowledged).toBeGreaterThan(200);
    const added = writer.longest;
    const differs = await cluster.status('b');
    expect(differs?.fileDiffers).toBe(true);

    // The other one of the pair moves to another disk.
    await sleep(3000);
    writer.longest = 0;
    const moved = fileWith('moved.yaml', (yaml) =>
      withThird(yaml).replace(`path: ${other}/data.img`, `path: ${other}/second.img`),
    );
    const present = await say('replica', 'new', third, '--name', other, '--overwrite');
    expect(present.code).toBe(2);
    expect((await say('replica', 'new', moved, '--name', other)).err).toBe('');
    expect((await say('config', 'apply', moved, '--yes')).err).toBe('');
    await inUse(2);
    await inStep(3);
    const replaced = writer.longest;

    // And the third one leaves again; the one that leads must not.
    await sleep(3000);
    writer.longest = 0;
    const onlyThird = fileWith('refused.yaml', (yaml) =>
      withThird(yaml)
        .replace(`path: ${other}/data.img`, `path: ${other}/second.img`)
        .replace(new RegExp(`^ *${serving}: \\{ path: .*\\n`, 'm'), '')
        .replace(new RegExp(`^ *${serving}: \\['unix:.*\\n`, 'm'), '')
        .replace('nodes: [a, b, w]', `nodes: [${other}, w]`),
    );
    const refused = await say('config', 'apply', onlyThird, '--yes');
    expect(refused.err).toContain(`replica on ${serving}`);
    expect(refused.code).toBe(1);
    const two = fileWith('two.yaml', (yaml) =>
      yaml.replace(`path: ${other}/data.img`, `path: ${other}/second.img`),
    );
    expect((await say('config', 'apply', two, '--yes')).err).toBe('');
    await inUse(3);
    await inStep(2);
    const removed = writer.longest;

    // How large it is stays.
    for (const size of ['16MiB', '64MiB']) {
      const sized = fileWith('sized.yaml', (yaml) =>
        yaml
          .replace(`path: ${other}/data.img`, `path: ${other}/second.img`)
          .replace(`size: ${SIZE_MIB}MiB`, `size: ${size}`),
      );
      const refusal = await say('config', 'apply', sized, '--yes');
      expect([refusal.code, refusal.err.includes('volumes.data.size')]).toEqual([2, true]);
    }
    await writer.stop();
    console.log(
      `longest write in ms while a replica was added ${added}, replaced ${replaced}, ` +
        `removed ${removed}; ${writer.acknowledged} writes`,
    );

    // Nobody moved, every write is there, and both copies are the same.
    const [later] = cluster.applicationProcesses(serving);
    expect(later?.pid).toBe(application?.pid);
    expect(await cluster.waitServing()).toBe(serving);
    const found = await readVolume(uri, SEED);
    expect(writer.verify(found)).toEqual([]);
    const paths = [cluster.replicaPath(serving), join(cluster.folder, other, 'second.img')];
    const [left, right] = paths.map((path) => readFileSync(path).subarray(0, BYTES));
    expect((left as Buffer).equals(right as Buffer)).toBe(true);
    // What was removed is left as it was, and stays out when its node starts with an old file.
    expect(existsSync(cluster.replicaPath('w'))).toBe(true);
    for (const found of await cluster.processes('w')) signal(found, 'SIGKILL');
    await waitFor('its end', async () => (await cluster.status('w')) === null);
    cluster.start('w', third);
    await inUse(3);
    const back = await cluster.status('w');
    expect(back?.fileDiffers).toBe(true);
    expect(back?.status.volumes[0]?.local).toBe(null);
    await inStep(2);
    broken = false;
  });
});
