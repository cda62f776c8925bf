/**
 * A core that dies alone is nobody's business: its monitor brings it back before the lease runs
 * out, the application goes on, and whoever writes waits for a moment. UNDERSTUDY_CI=1 kills ten.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { LONG_LIFE_MS } from '../../backends/real/restart-budget.ts';
import { SPARE } from '../../backends/real/spawn.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, StayingWriter } from './support/nbd-client.ts';
import { TestCluster } from './support/test-cluster.ts';

const many = process.env['UNDERSTUDY_CI'] !== undefined;
const KILLS = many ? 10 : 2;
/** Between kills: five starts a minute are allowed, and long lives are not held against a core. */
const GAP_MS = many ? LONG_LIFE_MS + 2500 : 3000;
/** Of ten kills one may find a machine that is too busy. */
const MOVES_MAX = many ? 1 : 0;
const BLOCKS = 1024;

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';
const open: TestCluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

async function running(): Promise<TestCluster> {
  const cluster = await TestCluster.make({
    size: '16MiB',
    edit: (yaml) =>
      yaml.replace(
        /^ *# application:\n(?: *#.*\n)*/m,
        "    application:\n      start: 'exec sleep 100000'\n      checkEvery: 1s\n",
      ),
  });
  open.push(cluster);
  for (const name of ['a', 'b', 'w']) cluster.start(name);
  return cluster;
}

/** Who owns the application, and the process of it, as `name` sees it. */
async function ownerAt(cluster: TestCluster, name: string): Promise<string> {
  const owner = (await cluster.status(name))?.status.groups[0]?.owner ?? 0;
  return cluster.nameOf(owner);
}

describe('a core that is killed while its monitor lives', () => {
  if (missing !== null) {
    it('is back before anybody moves', (context) => context.skip(missing));
    return;
  }

  it('is back before anybody moves: same host, same application, every write there', async () => {
    const cluster = await running();
    const serving = await cluster.waitHealthy();
    const uri = cluster.uri(serving);
    const writer = new StayingWriter({ uri, seed: 'restart', first: 1, blocks: BLOCKS });
    const longest: number[] = [];
    let moves = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await waitFor('a spare core', () => cluster.processesSaying(SPARE).length >= 2, 60_000);
      await waitFor('the application', () => cluster.applicationProcesses(serving).length > 0);
      await sleep(GAP_MS);
      const before = await cluster.status(serving);
      const [application] = cluster.applicationProcesses(serving);
      if (before === null || application === undefined) throw new Error('nobody serves');
      writer.longest = 0;
      const count = writer.acknowledged;
      signal(before.processes.core, 'SIGKILL');
      await waitFor('another core', async () => {
        return ((await cluster.status(serving))?.session ?? 0) > before.session;
      });
      await waitFor('a write after the kill', () => writer.acknowledged > count + 10, 30_000);
      await sleep(500);
      longest.push(writer.longest);
      const [later] = cluster.applicationProcesses(serving);
      const stayed =
        (await ownerAt(cluster, serving)) === serving && later?.pid === application.pid;
      if (!stayed) moves += 1;
    }
    await writer.stop();
    console.log(
      `${KILLS} kills, longest write of each in ms: ${longest.join(' ')}; ${moves} moved`,
    );
    expect(moves).toBeLessThanOrEqual(MOVES_MAX);
    await cluster.waitHealthy();
    expect(writer.verify(await readVolume(cluster.uri(serving), 'restart'))).toEqual([]);
  }, 300_000);

  it('is succeeded by the other host when nobody brings it back', async () => {
    const cluster = await running();
    const serving = await cluster.waitHealthy();
    const other = serving === 'a' ? 'b' : 'a';
    await waitFor('the application', () => cluster.applicationProcesses(serving).length > 0);
    const before = await cluster.status(serving);
    const monitor = before?.processes.monitor ?? null;
    if (before === null || monitor === null) throw new Error('nobody serves');
    // What the test above must be able to see: the same death, and a monitor that stands still.
    signal(monitor, 'SIGSTOP');
    signal(before.processes.core, 'SIGKILL');
    await waitFor('a take-over', async () => (await ownerAt(cluster, other)) === other, 30_000);
    signal(monitor, 'SIGCONT');
    await waitFor(
      'its end there',
      () => cluster.applicationProcesses(serving).length === 0,
      30_000,
    );
  }, 120_000);
});
