/**
 * What must never be taken in: replicas that are not ours, damaged metadata, a second host on one
 * replica, and rubbish on every port. Each gets a clear answer, nothing is lost, everybody lives.
 */
import { createHash } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect } from 'vitest';
import { parseAddress } from '../../backends/real/address.ts';
import { hostPaths } from '../../backends/real/host-options.ts';
import type { HostStatus } from '../../backends/real/host-status.ts';
import { mirrorConfig } from '../../backends/real/mirror-config.ts';
import { hasNative } from '../../backends/real/native.ts';
import type { VolumeConfig } from '../../engine/core/config.ts';
import { decodeSuperblock, metadataLayout } from '../../engine/mirror/metadata.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { freePorts, itUnless, sleep, waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const PAGE = 4096;
const SIZE = '4MiB';
const noAddon = hasNative() ? null : 'the native addon is not built (npm run build:native)';
const open: TestCluster[] = [];
const servers: Server[] = [];
const wires: UdpSocket[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  for (const wire of wires.splice(0)) wire.close();
  for (const cluster of open.splice(0)) await cluster.close();
});

async function make(): Promise<TestCluster> {
  const cluster = await TestCluster.make({ size: SIZE });
  open.push(cluster);
  return cluster;
}

async function running(): Promise<TestCluster> {
  const cluster = await make();
  for (const name of ['a', 'b', 'w']) cluster.start(name);
  await cluster.waitHealthy();
  return cluster;
}

function volumeOf(cluster: TestCluster): VolumeConfig {
  return cluster.loaded.config.volumes[0] as VolumeConfig;
}

/** Where the two superblock slots of a replica stand. */
function slotsOf(cluster: TestCluster): { page: number; at: number }[] {
  const volume = volumeOf(cluster);
  const { slotA, slotB } = metadataLayout(mirrorConfig(volume));
  return [slotA, slotB].map((page) => ({ page, at: volume.sizeBytes + page * PAGE }));
}

function damage(path: string, at: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(100, 0xee), 0, 100, at + 70);
  closeSync(file);
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Runs node `name`, which must refuse with exit code 2, name `reason`, and change no replica. */
function expectRefusal(cluster: TestCluster, name: string, reason: string, config?: string): void {
  const replica = cluster.replicaPath(name);
  const before = digest(replica);
  const words = ['node', config ?? cluster.configPath, '--name', name];
  const data = config === undefined ? [] : ['--data', join(cluster.folder, 'other')];
  const { code, err } = runUnderstudy(...words, ...data);
  expect(err).toContain(reason);
  expect(err).toMatch(/"remedy":"[^"]{10,}/);
  expect(code).toBe(2);
  expect(digest(replica)).toBe(before);
}

