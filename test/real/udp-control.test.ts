import { createSocket, type Socket } from 'node:dgram';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { configHash } from '../../backends/real/config-hash.ts';
import { controlKey, DATAGRAM_BYTES_MAX, sealDatagram } from '../../backends/real/control-frame.ts';
import { HostError } from '../../backends/real/failure.ts';
import { ReplayWindow, WINDOW } from '../../backends/real/replay-window.ts';
import { UdpControl } from '../../backends/real/udp-control.ts';
import type { ControlMessage } from '../../engine/cluster/messages.ts';
import {
  type ClusterConfig,
  DEFAULT_TIMING,
  type ReplicaConfig,
} from '../../engine/core/config.ts';
import { testConfig } from '../support/control-host.ts';
import { clusterKey, freePorts, sleep, waitFor } from './support/hosts.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function nodeAt(id: number, control: readonly string[]) {
  const name = `n${id}`;
  return { id, name, witness: true, control, replication: '', watchdog: 'none' };
}

type Nodes = readonly ReturnType<typeof nodeAt>[];

async function twoNodes(): Promise<Nodes> {
  const [p1, p2, p3, p4] = (await freePorts(4)) as [number, number, number, number];
  return [
    nodeAt(1, [`127.0.0.1:${p1}`, `127.0.0.2:${p2}`]),
    nodeAt(2, [`127.0.0.1:${p3}`, `127.0.0.2:${p4}`]),
  ];
}

async function open(nodes: Nodes, id: number, key = clusterKey, configHash = 'one') {
  const heard: { link: number; message: TestMessage }[] = [];
  const self = nodes.find((node) => node.id === id) as Nodes[number];
  const control = new UdpControl({
    cluster: 'demo',
    self,
    nodes,
    clusterKey: key,
    configHashes: () => [configHash],
    log: () => undefined,
    parse: (value) => value as ControlMessage,
    onMessage: (_from, link, got) => {
      heard.push({ link, message: got as unknown as TestMessage });
    },
  });
  await control.open();
  closers.push(() => control.close());
  return { control, heard };
}

/** The transport carries whatever the engine's parser lets through. */
interface TestMessage {
  readonly n: number;
  readonly text?: string;
}

const message = (n: number, text = ''): ControlMessage => {
  return { n, text } satisfies TestMessage as unknown as ControlMessage;
};

/** Sends until it arrives: what is sent before the sessions know each other may be lost. */
async function reach(from: Awaited<ReturnType<typeof open>>, to: typeof from, node: number) {
  await waitFor('a first message', () => {
    if (to.heard.length > 0) return true;
    from.control.send(node, 'all', message(0));
    return false;
  });
}

/** A wire tap between two nodes: forwards, keeps a copy, and can send anything. */
async function tap(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
  closers.push(() => socket.close());
  return socket;
}

