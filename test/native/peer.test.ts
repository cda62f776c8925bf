/** Replication links between two reactors: mirroring, and everything a stranger may try. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Decision, Event, Flag, Status } from '../../engine/data/abi.ts';
import type { EchoEngine } from './support/echo-engine.ts';
import { NbdSocket } from './support/nbd-socket.ts';
import { BUILT, hasProgram, Rig, SIZE, VOLUME } from './support/rig.ts';

const COPY = hasProgram('nbdcopy');
const FIO = hasProgram('fio');
const KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1);

type Personality = 'io_uring' | 'epoll';
type Options = Parameters<Rig['engine']>[0];

/** Two reactors, and between them a proxy that can look, change, repeat and cut. */
class Pair {
  readonly a: EchoEngine;
  readonly b: EchoEngine;
  readonly port: number;
  readonly #rig: Rig;
  #proxy: Server | undefined;
  readonly #sockets: Socket[] = [];
  /** What the connecting side said first, one buffer for each connection. */
  readonly said: Buffer[] = [];
  /** What becomes of bytes from the connecting side. */
  pass: (data: Buffer) => Buffer = (data) => data;

  constructor(
    rig: Rig,
    personality: Personality,
    a: Partial<Options> = {},
    b: Partial<Options> = {},
  ) {
    const each = { personality, volume: VOLUME, key: KEY };
    this.#rig = rig;
    this.a = rig.engine({ ...each, replicaPath: rig.replica('a'), node: 1, ...a });
    this.b = rig.engine({ ...each, replicaPath: rig.replica('b'), node: 2, ...b });
    this.port = this.b.reactor.listenPeer({ host: '127.0.0.1', port: 0 });
  }

  connect(port = this.port): void {
    this.a.reactor.connectPeer({ node: 2, host: '127.0.0.1', port });
  }

