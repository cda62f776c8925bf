/** What waits for a slow link: in memory, then in a file that nobody can name, in one order. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpillOptions, SpillStatus } from '../../backends/real/native.ts';
import { Decision, Event } from '../../engine/data/abi.ts';
import {
  attachLoop,
  detachLoop,
  loopMissing,
  makeFile,
  mountOn,
  unmount,
} from '../real/support/loop-device.ts';
import { type EchoEngine, LAYOUT } from './support/echo-engine.ts';
import { NbdSocket } from './support/nbd-socket.ts';
import { BUILT, failureOf, Rig, SIZE, VOLUME } from './support/rig.ts';

const KEY = new Uint8Array(32).fill(5);
const MIB = 1 << 20;
const BLOCK = 512;
/** Writes of one size, and what each takes in the file: what says what it is, its head, and it. */
const LENGTH = 32 << 10;
const ITEM = 24 + 112 + LENGTH;

/** Where a file system can be frozen: whoever writes then waits, and no signal ends that. */
const unfreezable = BUILT ? loopMissing() : 'the native addon is not built';
if (unfreezable !== null) console.log(`skipping disks that hang: ${unfreezable}`);

describe.skipIf(!BUILT).each(['io_uring', 'epoll'] as const)('a spill by %s', (personality) => {
  let rig: Rig;
  let a: EchoEngine;
  let b: EchoEngine;
  let client: NbdSocket;
  let folder = '';
  /** What b must get, in order. */
  let wanted: string[] = [];
  let asked = 0;

  beforeEach(() => {
    rig = new Rig();
    folder = rig.path('spill');
    mkdirSync(folder);
    wanted = [];
    asked = 0;
  });
  afterEach(() => {
    client?.socket.destroy();
    rig.end();
  });

  /** Two nodes, a link, and a client; b takes nothing until it is told to. */
  async function begin(
    spill: Partial<SpillOptions> = {},
    millis = {},
    millisOfB = millis,
  ): Promise<void> {
    const each = { personality, volume: VOLUME, key: KEY, blockBytes: BLOCK } as const;
    const times = { keepaliveMillis: 200, silenceMillis: 5000, ...millis };
    const timesOfB = { ...times, ...millisOfB };
    const size = { bytes: 24 * MIB, memoryBytes: MIB, waitingBytes: 2 * MIB };
    const spills = [{ node: 2, folder, ...size, ...spill }];
    a = rig.engine({ ...each, ...times, replicaPath: rig.replica('a'), node: 1, spills });
    const layout = { ...LAYOUT, peerSlots: 4 };
    b = rig.engine({ ...each, ...timesOfB, replicaPath: rig.replica('b'), node: 2, layout });
    const port = b.reactor.listenPeer({ host: '127.0.0.1', port: 0 });
    a.reactor.connectPeer({ node: 2, host: '127.0.0.1', port });
    await up(1);
    a.detaches = true;
    b.keeping = true;
    rig.serve(a);
    client = await NbdSocket.open(rig, { path: rig.path('vol.sock') });
    await client.go('vol');
  }

  async function up(count: number): Promise<void> {
    const ups = (engine: EchoEngine) => engine.seen.filter(({ op }) => op === Event.LinkUp);
    await rig.until(() => ups(a).length >= count && ups(b).length >= count);
    a.link = ups(a).at(-1)?.link as number;
  }

  const downs = () => a.seen.filter(({ op }) => op === Event.LinkDown).length;
  const status = () => a.reactor.spills()[0] as SpillStatus;

  /** The client writes so many bytes; b must get them as they are. */
  function write(length: number): void {
    asked += 1;
    const payload = randomBytes(length);
    const offset = Math.floor((Math.random() * (SIZE - length)) / BLOCK) * BLOCK;
    client.request(1, 0, asked, offset, length, payload);
    wanted.push(`w${asked}:${rig.native.crc32c(payload)}`);
  }

  async function answered(): Promise<void> {
    await client.answers(asked - done);
    done = asked;
  }
  let done = 0;
  beforeEach(() => {
    done = 0;
  });

  /** Writes and waits for the client's answers: what is to be sent on waits from then on. */
  async function fill(bytes: number, length: () => number = sizes): Promise<void> {
    for (let sum = 0; sum < bytes; ) {
      const each = length();
      write(each);
      sum += each;
      if (asked - done >= 16) await answered();
    }
    await answered();
  }
  /** The same until so much is in the file, however much the sockets take. */
  async function spillInto(bytes: number, length: () => number = sizes): Promise<void> {
    while (status().bytes < bytes) await fill(MIB / 2, length);
  }
  const sizes = () => (1 + Math.floor(Math.random() ** 3 * 512)) * BLOCK;

  function say(text: string): void {
    a.memory.outPages.set(Buffer.from(text), 0);
    a.decide(Decision.PeerMessage, 0, a.link, 0, 0, text.length, 0);
    a.turn(0);
    wanted.push(`m${text}`);
  }

  /** Files of this process that have no name any more, in the folder. */
  function nameless(): string[] {
    return readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${folder}/`);
      } catch {
        return false;
      }
    });
  }

  function touched(change: (fd: number) => void): void {
    const [name] = nameless();
    const fd = openSync(`/proc/self/fd/${name}`, 'r+');
    change(fd);
    closeSync(fd);
  }

  async function on(): Promise<void> {
    // The last file may be on its way out still, and the next write asks again.
    while (status().state !== 'on') {
      write(BLOCK);
      await answered();
      await rig.pass(20);
    }
  }

  it('keeps the order of everything, writes and messages, over many laps of its file', {
    timeout: 60_000,
  }, async () => {
    await begin({ bytes: 7 * MIB + 1111 });
    await on();
    for (let lap = 0; lap < 6; lap += 1) {
      b.keeping = true;
      for (let n = 1; n <= 5; n += 1) {
        await spillInto(n * MIB);
        say(`${lap}.${n}`);
      }
      // More comes while it goes on, from file and memory, and stops again.
      for (let n = 0; n < 24; n += 1) {
        if (n % 4 === 0) b.goOn();
        else if (n % 4 === 3) b.keeping = true;
        await fill(MIB / 4, sizes);
        say(`${lap}+${n}`);
      }
      b.goOn();
      await rig.until(() => b.came.length >= wanted.length - 5 * lap);
    }
    await rig.until(() => b.came.length === wanted.length);
    expect(b.came).toEqual(wanted);
    await rig.until(() => status().bytes === 0);
    // And from memory alone again.
    await fill(MIB / 2);
    await rig.until(() => b.came.length === wanted.length);
    expect(b.came).toEqual(wanted);
    expect([downs(), status().bytes, status().faults]).toEqual([0, 0, 0]);
  });

  it('keeps it where the file has been read out and more comes', async () => {
    await begin();
    await on();
    for (let lap = 0; lap < 4; lap += 1) {
      b.keeping = true;
      await spillInto(1);
      // What was read ahead is in memory, and nothing is in the file.
      b.goOn();
      await rig.until(() => status().bytes === 0);
      b.keeping = true;
      for (let n = 0; n < 60; n += 1) {
        b.goOn();
        for (let k = 0; k < 4; k += 1) write(16 << 10);
        await rig.pass(2);
        b.keeping = n % 3 === 0;
      }
      await answered();
      b.goOn();
      await rig.until(() => b.came.length === wanted.length);
      expect(b.came).toEqual(wanted);
    }
  });

  it('has no name, touches nothing else in its folder, and has all its room at once', async () => {
    writeFileSync(`${folder}/kept`, 'kept');
    await begin();
    expect([status().state, nameless()]).toEqual(['idle', []]);
    await on();
    expect(readdirSync(folder)).toEqual(['kept']);
    expect(readFileSync(`${folder}/kept`, 'utf8')).toBe('kept');
    const [fd] = nameless();
    const words = ['-L', '-c', '%b', `/proc/${process.pid}/fd/${fd}`];
    const blocks = Number(spawnSync('stat', words, { encoding: 'utf8' }).stdout);
    expect(blocks * 512).toBeGreaterThanOrEqual(24 * MIB);
    const flags = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    // O_CLOEXEC: no child has it.
    expect(Number.parseInt(/flags:\s+(\d+)/.exec(flags)?.[1] ?? '', 8) & 0o2000000).not.toBe(0);
  });

  it('leaves in memory what memory may have', async () => {
    await begin({ memoryBytes: 64 * MIB });
    await on();
    for (let n = 0; n < 48; n += 1) {
      await fill(MIB, () => 256 << 10);
      expect(status().bytes).toBe(0);
    }
    b.goOn();
    await rig.until(() => b.came.length === wanted.length);
    expect(b.came).toEqual(wanted);
  });

  it('lets clients wait for slots when memory and file are full, and no link go', async () => {
    await begin({ bytes: 2 * MIB, waitingBytes: MIB });
    await on();
    // Sockets take much, and ever more for a while; then slots run out.
    let still = 0;
    for (let round = 0; round < 100 && still < 3; round += 1) {
      while (asked - done < 64) write(64 << 10);
      await rig.pass(200);
      const { length } = client.arrived();
      done += length;
      still = length === 0 ? still + 1 : 0;
    }
    expect(still).toBe(3);
    expect([downs(), status().state]).toEqual([0, 'on']);
    b.goOn();
    await answered();
    await rig.until(() => b.came.length === wanted.length);
    expect(b.came).toEqual(wanted);
    expect(downs()).toBe(0);
  });

  it('ends the link when both are full where no client is to wait', async () => {
    await begin({ bytes: 2 * MIB, waitingBytes: MIB, waits: false });
    await on();
    for (let round = 0; round < 100 && downs() === 0; round += 1) {
      while (asked - done < 64) write(64 << 10);
      await rig.pass(200);
      done += client.arrived().length;
    }
    expect(downs()).toBe(1);
    expect(a.reactor.stats().lastRefusal).toBe('spill-slow');
    await answered();
    b.goOn();
    await up(2);
    // A prefix of what it was to get.
    expect(b.came.length).toBeLessThan(wanted.length);
    expect(b.came).toEqual(wanted.slice(0, b.came.length));
  });

  it.each([
    ['other bytes', noise, 'never written there'],
    ['one bit that is another', flip, 'what the disk answers'],
    [
      'the length of a head that no item has',
      (fd: number) => lengths(fd, 8, 5000),
      'never written',
    ],
    [
      'the length of a body that no item has',
      (fd: number) => lengths(fd, 12, 0xffff_ffff),
      'never',
    ],
    ['less than was written', (fd: number) => ftruncateSync(fd, 4096), 'output error'],
  ])(
    'ends the link when its disk answers with %s, and sends none of it',
    async (_, change, reason) => {
      await begin();
      await on();
      await spillInto(12 * MIB, () => LENGTH);
      touched(change);
      b.goOn();
      await rig.until(() => downs() === 1);
      await up(2);
      expect(status()).toMatchObject({ faults: 1 });
      expect(status().reason).toContain(reason);
      // A prefix of what it was to get, and then the writes of the next link.
      expect(b.came.length).toBeLessThan(wanted.length);
      expect(b.came).toEqual(wanted.slice(0, b.came.length));
      await rig.until(() => nameless().length === 0);
      b.came.length = 0;
      wanted = [];
      asked = 0;
      done = 0;
      await on();
      await fill(MIB);
      await rig.until(() => b.came.length === wanted.length);
      expect(b.came).toEqual(wanted);
      expect(status()).toMatchObject({ state: 'on', reason: '', faults: 1 });
    },
  );

  it('sends nothing past what its disk has lost, while the link is about to end', async () => {
    for (let round = 1; round <= 5; round += 1) {
      if (round === 1) await begin();
      await on();
      await spillInto(6 * MIB, () => LENGTH);
      touched((fd) => ftruncateSync(fd, 4096));
      b.goOn();
      // In every turn until it is gone.
      while (downs() < round) {
        if (asked - done < 16) write(BLOCK);
        await rig.pass(1);
        done += client.arrived().length;
      }
      await answered();
      await up(round + 1);
      expect(b.came).toEqual(wanted.slice(0, b.came.length));
      expect(b.came.length).toBeLessThan(wanted.length);
      await rig.until(() => nameless().length === 0);
      b.came.length = 0;
      wanted = [];
      asked = 0;
      done = 0;
      b.keeping = true;
    }
  });

  it('takes nothing of an earlier lap for what was written in its place', async () => {
    await begin({ bytes: 300 * ITEM });
    await on();
    await spillInto(8 * MIB, () => LENGTH);
    const [fd] = nameless();
    const lap = readFileSync(`/proc/self/fd/${fd}`);
    b.goOn();
    await rig.until(() => b.came.length === wanted.length && status().bytes === 0);
    b.keeping = true;
    await spillInto(8 * MIB, () => LENGTH);
    touched((file) => writeSync(file, lap, 0, lap.length, 0));
    b.goOn();
    await rig.until(() => downs() === 1 || b.came.length === wanted.length);
    expect(downs()).toBe(1);
    expect(b.came).toEqual(wanted.slice(0, b.came.length));
  });

  it.each([
    ['the folder is not there', { folder: '/nowhere/at/all' }, 'No such file or directory'],
    ['there is no room', { bytes: 2 ** 40 }, 'No space left on device'],
    ['the folder may not be written to', { folder: '/proc' }, ''],
  ])('goes without a file, and says so, when %s', async (_, how, reason) => {
    await begin(how);
    write(BLOCK);
    await answered();
    await rig.until(() => status().state === 'off');
    expect(status().reason).toContain(reason);
    await fill(12 * MIB);
    b.goOn();
    await rig.until(() => b.came.length === wanted.length);
    expect(b.came).toEqual(wanted);
    expect([downs(), status().faults]).toEqual([0, 0]);
  });

  it('refuses a place that is none', () => {
    const replicaPath = rig.replica('c');
    for (const spill of [
      { node: 2, folder: '', bytes: MIB },
      { node: 2, folder, bytes: 1 },
      { node: 65, folder, bytes: MIB },
    ]) {
      const failure = failureOf(() => rig.reactor({ replicaPath, spills: [spill] }));
      expect(failure?.code).toBe('ARGUMENT_INVALID');
    }
  });

  it('leaves no descriptor, whenever its link or its reactor ends', async () => {
    await begin();
    await on();
    await fill(8 * MIB);
    expect(nameless()).toHaveLength(1);
    a.decide(Decision.LinkClose, 0, a.link, 0, 0, 0, 0);
    await rig.until(() => downs() === 1);
    await rig.until(() => nameless().length === 0);
    await up(2);
    wanted = [];
    b.came.length = 0;
    await on();
    await fill(8 * MIB);
    client.socket.destroy();
    rig.engines.splice(0).forEach(({ reactor }) => {
      reactor.close();
    });
    await rig.until(() => nameless().length === 0);
  });

  it.skipIf(unfreezable !== null)(
    'stays up and in order beside a disk that is long about it',
    {
      timeout: 60_000,
    },
    async () => {
      const disk = frozen(rig, folder);
      try {
        await begin({ bytes: 24 * MIB }, { silenceMillis: 8000 }, { silenceMillis: 1000 });
        await on();
        await spillInto(1);
        disk.freeze();
        // A few writes are with the disk, each small, and the rest waits for them.
        for (let n = 0; n < 30; n += 1) {
          write(16 << 10);
          await answered();
        }
        b.goOn();
        await rig.pass(2500);
        expect(b.seen.filter(({ op }) => op === Event.LinkDown)).toEqual([]);
        expect(b.came.length).toBeLessThan(wanted.length);
        expect(b.came).toEqual(wanted.slice(0, b.came.length));
        disk.thaw();
        await rig.until(() => b.came.length === wanted.length);
        expect(b.came).toEqual(wanted);
        expect([downs(), status().faults]).toEqual([0, 0]);
      } finally {
        disk.end();
      }
    },
  );

  it.skipIf(unfreezable !== null)(
    'lets a disk go that hangs, and closes what it has when it is back',
    {
      timeout: 60_000,
    },
    async () => {
      const disk = frozen(rig, folder);
      try {
        await begin({ bytes: 24 * MIB }, { silenceMillis: 1000 });
        await on();
        await spillInto(1);
        disk.freeze();
        // More than may wait for it: the client waits, until the link is ended for it.
        for (let n = 0; n < 400; n += 1) write(64 << 10);
        await rig.pass(500);
        done += client.arrived().length;
        // Four writes of 1 MiB are with the disk, 2 MiB wait for it, and the slots are 64.
        expect(asked - done).toBeGreaterThan(150);
        await rig.until(() => downs() === 1);
        await up(2);
        expect(status()).toMatchObject({ state: 'off', faults: 1 });
        expect(status().reason).toContain('the disk does not answer');
        await answered();
        b.goOn();
        b.came.length = 0;
        wanted = [];
        a.detaches = true;
        await fill(3 * MIB);
        const numbers = (all: readonly string[]) => all.map((each) => each.split(':')[1]);
        await rig.until(() => numbers(b.came).at(-1) === numbers(wanted).at(-1));
        const got = numbers(b.came).slice(-wanted.length);
        expect(got).toEqual(numbers(wanted));
        // The kernel still has the file, and so it keeps its number.
        expect([downs(), status().state, nameless().length]).toEqual([1, 'off', 1]);
        disk.thaw();
        await rig.until(() => nameless().length === 0);
        await on();
        // A reactor that ends does not wait for such a disk either.
        b.keeping = true;
        await spillInto(1);
        disk.freeze();
        for (let n = 0; n < 20; n += 1) write(64 << 10);
        await rig.pass(100);
        client.socket.destroy();
        const begun = Date.now();
        for (const { reactor } of rig.engines.splice(0)) reactor.close();
        expect(Date.now() - begun).toBeLessThan(3000);
        expect(nameless()).toHaveLength(1);
        disk.thaw();
        await rig.until(() => nameless().length === 0);
      } finally {
        disk.end();
      }
    },
  );
});

function noise(fd: number): void {
  writeSync(fd, randomBytes(24 * MIB), 0, 24 * MIB, 0);
}

/** One bit in each 64 KiB. */
function flip(fd: number): void {
  const whole = readFileSync(`/proc/self/fd/${fd}`);
  for (let at = 40_000; at < whole.length; at += 65_536) whole[at] = (whole[at] as number) ^ 4;
  writeSync(fd, whole, 0, whole.length, 0);
}

/** Another number at `at` of what says what each item is. */
function lengths(fd: number, at: number, value: number): void {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(value);
  for (let item = 0; item < 760; item += 1) writeSync(fd, word, 0, 4, item * ITEM + at);
}

/** A file system of its own at `folder`, which can be frozen. */
function frozen(rig: Rig, folder: string): { freeze(): void; thaw(): void; end(): void } {
  const bytes = 128 * MIB;
  const device = attachLoop(makeFile(rig.path('spill.img'), bytes));
  const refused = mountOn(device, folder, bytes);
  if (refused !== null) throw new Error(refused);
  let is = false;
  const turn = (word: string) => {
    const { status, stderr } = spawnSync('fsfreeze', [word, folder], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`fsfreeze: ${stderr}`);
    is = word === '--freeze';
  };
  return {
    freeze: () => turn('--freeze'),
    thaw: () => turn('--unfreeze'),
    end: () => {
      if (is) turn('--unfreeze');
      for (const engine of rig.engines.splice(0)) engine.reactor.close();
      spawnSync('sleep', ['0.3']);
      unmount(folder);
      detachLoop(device);
    },
  };
}