describe('a host that cannot start as it is told', () => {
  const it = itUnless(null);

  it('says line, field and remedy of a malformed configuration, and makes nothing', async () => {
    const cluster = await make();
    const yaml = readFileSync(cluster.configPath, 'utf8');
    const path = join(cluster.folder, 'bad.yaml');
    const mistakes: readonly (readonly [from: RegExp, to: string, field: string])[] = [
      [/size: 4MiB/, 'size: 4MiBB', 'volumes.data.size'],
      [/nbd:/, 'ndb:', 'volumes.data.ndb'],
      [/replication: 127.0.0.1:\d+/, 'replication: 127.0.0.1', 'nodes.a.replication'],
      [/cluster: (\w+)/, 'cluster: [$1', ''],
    ];
    for (const [from, to, field] of mistakes) {
      const bad = yaml.replace(from, to);
      expect(bad).not.toBe(yaml);
      writeFileSync(path, bad);
      const folder = join(cluster.folder, 'new');
      const { code, err } = runUnderstudy('node', path, '--name', 'a', '--data', folder);
      const at = yaml.slice(0, yaml.search(from)).split('\n').length;
      expect(err).toContain(`bad.yaml:${field === '' ? '' : at}`);
      expect(err).toContain(field);
      expect(err).toMatch(/Remedy: .{10,}/);
      expect(code).toBe(2);
      expect(existsSync(folder)).toBe(false);
    }
  });

  it('refuses a key that is none, and its own state when that is damaged', async () => {
    const cluster = await make();
    const key = join(cluster.folder, 'understudy.key');
    const good = readFileSync(key);
    const start = (): { code: number | null; err: string } => {
      return runUnderstudy('node', cluster.configPath, '--name', 'w');
    };
    writeFileSync(key, 'zz\n');
    const first = start();
    expect(first.err).toContain('is not 64 hexadecimal digits');
    expect(first.err).toMatch(/Remedy: .{10,}/);
    expect(first.code).toBe(2);
    rmSync(key);
    const folder = join(cluster.folder, 'new');
    const words = ['node', cluster.configPath, '--name', 'w', '--data', folder];
    const missing = runUnderstudy(...words);
    expect(missing.err).toMatch(/understudy.key cannot be read.*\n?Remedy: .{10,}/);
    expect([missing.code, existsSync(folder)]).toEqual([2, false]);
    const json = runUnderstudy(...words, '--json');
    expect(JSON.parse(json.out)).toMatchObject({ remedy: expect.stringMatching(/.{10,}/) });
    writeFileSync(key, good);
    const child = cluster.start('w');
    await waitFor('an answer', async () => (await cluster.status('w')) !== null, 30_000);
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    const own = cluster.dataFolder('w');
    const newest = readdirSync(own)
      .filter((name) => name.startsWith('control-0'))
      .sort()
      .at(-1);
    const before = readFileSync(join(own, newest ?? ''));
    const damaged = Buffer.from(before);
    damaged.writeUInt8(damaged.readUInt8(before.length - 2) ^ 1, before.length - 2);
    writeFileSync(join(own, newest ?? ''), damaged);
    const second = start();
    expect(second.err).toContain('its checksum does not fit');
    expect(second.err).toContain('this node then joins as a new voter');
    expect(second.code).toBe(2);
    // Nothing was written over it: a person may still look.
    expect(readFileSync(join(own, newest ?? '')).equals(damaged)).toBe(true);
  });
});

describe('a replica that must not be used', () => {
  const it = itUnless(noAddon);

  it('is refused when it has the wrong size', async () => {
    const cluster = await make();
    truncateSync(cluster.replicaPath('a'), 1024 * 1024);
    expectRefusal(cluster, 'a', 'has 1048576 bytes, not');
  });

  it('is refused while the side area that it is to have is not there', async () => {
    const cluster = await make();
    const path = join(cluster.folder, 'side.yaml');
    const yaml = readFileSync(cluster.configPath, 'utf8');
    const own = 'path: a/data.img';
    writeFileSync(path, yaml.replace(own, `${own}, sideSize: 1MiB`));
    expectRefusal(cluster, 'a', 'has no side area yet', path);
    writeFileSync(path, yaml.replace(own, `${own}, sideSize: 1MiB, side: a/side.img`));
    expectRefusal(cluster, 'a', 'does not exist', path);
    // It is refused while the configuration is read, before the replica is looked at.
    writeFileSync(path, yaml.replace(own, `${own}, sideSize: 4KiB`));
    const { code, err } = runUnderstudy('node', path, '--name', 'a');
    expect(code).toBe(2);
    expect(err).toContain('sideSize');
  });

  it('is refused when it is missing', async () => {
    const cluster = await make();
    const path = join(cluster.folder, 'moved.yaml');
    writeFileSync(path, readFileSync(cluster.configPath, 'utf8').replace('a/data.img', 'a/no.img'));
    expectRefusal(cluster, 'a', 'does not exist', path);
  });

  it('is refused when it belongs to another volume or another node', async () => {
    const cluster = await make();
    const yaml = readFileSync(cluster.configPath, 'utf8');
    const other = join(cluster.folder, 'other.yaml');
    writeFileSync(other, yaml.replace(/uuid: \w+/, `uuid: ${'ab'.repeat(16)}`));
    expectRefusal(cluster, 'a', 'belongs to another volume', other);
    writeFileSync(other, yaml.replace('path: a/data.img', 'path: b/data.img'));
    expectRefusal(cluster, 'a', 'belongs to another node', other);
  });

  it('is refused when both superblock slots are damaged', async () => {
    const cluster = await make();
    for (const { at } of slotsOf(cluster)) damage(cluster.replicaPath('a'), at);
    expectRefusal(cluster, 'a', 'both superblock slots are damaged');
  });

  it('is healed when one slot is damaged, and the cluster comes up', async () => {
    const cluster = await make();
    const [first] = slotsOf(cluster);
    damage(cluster.replicaPath('a'), first?.at ?? 0);
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await cluster.waitHealthy();
    await waitFor('both slots are whole', () => {
      return slotsOf(cluster).every(({ page, at }) => {
        const bytes = new Uint8Array(PAGE);
        const file = openSync(cluster.replicaPath('a'), 'r');
        readSync(file, bytes, 0, PAGE, at);
        closeSync(file);
        return decodeSuperblock(mirrorConfig(volumeOf(cluster)), 1, page, bytes).ok;
      });
    });
  });

  it('is refused to a second host, and the first goes on', async () => {
    const cluster = await running();
    const before = await cluster.status('a');
    const yaml = readFileSync(cluster.configPath, 'utf8');
    const other = join(cluster.folder, 'other.yaml');
    // Other addresses, another folder, the same replica.
    const moved = yaml.replace(/:(\d{5})\b/g, (_, port: string) => `:${Number(port) + 400}`);
    writeFileSync(other, moved.replaceAll('data.nbd', 'second.nbd'));
    const second = runUnderstudy('node', other, '--name', 'a', '--data', join(cluster.folder, 'x'));
    expect(second.err).toContain('is held by another host or process');
    expect(second.code).toBe(2);
    expect(await cluster.waitHealthy()).toBe(cluster.nameOf(before?.status.groups[0]?.owner ?? 0));
    expect((await cluster.status('a'))?.processes.core).toEqual(before?.processes.core);
  });
});