  /** Connects through the proxy. */
  async connectThrough(): Promise<void> {
    const proxy = createServer((near) => {
      const far = createConnection(this.port, '127.0.0.1');
      const at = this.said.push(Buffer.alloc(0)) - 1;
      near.on('data', (data) => {
        const said = this.said[at] as Buffer;
        if (said.length < 10_000) this.said[at] = Buffer.concat([said, data]);
        far.write(this.pass(data));
      });
      far.on('data', (data) => near.write(data));
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => {});
        one.on('close', () => other.destroy());
      }
      this.#sockets.push(near, far);
    });
    this.#proxy = proxy;
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    this.connect((proxy.address() as { port: number }).port);
  }

  /** Waits for `count` LinkUps on both sides; mirrors from a to b. */
  async up(count = 1): Promise<void> {
    const ups = (engine: EchoEngine) => engine.seen.filter(({ op }) => op === Event.LinkUp);
    await this.#rig.until(() => ups(this.a).length >= count && ups(this.b).length >= count);
    this.a.link = ups(this.a).at(-1)?.link as number;
  }

  /** Waits until each side was told that its link is down. */
  async down(): Promise<void> {
    const downs = (engine: EchoEngine) => engine.seen.some(({ op }) => op === Event.LinkDown);
    await this.#rig.until(() => downs(this.a) && downs(this.b));
  }

  say(from: EchoEngine, link: number, text: string): void {
    from.memory.outPages.set(Buffer.from(text), 0);
    from.decide(Decision.PeerMessage, 0, link, 0, 0, text.length, 0);
  }

  end(): void {
    this.#proxy?.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe.skipIf(!BUILT).each(['io_uring', 'epoll'] as const)('a link by %s', (personality) => {
  let rig: Rig;
  let pair: Pair | undefined;
  beforeEach(() => {
    rig = new Rig();
  });
  afterEach(() => {
    pair?.end();
    pair = undefined;
    rig.end();
  });
  const make = (a: Partial<Options> = {}, b: Partial<Options> = {}) => {
    pair = new Pair(rig, personality, a, b);
    return pair;
  };

  it('comes up between two holders of the key, and each is told the other node', async () => {
    const { a, b } = make();
    pair?.connect();
    await pair?.up();
    expect(a.seen[0]).toMatchObject({ op: Event.LinkUp, link: 1, offset: 2 });
    expect(b.seen[0]).toMatchObject({ op: Event.LinkUp, link: 1, offset: 1 });
  });

  it.skipIf(!COPY)('mirrors what nbdcopy writes, byte for byte', async () => {
    const { a } = make();
    pair?.connect();
    await pair?.up();
    const uri = rig.serve(a);
    writeFileSync(rig.path('in'), randomBytes(SIZE));
    await rig.run('nbdcopy', '--connections=4', rig.path('in'), uri);
    const sent = readFileSync(rig.path('in'));
    expect(readFileSync(rig.path('a')).subarray(0, SIZE).equals(sent)).toBe(true);
    expect(readFileSync(rig.path('b')).subarray(0, SIZE).equals(sent)).toBe(true);
    expect(pair?.b.reactor.stats().framesReceived).toBeGreaterThanOrEqual(SIZE >> 20);
  });

  it('mirrors zeroes without a payload, longer than a slot as well', async () => {
    const { a, b } = make({ zeroBytes: 4 << 20 });
    pair?.connect();
    await pair?.up();
    for (const name of ['a', 'b']) {
      const file = openSync(rig.path(name), 'r+');
      writeSync(file, Buffer.alloc(SIZE, 9), 0, SIZE, 0);
      closeSync(file);
    }
    rig.serve(a);
    const client = await NbdSocket.open(rig, { path: rig.path('vol.sock') });
    await client.go('vol');
    const before = b.reactor.stats().bytesReceived;
    client.request(6, 0, 1, 8192, 9 << 20);
    client.request(4, 0, 2, 12 << 20, 1 << 20);
    const answers = await client.answers(2);
    expect(answers.map(({ error }) => error)).toEqual([0, 0]);
    expect(b.reactor.stats().bytesReceived - before).toBeLessThan(2048);
    const wanted = Buffer.alloc(SIZE, 9).fill(0, 8192, 8192 + (9 << 20));
    wanted.fill(0, 12 << 20, 13 << 20);
    for (const name of ['a', 'b']) {
      expect(readFileSync(rig.path(name)).subarray(0, SIZE).equals(wanted)).toBe(true);
    }
    client.socket.destroy();
  });

  it.skipIf(!FIO)('mirrors small writes at queue depth 32 with few peer slots', async () => {
    const { LAYOUT } = await import('./support/echo-engine.ts');
    const { a } = make({}, { layout: { ...LAYOUT, peerSlots: 3 } });
    pair?.connect();
    await pair?.up();
    const uri = rig.serve(a);
    const job = ['--name=a', '--ioengine=nbd', `--uri=${uri}`, '--rw=randwrite', '--bs=4k-32k'];
    await rig.run(
      'fio',
      ...job,
      '--iodepth=32',
      `--size=${SIZE}`,
      '--verify=crc32c',
      '--verify_state_save=0',
    );
    const one = readFileSync(rig.path('a')).subarray(0, SIZE);
    expect(readFileSync(rig.path('b')).subarray(0, SIZE).equals(one)).toBe(true);
    expect(pair?.b.reactor.stats().stalls).toBeGreaterThan(0);
  });

  it('carries messages in order, however many, in both directions', async () => {
    const { a, b } = make();
    pair?.connect();
    await pair?.up();
    const texts = Array.from({ length: 300 }, (_, i) => `message ${i}`);
    for (const text of texts) {
      pair?.say(a, 1, text);
      pair?.say(b, 1, text);
      a.turn(0);
      b.turn(0);
    }
    const got = (engine: EchoEngine) => {
      const messages = engine.seen.filter(({ op }) => op === Event.PeerMessage);
      return messages.map(({ text, length }) => text.slice(0, length));
    };
    await rig.until(() => got(a).length === 300 && got(b).length === 300);
    expect(got(a)).toEqual(texts);
    expect(got(b)).toEqual(texts);
  });

  it('goes down when the engine closes it, and comes up again under a new number', async () => {
    const { a, b } = make();
    pair?.connect();
    await pair?.up();
    b.decide(Decision.LinkClose, 0, 1, 0, 0, 0, 0);
    await pair?.down();
    await pair?.up(2);
    expect(a.seen.map(({ op, link }) => [op, link])).toEqual([
      [Event.LinkUp, 1],
      [Event.LinkDown, 1],
      [Event.LinkUp, 2],
    ]);
    // What is decided about a link that is gone has no effect.
    pair?.say(a, 1, 'to nobody');
    a.decide(Decision.LinkClose, 0, 1, 0, 0, 0, 0);
    a.turn(0);
    expect(a.link).toBe(2);
  });

  it('goes down when the other core stands still, though its kernel answers', async () => {
    const fast = { keepaliveMillis: 100, silenceMillis: 1000 };
    const { a, b } = make(fast, fast);
    pair?.connect();
    await pair?.up();
    await rig.pass(1500);
    expect(a.seen.length + b.seen.length).toBe(2);
    rig.stopped.add(b);
    await rig.until(() => a.seen.some(({ op }) => op === Event.LinkDown), 5000);
    expect(a.reactor.stats().linksSilent).toBe(1);
  });

  it('outlives a stall of our own that is shorter than the silence of the other', async () => {
    const slow = { keepaliveMillis: 100, silenceMillis: 10_000 };
    const { a, b } = make({ keepaliveMillis: 100, silenceMillis: 600 }, slow);
    pair?.connect();
    await pair?.up();
    rig.stopped.add(a);
    await rig.pass(1200);
    rig.stopped.delete(a);
    await rig.pass(300);
    expect(a.seen.length + b.seen.length).toBe(2);
  });

  it('keeps trying until the other side is there', async () => {
    const { a } = make();
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    await new Promise((resolve) => holder.close(resolve));
    pair?.connect(port);
    await rig.until(() => a.reactor.stats().connectFailures >= 3);
    pair?.b.reactor.listenPeer({ host: '127.0.0.1', port });
    await pair?.up();
  });

  it.each([
    ['the key is another', { key: new Uint8Array(32) }, 'authentication'],
    [
      'the first half of the key is another',
      { key: KEY.map((k, i) => (i < 16 ? 0 : k)) },
      'authentication',
    ],
    [
      'the second half of the key is another',
      { key: KEY.map((k, i) => (i < 16 ? k : 0)) },
      'authentication',
    ],
    ['the volume is another', { volume: '00112233445566778899aabbccddeef0' }, 'volume'],
    ['it is not the node that was called', { node: 3 }, 'node'],
  ])('never comes up when %s', async (_, other, why) => {
    const { a, b } = make({}, other);
    pair?.connect();
    const refused = () => a.reactor.stats().peerRefused + b.reactor.stats().peerRefused;
    await rig.until(() => refused() >= 3);
    expect([a.seen, b.seen]).toEqual([[], []]);
    const reasons = [a.reactor.stats().lastRefusal, b.reactor.stats().lastRefusal];
    expect(reasons).toContain(why);
  });

  it.each([
    ['equal halves', new Uint8Array(32).fill(7)],
    ['nothing but zeros', new Uint8Array(32)],
  ])('is not opened by guessing, even when the key has %s', async (_, key) => {
    // Once, the halves of a key were xored as they were: equal ones made every secret zero.
    const { b } = make({ key }, { key });
    const hello = Buffer.alloc(66);
    hello.write('UNDRSTDY');
    for (const [at, value] of [
      [8, 56],
      [10, 3],
      [12, 3],
      [14, 1],
    ] as const) {
      hello.writeUInt16LE(value, at);
    }
    Buffer.from(VOLUME.replaceAll('-', ''), 'hex').copy(hello, 18);
    for (let guess = 0; guess < 3; guess += 1) {
      const socket = createConnection(pair?.port as number, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(Buffer.concat([hello, Buffer.alloc(16, [0, 7, 255][guess])]));
      await rig.until(() => b.reactor.stats().authFailures === guess + 1);
      socket.destroy();
    }
    expect(b.seen).toEqual([]);
  });

  it('is not opened by a recorded session', async () => {
    const { a, b } = make();
    await pair?.connectThrough();
    await pair?.up();
    for (let i = 0; i < 5; i += 1) pair?.say(a, 1, `secret ${i}`);
    a.turn(0);
    await rig.until(() => b.seen.length === 6);
    const recorded = pair?.said[0] as Buffer;
    const socket = createConnection(pair?.port as number, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(recorded);
    await rig.until(() => b.reactor.stats().authFailures === 1);
    await rig.pass(50);
    // The session that is up is none the worse.
    pair?.say(a, 1, 'still here');
    a.turn(0);
    await rig.until(() => b.seen.length === 7);
    expect(b.seen.filter(({ op }) => op !== Event.PeerMessage)).toHaveLength(1);
  });

  it.each([
    ['repeated', (frame: Buffer) => Buffer.concat([frame, frame])],
    ['changed in its body', (frame: Buffer) => flipped(frame, frame.length - 1)],
    ['changed in its record', (frame: Buffer) => flipped(frame, 8)],
    ['changed in its tag', (frame: Buffer) => flipped(frame, 40)],
    ['made longer than a page', (frame: Buffer) => flipped(frame, 2)],
    ['of a type that is none', (frame: Buffer) => flipped(frame, 4)],
    ['swapped with rubbish', (frame: Buffer) => randomBytes(frame.length)],
    ['left out before the next', () => Buffer.alloc(0)],
  ])('goes down when a frame is %s, and comes up again', async (_, spoil) => {
    const { a, b } = make();
    const between = pair as Pair;
    await between.connectThrough();
    await between.up();
    between.say(a, 1, 'first');
    a.turn(0);
    await rig.until(() => b.seen.length === 2);
    let spoilt = false;
    between.pass = (data) => {
      if (spoilt) return data;
      spoilt = true;
      return spoil(data);
    };
    between.say(a, 1, 'second');
    a.turn(0);
    await rig.until(() => spoilt);
    between.say(a, 1, 'third');
    a.turn(0);
    await between.down();
    expect(b.reactor.stats().framesRejected).toBe(1);
    const texts = b.seen.filter(({ op }) => op === Event.PeerMessage).map(({ text }) => text);
    expect(texts.length).toBeLessThanOrEqual(2);
    expect(texts.some((text) => text.startsWith('third'))).toBe(false);
    between.pass = (data) => data;
    await between.up(2);
  });

  it('is not disturbed by garbage, half a hello, or many that say nothing', async () => {
    const { a, b } = make();
    pair?.connect();
    await pair?.up();
    const hello = Buffer.alloc(66);
    hello.write('UNDRSTDY');
    hello.writeUInt16LE(56, 8);
    const attacks = [
      randomBytes(5000),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      hello,
      hello.subarray(0, 30),
      Buffer.concat([hello.subarray(0, 8), Buffer.from([255, 255]), randomBytes(4000)]),
      Buffer.concat([hello.subarray(0, 8), Buffer.from([1, 0]), randomBytes(4000)]),
    ];
    for (let i = 0; i < 300; i += 1) {
      const socket = createConnection(pair?.port as number, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      const attack = attacks[i % attacks.length] as Buffer;
      socket.write(i < 60 ? attack : attack.subarray(0, i));
      if (i % 20 === 0) await rig.pass(10);
      setTimeout(() => socket.destroy(), 500);
    }
    await rig.pass(800);
    pair?.say(a, 1, 'still here');
    a.turn(0);
    await rig.until(() => b.seen.length === 2);
    expect(b.seen.every(({ link }) => link === 1)).toBe(true);
    expect(b.reactor.stats().peerRefused).toBeGreaterThan(50);
  });

  it('brings what the peer holds into the slot that asked, up to the largest', async () => {
    const { a, b } = make();
    const content = randomBytes(1 << 20);
    writeAt(rig.path('b'), content, 1 << 20);
    pair?.connect();
    await pair?.up();
    const own = a.memory.layout.frontSlots + a.memory.layout.peerSlots;
    for (let round = 0; round < 5; round += 1) {
      a.ask(own, 1 << 20, 1 << 20);
      a.ask(own + 1, (1 << 20) + 512, 512);
      await rig.until(() => a.asking.size === 0);
    }
    const told = a.seen.slice(1).sort((p, q) => p.offset - q.offset);
    expect(told).toEqual(
      Array.from({ length: 10 }, (_, i) => {
        const length = i % 2 === 0 ? 1 << 20 : 512;
        return { op: Event.PeerData, link: 1, offset: i + 1, length, status: 0, text: '' };
      }),
    );
    // Shown by writing it to the own replica.
    a.decide(Decision.LocalWrite, own, 0, Flag.Fua, 1 << 20, 1 << 20, 0);
    await rig.until(() => a.locals.length > 0);
    expect(a.locals).toEqual([0]);
    const kept = readFileSync(rig.path('a')).subarray(1 << 20, 2 << 20);
    expect(kept.equals(content)).toBe(true);
    expect(b.reactor.stats().framesRejected).toBe(0);
  });

  it('reads back from the replica, and tells what differs from what the peer sent', async () => {
    const { a } = make();
    writeAt(rig.path('b'), Buffer.alloc(8192, 7), 0);
    pair?.connect();
    await pair?.up();
    const own = a.memory.layout.frontSlots + a.memory.layout.peerSlots;
    const checked = async (): Promise<number> => {
      const done = a.locals.length;
      a.decide(Decision.LocalRead, own, 0, Flag.Check, 0, 8192, 0);
      await rig.until(() => a.locals.length > done);
      return a.locals.at(-1) as number;
    };
    a.ask(own, 0, 8192);
    await rig.until(() => a.asking.size === 0);
    expect(await checked()).toBe(Status.Differs);
    a.ask(own, 0, 8192);
    await rig.until(() => a.asking.size === 0);
    const done = a.locals.length;
    a.decide(Decision.LocalWrite, own, 0, Flag.Fua, 0, 8192, 0);
    await rig.until(() => a.locals.length > done);
    expect(await checked()).toBe(0);
    // One bit on the medium, and the check sees it.
    writeAt(rig.path('a'), Buffer.from([6]), 4096);
    expect(await checked()).toBe(Status.Differs);
  });

  it.each([
    ['changed in its body', (frame: Buffer) => flipped(frame, frame.length - 1)],
    ['changed in its header', (frame: Buffer) => flipped(frame, 60)],
    ['changed in its status', (frame: Buffer) => flipped(frame, 24)],
    ['of another read', (frame: Buffer) => flipped(frame, 16)],
    ['repeated', (frame: Buffer) => Buffer.concat([frame, frame])],
    ['cut short', (frame: Buffer) => frame.subarray(0, frame.length / 2)],
  ])('gives the slot back with its end when an answer is %s', async (how, spoil) => {
    // What was cut off is made up by keep-alives, of which half an answer takes dozens.
    const fast = { silenceMillis: 700, keepaliveMillis: 50 };
    const { a, b } = make(fast, fast);
    const between = pair as Pair;
    await between.connectThrough();
    await between.up();
    b.link = 1;
    const own = b.memory.layout.frontSlots + b.memory.layout.peerSlots;
    let spoilt = false;
    between.pass = (data) => {
      // Keep-alives are short.
      if (spoilt || data.length < 4096) return data;
      spoilt = true;
      return spoil(data);
    };
    b.ask(own, 0, 4096);
    await rig.until(() => spoilt);
    between.say(a, 1, 'behind it');
    a.turn(0);
    await between.down();
    const answers = b.seen.filter(({ op }) => op === Event.PeerData);
    expect(answers).toHaveLength(how === 'repeated' ? 1 : 0);
    expect(b.asking.size).toBe(0);
    between.pass = (data) => data;
    await between.up(2);
    b.link = b.seen.at(-1)?.link as number;
    b.ask(own, 4096, 4096);
    await rig.until(() => b.asking.size === 0);
    const after = b.seen.filter(({ op }) => op === Event.PeerData);
    expect(after.at(-1)).toMatchObject({ link: b.link, status: 0, length: 4096 });
  });

  it('makes reads and writes of a peer share its few slots, and loses none', async () => {
    const { LAYOUT } = await import('./support/echo-engine.ts');
    const { a, b } = make({}, { layout: { ...LAYOUT, peerSlots: 1 } });
    pair?.connect();
    await pair?.up();
    const own = a.memory.layout.frontSlots + a.memory.layout.peerSlots;
    for (let round = 0; round < 20; round += 1) {
      for (let i = 0; i < 3; i += 1) a.ask(own + i, i * 4096, 1 << 18);
      a.memory.headers.put(own + 3, 1, round + 1, 1, own + 4);
      a.decide(Decision.PeerWrite, own + 3, 1, 0, 0, 1 << 18, 0);
      await rig.until(() => a.asking.size === 0);
    }
    expect(a.seen.filter(({ op }) => op === Event.PeerData)).toHaveLength(60);
    expect(b.reactor.stats().stalls).toBeGreaterThan(0);
    expect(b.reactor.stats().framesRejected).toBe(0);
  });

  it('holds no slot once it is down, whatever was on its way', async () => {
    const { a, b } = make();
    const between = pair as Pair;
    await between.connectThrough();
    await between.up();
    const { memory } = a;
    const slot = memory.layout.frontSlots + memory.layout.peerSlots;
    rig.stopped.add(b);
    for (let i = 1; i <= 200; i += 1) {
      memory.headers.put(slot, 1, i, 1, 0);
      a.decide(Decision.PeerWrite, slot, 1, 0, 0, 1 << 20, 0);
    }
    a.turn(0);
    await rig.until(() => a.seen.some(({ op }) => op === Event.LinkDown));
    rig.stopped.delete(b);
    // Its memory is the engine's again: the next link may carry it.
    await between.up(2);
    memory.headers.put(slot, 1, 1, 1, 0);
    a.decide(Decision.PeerWrite, slot, a.link, 0, 0, 4096, 0);
    await rig.until(() => a.seen.length >= 3);
  });
});

function writeAt(path: string, bytes: Buffer, at: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

function flipped(data: Buffer, at: number): Buffer {
  const copy = Buffer.from(data);
  copy[at] = (copy[at] as number) ^ 0x40;
  return copy;
}
