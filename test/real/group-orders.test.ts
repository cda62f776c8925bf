/** What people order of a group, on two real hosts: a switch, a stop that stays, a start. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { TestCluster } from './support/test-cluster.ts';

const BLOCKS = 4096;
const SEED = 'orders';
const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

describe('an order of a person', () => {
  if (missing !== null) {
    it('moves a group', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster;
  beforeAll(async () => {
    // Reads from both copies, so that a switch finds some of them with the other host.
    const edit = (yaml: string): string => yaml.replace('reads: local', 'reads: balanced');
    cluster = await TestCluster.make({ size: '16MiB', edit });
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await cluster.waitHealthy();
  }, 120_000);
  afterAll(() => cluster.close());

  async function groupState(): Promise<string> {
    return (await cluster.status('w'))?.status.groups[0]?.state ?? '';
  }

  it('switches the service under load, and loses no acknowledged write', {
    timeout: 120_000,
  }, async () => {
    const first = await cluster.waitServing();
    const second = first === 'a' ? 'b' : 'a';
    const recorder = new AckRecorder();
    const how = { seed: SEED, first: 1, depth: 8, blocks: BLOCKS, unitsMax: 2 };
    const writer = new WriterProcess({ uri: cluster.uri(first), ...how }, recorder);
    await waitFor('300 writes', () => writer.acknowledged >= 300, 60_000);
    const { code, out } = await cluster.command('switch', '--to', second);
    expect([code, out]).toEqual([0, 'Ordered. See how it goes: understudy status\n']);
    await waitFor('the client lost its server', () => writer.isEnded, 20_000);
    await waitFor('the other serves', async () => (await cluster.serving()) === second, 20_000);
    expect(recorder.verify(await readVolume(cluster.uri(second), SEED))).toEqual([]);
    await cluster.waitHealthy();
    const journal = (await cluster.status(second))?.status.volumes[0];
    expect(journal?.members.map(({ node }) => cluster.nameOf(node))).toEqual(['a', 'b']);
  });

  it('is refused with the reason in words, and as one object', { timeout: 60_000 }, async () => {
    const serving = await cluster.waitServing();
    const there = await cluster.command('switch', '--to', serving);
    expect([there.code, there.err]).toEqual([1, 'Group service: it is there already.\n']);
    const json = await cluster.command('switch', '--to', serving, '--json');
    expect([json.code, JSON.parse(json.out)]).toMatchObject([1, { reason: 'already-there' }]);
    expect((await cluster.command('switch', '--to', 'nobody')).code).toBe(2);
    const unknown = await cluster.command('stop-group', '--group', 'other');
    expect([unknown.code, unknown.err]).toMatchObject([2, expect.stringContaining('service')]);
  });

  it('stops a group until it is started', { timeout: 120_000 }, async () => {
    expect((await cluster.command('stop-group', '--name', 'w')).code).toBe(0);
    await waitFor('it is stopped', async () => (await groupState()) === 'stopped', 20_000);
    expect(await cluster.serving()).toBe(null);
    expect((await cluster.command('start-group', '--name', 'w')).code).toBe(0);
    await cluster.waitServing();
    await waitFor('it is online', async () => (await groupState()) === 'online', 20_000);
  });
});