describe('the control transport', () => {
  it('carries messages over every link, each once', async () => {
    const nodes = await twoNodes();
    const a = await open(nodes, 1);
    const b = await open(nodes, 2);
    await reach(a, b, 2);
    b.heard.length = 0;
    for (let n = 1; n <= 20; n++) a.control.send(2, 'all', message(n));
    await waitFor('40 messages', () => {
      return b.heard.filter(({ message: { n } }) => n !== 0).length === 40;
    });
    for (const link of [0, 1]) {
      const numbers = b.heard.filter((each) => each.link === link).map((each) => each.message.n);
      expect(numbers.filter((n) => n !== 0)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    }
  });

  it('finds a peer again that has restarted, and takes nothing from its earlier life', async () => {
    const nodes = await twoNodes();
    const a = await open(nodes, 1);
    const first = await open(nodes, 2);
    await reach(a, first, 2);
    first.control.close();
    const second = await open(nodes, 2);
    await reach(a, second, 2);
    // And the other way, where only the answers tell A of the new session.
    await reach(second, a, 1);
    expect(second.control.counters.accepted).toBeGreaterThan(0);
  });

  it('keeps the newest of what is said first until both know each other', async () => {
    const nodes = await twoNodes();
    const a = await open(nodes, 1);
    for (let n = 1; n <= 20; n++) a.control.send(2, 0, message(n));
    // A peer is asked again only after a while: here it comes after that, and in time.
    await sleep(150);
    const b = await open(nodes, 2);
    await waitFor('the newest eight', () => b.heard.length >= 8);
    const first = b.heard.map((each) => each.message.n);
    expect(first).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
    expect(a.control.counters.noSession).toBe(12);
    // One that restarted is heard at its very first word.
    b.control.close();
    await sleep(150);
    const reborn = await open(nodes, 2);
    reborn.control.send(1, 0, message(30));
    await waitFor('its first word', () => a.heard.some((each) => each.message.n === 30));
  });

  it('does not say at last what it meant to say long ago', async () => {
    const nodes = await twoNodes();
    const a = await open(nodes, 1);
    a.control.send(2, 0, message(1));
    await sleep(700);
    const b = await open(nodes, 2);
    await waitFor('both know each other', () => a.control.counters.noSession === 1);
    a.control.send(2, 0, message(2));
    await waitFor('the next word', () => b.heard.length > 0);
    expect(b.heard.map((each) => each.message.n)).toEqual([2]);
  });

  it('drops a recorded datagram that comes again, also after the receiver restarted', async () => {
    const [tapPort, toPort] = (await freePorts(2)) as [number, number];
    const real = nodeAt(2, [`127.0.0.1:${toPort}`]);
    const seenByA = nodeAt(2, [`127.0.0.1:${tapPort}`]);
    const [self] = (await twoNodes()) as [Nodes[0]];
    const a = await open([self as Nodes[number], seenByA], 1);
    const recorded: Buffer[] = [];
    const wire = await tap(tapPort);
    wire.on('message', (datagram) => {
      recorded.push(datagram);
      wire.send(datagram, toPort, '127.0.0.1');
    });
    const nodes = [self as Nodes[number], real];
    const b = await open(nodes, 2);
    await reach(a, b, 2);
    const heard = b.heard.length;
    const replay = (): void => {
      for (const datagram of recorded.slice(0, 50)) wire.send(datagram, toPort, '127.0.0.1');
    };
    replay();
    await waitFor('replays are counted', () => b.control.counters.replayed >= heard);
    expect(b.heard.length).toBe(heard);
    b.control.close();
    const reborn = await open(nodes, 2);
    replay();
    await waitFor('stale ones are counted', () => reborn.control.counters.staleSession > 0);
    expect(reborn.heard).toEqual([]);
  });

  it('drops garbage, forged, foreign and oversized datagrams, and lives on', async () => {
    const nodes = await twoNodes();
    const a = await open(nodes, 1);
    const b = await open(nodes, 2);
    await reach(a, b, 2);
    b.heard.length = 0;
    const port = Number(nodes[1]?.control[0]?.split(':')[1]);
    const attacker = await tap(0);
    const head = { from: 1, to: 2, link: 0, session: 's', toSession: b.control.session, seq: 1 };
    const forged = { cluster: 'demo', ...head, message: message(666) };
    const wrongKey = controlKey(new Uint8Array(32), 'demo');
    const rightKey = controlKey(clusterKey, 'demo');
    const attacks: Buffer[] = [
      Buffer.alloc(0),
      Buffer.from('hello?'),
      Buffer.alloc(65_000, 0x41),
      Buffer.concat([Buffer.from('UCT1'), Buffer.alloc(100)]),
      sealDatagram(forged, wrongKey) as Buffer,
      // These know the key: another version, another cluster, another node's mail.
      sealDatagram({ ...forged, cluster: 'other' }, rightKey) as Buffer,
      sealDatagram({ ...forged, to: 3 }, rightKey) as Buffer,
      sealDatagram({ ...forged, from: 2 }, rightKey) as Buffer,
      sealDatagram(forged, rightKey) as Buffer,
      sealDatagram({ ...forged, link: -1 }, rightKey) as Buffer,
    ];
    for (const datagram of attacks) attacker.send(datagram, port, '127.0.0.1');
    await waitFor('all are counted', () => {
      const c = b.control.counters;
      return (
        c.badLength >= 3 &&
        c.badAuthentication >= 2 &&
        c.notForUs >= 3 &&
        c.unknownSession >= 1 &&
        c.badEnvelope >= 1
      );
    });
    expect(b.heard.filter((each) => each.message.n === 666)).toEqual([]);
    a.control.send(2, 0, message(7));
    await waitFor('an honest message', () => b.heard.some((each) => each.message.n === 7));
  });

  it('refuses to send what no datagram holds, and counts it', async () => {
    const nodes = await twoNodes();
    const a = await open(nodes, 1);
    const b = await open(nodes, 2);
    await reach(a, b, 2);
    a.control.send(2, 0, message(1, 'x'.repeat(DATAGRAM_BYTES_MAX)));
    expect(a.control.counters.tooLong).toBe(1);
  });

  it('does not hear a peer of another configuration, and hears it once it runs ours', async () => {
    const nodes = await twoNodes();
    const a = await open(nodes, 1);
    const other = await open(nodes, 2, clusterKey, 'another');
    await waitFor('both to notice', () => {
      a.control.send(2, 'all', message(1));
      other.control.send(1, 'all', message(2));
      return a.control.differing.length === 1 && other.control.differing.length === 1;
    });
    expect(a.control.differing).toEqual([2]);
    expect(a.control.counters.otherConfig).toBeGreaterThan(0);
    await sleep(300);
    expect([a.heard, other.heard]).toEqual([[], []]);
    other.control.close();
    const same = await open(nodes, 2);
    await reach(a, same, 2);
    await waitFor('peace', () => a.control.differing.length === 0);
  });

  it('forgets a peer that comes back with another configuration', async () => {
    const nodes = await twoNodes();
    const a = await open(nodes, 1);
    const b = await open(nodes, 2);
    await reach(a, b, 2);
    await reach(b, a, 1);
    b.control.close();
    const other = await open(nodes, 2, clusterKey, 'another');
    await waitFor('a difference', () => {
      other.control.send(1, 'all', message(9));
      return a.control.differing.length === 1;
    });
    a.heard.length = 0;
    for (let n = 1; n <= 5; n++) {
      other.control.send(1, 'all', message(n));
      a.control.send(2, 'all', message(n));
      await sleep(50);
    }
    expect([a.heard, other.heard]).toEqual([[], []]);
  });

  it('says which address is taken', async () => {
    const nodes = await twoNodes();
    await open(nodes, 1);
    await expect(open(nodes, 1)).rejects.toBeInstanceOf(HostError);
  });
});

describe('the hash of a configuration', () => {
  const node = { ...nodeAt(1, ['10.0.0.1:7000']), replication: '10.0.0.1:7100', witness: false };
  const config: ClusterConfig = {
    name: 'demo',
    nodes: [node],
    volumes: [],
    groups: [{ name: 'g', volume: 'v', application: null, nodes: [1] }],
    timing: DEFAULT_TIMING,
  };

  it('changes with timing, nodes and groups', () => {
    const { timing } = config;
    const others: ClusterConfig[] = [
      { ...config, timing: { ...timing, grant: timing.grant + 1 } },
      { ...config, nodes: [{ ...node, watchdog: '/dev/watchdog' }] },
      { ...config, nodes: [{ ...node, id: 2 }] },
      { ...config, groups: [] },
    ];
    const hashes = new Set([config, ...others].map(configHash));
    expect(hashes.size).toBe(1 + others.length);
  });

  it('is the same for fields in another order, other addresses and other folders', () => {
    const { timing, ...rest } = config;
    const turned = Object.fromEntries(Object.entries(timing).reverse()) as typeof timing;
    const moved = { ...node, control: ['192.0.2.7:1'], replication: '192.0.2.7:2' };
    expect(configHash({ timing: turned, ...rest, nodes: [moved] })).toBe(configHash(config));
  });
});

describe('who holds a replica', () => {
  const { volumes, ...config } = testConfig();
  const hashOf = (change: (replicas: readonly ReplicaConfig[]) => readonly ReplicaConfig[]) => {
    const changed = volumes.map((each) => ({ ...each, replicas: change(each.replicas) }));
    return configHash({ ...config, volumes: changed });
  };
  const own = hashOf((replicas) => replicas);

  it('is known to all nodes alike, and whether it is waited for', () => {
    const last = (replicas: readonly ReplicaConfig[]) => replicas.slice(0, -1);
    const late = (replicas: readonly ReplicaConfig[]) =>
      replicas.map((each) => ({ ...each, mode: 'async' as const }));
    expect(new Set([own, hashOf(last), hashOf(late)]).size).toBe(3);
  });

  it('may stand in a file in another order, and keep its metadata elsewhere', () => {
    expect(hashOf((replicas) => [...replicas].reverse())).toBe(own);
    const apart = (replicas: readonly ReplicaConfig[]) =>
      replicas.map((each) => ({ ...each, meta: '/apart' }));
    expect(hashOf(apart)).toBe(own);
  });
});

describe('how often replicas are compared', () => {
  it('is no reason for nodes not to hear each other', () => {
    const { volumes, ...config } = testConfig();
    const verify = { every: 60_000_000, level: 'quick', bytesPerSecond: 0 } as const;
    const planned = volumes.map((volume) => ({ ...volume, verify }));
    expect(configHash({ ...config, volumes: planned })).toBe(configHash({ ...config, volumes }));
  });
});

describe('the replay window', () => {
  it('accepts each number once, and none that is far behind', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 4000 }), { maxLength: 400 }), (numbers) => {
        const window = new ReplayWindow();
        const accepted = new Set<number>();
        let highest = 0;
        for (const n of numbers) {
          const expected = n >= 1 && n > highest - WINDOW && !accepted.has(n);
          expect(window.accept(n)).toBe(expected);
          if (expected) accepted.add(n);
          highest = Math.max(highest, n);
        }
      }),
    );
  });

  it('keeps nobody out with a recorded hello of an earlier life, however often sent', async () => {
    const nodes = await twoNodes();
    const ports = nodes[0]?.control.map((address) => Number(address.split(':')[1])) as number[];
    const hosts = ['127.0.0.1', '127.0.0.2'];
    const recorded: Buffer[] = [];
    const ears = await Promise.all(
      ports.map(async (port, link) => {
        const socket = createSocket('udp4');
        socket.on('message', (data) => {
          recorded[link] ??= data;
        });
        await new Promise<void>((resolve) => socket.bind(port, hosts[link], resolve));
        return socket;
      }),
    );
    const earlier = await open(nodes, 2);
    await waitFor('its hellos', () => recorded[0] !== undefined && recorded[1] !== undefined);
    earlier.control.close();
    for (const socket of ears) socket.close();

    const attacker = createSocket('udp4');
    const again = setInterval(() => {
      for (const [link, data] of recorded.entries()) attacker.send(data, ports[link], hosts[link]);
    }, 1);
    closers.push(() => {
      clearInterval(again);
      attacker.close();
    });
    const one = await open(nodes, 1);
    await sleep(500);
    const began = performance.now();
    for (let life = 0; life < 5; life += 1) {
      one.heard.length = 0;
      const two = await open(nodes, 2);
      await reach(two, one, 1);
      await reach(one, two, 2);
      two.control.close();
    }
    expect(performance.now() - began).toBeLessThan(8000);
  });
});
