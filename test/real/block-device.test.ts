/** Two hosts whose replicas are block devices: what each is refused, and one whole round. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { itUnless, waitFor } from './support/hosts.ts';
import {
  attachLoop,
  detachLoop,
  loopMissing,
  makeFile,
  mountOn,
  unmount,
} from './support/loop-device.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const MIB = 1024 * 1024;
const SIZE_MIB = 16;
const missing = hasNative()
  ? (loopMissing() ?? clientMissing())
  : 'the native addon is not built (npm run build:native)';

const open: TestCluster[] = [];
const devices: string[] = [];
const mounts: string[] = [];

afterEach(async () => {
  for (const folder of mounts.splice(0)) unmount(folder);
  for (const cluster of open.splice(0)) await cluster.close();
  for (const device of devices.splice(0)) detachLoop(device);
});

/** A cluster whose replicas, as init made them, stand behind loop devices. */
async function make(): Promise<{ cluster: TestCluster; a: string; b: string }> {
  const cluster = await TestCluster.make({ size: `${SIZE_MIB}MiB` });
  open.push(cluster);
  const [a, b] = ['a', 'b'].map((name) => attach(cluster.replicaPath(name))) as [string, string];
  const yaml = readFileSync(cluster.configPath, 'utf8');
  const onDevices = yaml.replace('a/data.img', a).replace('b/data.img', b);
  expect(onDevices).toContain(`path: ${a} }`);
  writeFileSync(cluster.configPath, onDevices);
  return { cluster, a, b };
}

function attach(file: string): string {
  const device = attachLoop(file);
  devices.push(device);
  return device;
}

/** Node `name` must refuse, with exit code 2, `reason` and a remedy. */
function expectRefusal(config: string, name: string, folder: string, reason: string): void {
  const { code, err } = runUnderstudy('node', config, '--name', name, '--data', folder);
  expect(err).toContain(reason);
  expect(err).toMatch(/"remedy":"[^"]{10,}/);
  expect(code).toBe(2);
}

describe('hosts on block devices', () => {
  const it = itUnless(missing);

  it('refuse a device that is too small, empty, mounted, or no disk at all', async () => {
    const { cluster, a } = await make();
    const yaml = readFileSync(cluster.configPath, 'utf8');
    const other = join(cluster.folder, 'other.yaml');
    const folder = join(cluster.folder, 'x');
    const refuse = (path: string, reason: string): void => {
      writeFileSync(other, yaml.replace(a, path));
      expectRefusal(other, 'a', folder, reason);
    };
    const small = attach(makeFile(join(cluster.folder, 'small'), SIZE_MIB * MIB));
    refuse(small, `has ${SIZE_MIB * MIB} bytes, and the volume with its metadata needs`);
    const empty = attach(makeFile(join(cluster.folder, 'empty'), 2 * SIZE_MIB * MIB));
    refuse(empty, 'has no readable metadata');
    const none = '/dev/understudy-no-such-disk';
    refuse(none, `the replica ${none} of volume \\"data\\" does not exist`);
    refuse('/dev/null', 'is neither a file nor a block device');
    // The replica itself, whose file system somebody mounted: offset 0 of the data is unchanged.
    const mounted = join(cluster.folder, 'mounted');
    mkdirSync(mounted);
    mounts.push(mounted);
    expect(mountOn(a, mounted, SIZE_MIB * MIB)).toBeNull();
    refuse(a, `${a} is in use (mounted, or another program holds it)`);
  });

  it('refuse a second host on the device of the first, which goes on', async () => {
    const { cluster, a } = await make();
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    const serving = await cluster.waitHealthy();
    const before = await cluster.status('a');
    const yaml = readFileSync(cluster.configPath, 'utf8');
    const other = join(cluster.folder, 'other.yaml');
    const moved = yaml.replace(/:(\d{5})\b/g, (_, port: string) => `:${Number(port) + 400}`);
    writeFileSync(other, moved.replaceAll('data.nbd', 'second.nbd'));
    expectRefusal(other, 'a', join(cluster.folder, 'x'), `${a} is in use`);
    expect(await cluster.waitHealthy()).toBe(serving);
    expect((await cluster.status('a'))?.processes.core).toEqual(before?.processes.core);
  });

  it('lose no acknowledged write when one is killed, and are equal in the end', async () => {
    const { cluster, a, b } = await make();
    for (const device of [a, b]) expect(statSync(device).isBlockDevice()).toBe(true);
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    const serving = await cluster.waitHealthy();
    const recorder = new AckRecorder();
    const blocks = (SIZE_MIB * MIB) / 4096;
    const writing = { uri: cluster.uri(serving), seed: 'devices', first: 1, depth: 8 };
    const writer = new WriterProcess({ ...writing, blocks, unitsMax: 4 }, recorder);
    await waitFor('enough writes', () => writer.acknowledged > 500, 60_000);
    for (const found of await cluster.processes(serving)) signal(found, 'SIGKILL');
    await waitFor('the lost connection is noticed', () => writer.isEnded, 20_000);
    const other = await cluster.waitServing();
    expect(other).not.toBe(serving);
    expect(recorder.verify(await readVolume(cluster.uri(other), 'devices'))).toEqual([]);
    cluster.start(serving);
    await cluster.waitHealthy();
    expect(recorder.verify(await readVolume(cluster.uri(other), 'devices'))).toEqual([]);
    await cluster.close(true);
    const contents = [a, b].map(dataOf);
    expect(contents[0]?.equals(contents[1] as Buffer)).toBe(true);
    expect(contents[0]?.some((byte) => byte !== 0)).toBe(true);
  });
});

/** The data area of a device. */
function dataOf(device: string): Buffer {
  const bytes = Buffer.alloc(SIZE_MIB * MIB);
  const file = openSync(device, 'r');
  readSync(file, bytes, 0, bytes.length, 0);
  closeSync(file);
  return bytes;
}