/** What a port is fed, and how often. */
const RUBBISH: readonly Buffer[] = [
  Buffer.from('GET / HTTP/1.0\r\n\r\n'),
  Buffer.alloc(16),
  Buffer.alloc(300_000, 0xff),
  Buffer.from('NBDMAGICIHAVEOPT\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff', 'latin1'),
  // A client's flags, then an option that claims 4 GiB.
  Buffer.from('0000000349484156454f505400000007ffffffff', 'hex'),
  createHash('sha512').update('noise').digest(),
];

/** What a process that strayed into a host's folder might say there. */
const STRAY: readonly Buffer[] = [
  '{"kind":"beat"}\n{"kind":"beat","guardian":7}\n{"kind":"application"}\n',
  '{"kind":"application","group":{},"epoch":"x","state":[]}\n{"kind":"hello","process":1}\n',
  '{"kind":"shut-down"}\n[]\nnull\n7\n{"kind":{}}\n{"__proto__":{"kind":"beat"}}\n',
  '{"kind":"bea',
  `GET /status?${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
  'POST /command HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999999999\r\n\r\n{',
  'POST /command HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{"kind":1',
  'GET /timeline HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\xff\xff',
].map((text) => Buffer.from(text, 'latin1'));

async function feed(
  target: { host: string; port: number } | { path: string },
  diet: readonly Buffer[] = RUBBISH,
): Promise<void> {
  for (const rubbish of diet) {
    const socket = connect(target as { path: string });
    socket.on('error', () => undefined);
    socket.write(rubbish);
    await sleep(30);
    socket.destroy();
  }
}

function datagramsTo(address: string, datagrams: readonly Buffer[]): Promise<void> {
  const { host, port } = parseAddress(address);
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    let left = datagrams.length;
    for (const datagram of datagrams) {
      socket.send(datagram, port, host, () => {
        left -= 1;
        if (left === 0) socket.close(() => resolve());
      });
    }
  });
}

async function statusOf(cluster: TestCluster, name: string): Promise<HostStatus> {
  const status = await cluster.status(name);
  if (status === null) throw new Error(`node ${name} does not answer`);
  return status;
}

function count(status: HostStatus, name: string): number {
  return Number(status.volumes['data']?.[name] ?? 0);
}

/** Passes connections on to `port` and keeps what was sent there. */
async function tap(port: number, from: number): Promise<{ sent: () => Buffer[] }> {
  const sent: Buffer[][] = [];
  const server = createServer((near: Socket) => {
    const mine: Buffer[] = [];
    sent.push(mine);
    const far = connect(port, '127.0.0.1');
    near.on('data', (piece) => {
      mine.push(piece as Buffer);
      far.write(piece);
    });
    far.pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(from, '127.0.0.1', resolve));
  return { sent: () => sent.map((pieces) => Buffer.concat(pieces)) };
}

/** A wire to `address`, on the same network: it passes datagrams on, and has kept them. */
async function wireTap(address: string): Promise<{
  address: string;
  /** Sends the newest `count` again; how many there were. */
  replay: (count: number) => number;
}> {
  const { host, port } = parseAddress(address);
  const [from] = (await freePorts(1)) as [number];
  const socket = createSocket('udp4');
  const kept: Buffer[] = [];
  socket.on('message', (datagram) => {
    kept.push(datagram);
    socket.send(datagram, port, host);
  });
  await new Promise<void>((resolve) => socket.bind(from, host, resolve));
  wires.push(socket);
  return {
    address: `${host}:${from}`,
    replay: (count) => {
      const again = kept.slice(-count);
      for (const datagram of again) socket.send(datagram, port, host);
      return again.length;
    },
  };
}

const noClient = noAddon ?? clientMissing();

describe('rubbish on every port', () => {
  const it = itUnless(noClient);

  it('is dropped and counted while writes go on, and nothing is lost', async () => {
    const cluster = await running();
    const serving = await cluster.waitHealthy();
    const nodes = ['a', 'b', 'w'];
    const before = await Promise.all(nodes.map((name) => statusOf(cluster, name)));
    const recorder = new AckRecorder();
    const writing = { uri: cluster.uri(serving), seed: 'rubbish', first: 1, depth: 8 };
    const writer = new WriterProcess({ ...writing, blocks: 1024, unitsMax: 2 }, recorder);
    for (const { name, witness, control, replication } of cluster.loaded.config.nodes) {
      for (const address of control) {
        await datagramsTo(address, [Buffer.alloc(0), ...RUBBISH.filter((r) => r.length < 60_000)]);
        await datagramsTo(address, [Buffer.alloc(65_000, 0x55)]);
      }
      const { core, api } = hostPaths(cluster.dataFolder(name));
      for (const path of [core, api]) await feed({ path }, [...RUBBISH, ...STRAY]);
      if (witness) continue;
      await feed(parseAddress(replication));
      const nbd = volumeOf(cluster).nbd.find(({ node }) => node === cluster.id(name));
      for (const address of nbd?.listen ?? []) {
        await feed(
          address.startsWith('unix:') ? { path: address.slice(5) } : parseAddress(address),
        );
      }
    }
    await waitFor('enough writes', () => writer.acknowledged > 500);
    await writer.stop();
    await sleep(1500);
    const after = await Promise.all(nodes.map((name) => statusOf(cluster, name)));
    for (const [i, status] of after.entries()) {
      const earlier = before[i] as HostStatus;
      expect(status.processes.core).toEqual(earlier.processes.core);
      expect(status.session).toBe(earlier.session);
      expect(status.processes.monitor).toEqual(earlier.processes.monitor);
      expect(status.processes.monitorRestarts).toBe(0);
      expect(status.control.badLength + status.control.badMagic).toBeGreaterThan(4);
      if (status.node === 'w') continue;
      expect(count(status, 'peerRefused')).toBeGreaterThan(count(earlier, 'peerRefused'));
    }
    const server = after.find(({ node }) => node === serving) as HostStatus;
    expect(count(server, 'nbdRejected') + count(server, 'nbdRefused')).toBeGreaterThan(0);
    const found = await readVolume(cluster.uri(serving), 'rubbish');
    expect(recorder.verify(found)).toEqual([]);
    expect(await cluster.waitHealthy()).toBe(serving);
  });

  it('includes a replication session that was recorded and is sent again', async () => {
    const cluster = await make();
    const b = cluster.loaded.config.nodes.find(({ name }) => name === 'b');
    const { port } = parseAddress(b?.replication ?? '');
    const [tapPort] = (await freePorts(1)) as [number];
    const { sent } = await tap(port, tapPort);
    // Node a, which connects, is told that b's replication address is the tap's.
    const yaml = readFileSync(cluster.configPath, 'utf8');
    const seenByA = join(cluster.folder, 'seen-by-a.yaml');
    const address = `replication: 127.0.0.1:${port}\n`;
    expect(yaml).toContain(address);
    writeFileSync(seenByA, yaml.replace(address, `replication: 127.0.0.1:${tapPort}\n`));
    cluster.start('a', seenByA);
    for (const name of ['b', 'w']) cluster.start(name);
    const serving = await cluster.waitHealthy();
    const recorder = new AckRecorder();
    const writing = { uri: cluster.uri(serving), seed: 'replay', first: 1, depth: 8 };
    const writer = new WriterProcess({ ...writing, blocks: 1024, unitsMax: 1 }, recorder);
    await waitFor('enough writes', () => writer.acknowledged > 300);
    await writer.stop();
    // Counters are told once a second: the true link must be among them.
    await waitFor('the link in the counters', async () => {
      return count(await statusOf(cluster, 'b'), 'linksUp') > 0;
    });
    const before = await statusOf(cluster, 'b');
    const session = sent().find((bytes) => bytes.length > 1000) ?? Buffer.alloc(0);
    for (let times = 0; times < 3; times++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(session);
      await sleep(200);
      socket.destroy();
    }
    await waitFor('the replays are refused', async () => {
      const now = await statusOf(cluster, 'b');
      const refusals = (status: HostStatus): number => {
        return count(status, 'authFailures') + count(status, 'peerRefused');
      };
      return refusals(now) >= refusals(before) + 3;
    });
    const after = await statusOf(cluster, 'b');
    expect(after.processes.core).toEqual(before.processes.core);
    expect(count(after, 'linksUp')).toBe(count(before, 'linksUp'));
    expect(recorder.verify(await readVolume(cluster.uri(serving), 'replay'))).toEqual([]);
    expect(await cluster.waitHealthy()).toBe(serving);
  });

  it('includes datagrams of control that were recorded and are sent again', async () => {
    const cluster = await make();
    const b = cluster.loaded.config.nodes.find(({ name }) => name === 'b');
    const yaml = readFileSync(cluster.configPath, 'utf8');
    // Node a is told that b hears where the wires are tapped; b answers it directly.
    let seenByA = yaml;
    const wires = await Promise.all((b?.control ?? []).map((address) => wireTap(address)));
    for (const [i, address] of (b?.control ?? []).entries()) {
      expect(seenByA).toContain(address);
      seenByA = seenByA.replace(address, wires[i]?.address ?? '');
    }
    const path = join(cluster.folder, 'seen-by-a.yaml');
    writeFileSync(path, seenByA);
    cluster.start('a', path);
    for (const name of ['b', 'w']) cluster.start(name);
    const serving = await cluster.waitHealthy();
    const recorder = new AckRecorder();
    const writing = { uri: cluster.uri(serving), seed: 'again', first: 1, depth: 8 };
    const writer = new WriterProcess({ ...writing, blocks: 1024, unitsMax: 1 }, recorder);
    await waitFor('enough writes', () => writer.acknowledged > 300);
    // What the other side is sure to have taken, in this life of it.
    const counters = async () => (await statusOf(cluster, 'b')).control;
    const before = await counters();
    const sent = wires.reduce((sum, wire) => sum + wire.replay(100), 0);
    expect(sent).toBeGreaterThan(20);
    await waitFor('replays are counted', async () => {
      const { replayed, badAuthentication } = await counters();
      return replayed >= before.replayed + sent / 2 && badAuthentication === 0;
    });
    // And in the next one, which has forgotten every number it has heard.
    process.kill((await statusOf(cluster, 'b')).processes.core.pid, 'SIGKILL');
    await waitFor(
      'b is back',
      async () => ((await cluster.status('b'))?.control.accepted ?? 0) > 0,
    );
    const reborn = await counters();
    for (const wire of wires) wire.replay(100);
    await waitFor('what an earlier life was told is refused', async () => {
      return (await counters()).staleSession >= reborn.staleSession + sent / 2;
    });
    await cluster.waitHealthy();
    await writer.stop();
    expect(
      recorder.verify(await readVolume(cluster.uri((await cluster.serving()) ?? ''), 'again')),
    ).toEqual([]);
  });
});
