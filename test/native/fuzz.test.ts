/**
 * Rubbish of every shape on every port, for a few seconds, while honest work goes on. What it
 * finds dies in an assertion or under the sanitizer (native/build.mjs); here it must just live. The
 * seed is printed when it does not; the inputs follow from it, their timing does not.
 */
import { createConnection, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rng } from '../../engine/core/rng.ts';
import { Event } from '../../engine/data/abi.ts';
import { LAYOUT } from './support/echo-engine.ts';
import { BUILT, Rig, SIZE, VOLUME } from './support/rig.ts';

const MILLIS = Number(process.env['UNDERSTUDY_FUZZ_MILLIS'] ?? 4000);

describe.skipIf(!BUILT).each(['io_uring', 'epoll'] as const)('rubbish on %s', (personality) => {
  let rig: Rig;
  const ends: (() => void)[] = [];
  beforeEach(() => {
    rig = new Rig();
  });
  afterEach(() => {
    for (const end of ends.splice(0)) end();
    rig.end();
  });
  const every = (millis: number, act: () => void) => {
    const timer = setInterval(act, millis);
    ends.push(() => clearInterval(timer));
  };

  it('breaks no belief, and both ends of every link agree that it was', async () => {
    const seed = Date.now() % 2 ** 32;
    const rng = new Rng(seed, 1);
    const below = (limit: number) => rng.below(limit);
    const noise = (length: number) => {
      return Buffer.from(Uint8Array.from({ length }, () => below(256)));
    };
    // Few slots, so that connections stall for want of them all the time.
    const each = { personality, volume: VOLUME, key: noise(32) };
    const timing = { keepaliveMillis: 200, silenceMillis: 1500 };
    const few = { ...LAYOUT, frontSlots: 8, peerSlots: 4 };
    const options = { ...each, ...timing, layout: few };
    const a = rig.engine({ ...options, replicaPath: rig.replica('a'), node: 1 });
    const b = rig.engine({ ...options, replicaPath: rig.replica('b'), node: 2 });
    rig.serve(a);
    const port = b.reactor.listenPeer({ host: '127.0.0.1', port: 0 });

    const send = (socket: Socket, parts: readonly Buffer[], lifeMillis: number) => {
      socket.on('error', () => {});
      for (const part of parts) socket.write(part);
      setTimeout(() => socket.destroy(), lifeMillis);
    };
    const bent = (data: Buffer) => {
      if (below(600) === 0) {
        const copy = Buffer.from(data);
        copy[below(copy.length)] = below(256);
        return copy;
      }
      return below(1500) === 0 ? data.subarray(0, below(data.length)) : data;
    };
    const proxy = createServer((near) => {
      const far = createConnection(port, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('data', (data: Buffer) => other.write(bent(data)));
        one.on('error', () => {});
        one.on('close', () => other.destroy());
      }
      if (below(2) === 0) setTimeout(() => near.destroy(), below(2000));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    ends.push(() => proxy.close());
    const target = (proxy.address() as { port: number }).port;
    a.reactor.connectPeer({ node: 2, host: '127.0.0.1', port: target });

    let clients = 0;
    every(5, () => {
      if (clients > 12) return;
      clients += 1;
      const socket = createConnection(rig.path('vol.sock'));
      socket.on('close', () => {
        clients -= 1;
      });
      // Some never read what they are answered.
      if (below(4) > 0) socket.resume();
      const parts = [below(10) === 0 ? noise(60) : negotiation('vol')];
      for (let i = below(60); i > 0; i -= 1) parts.push(below(60) === 0 ? noise(30) : request());
      send(socket, parts, below(400));
    });
    const request = () => {
      const head = Buffer.alloc(28);
      const type = below(20) === 0 ? below(12) : [0, 1, 1, 3, 4, 6][below(6)];
      const length = below(30) === 0 ? below(4 << 20) : below(40) * 4096;
      head.writeUInt32BE(0x25609513);
      head.writeUInt16BE(below(20) === 0 ? below(65536) : below(2), 4);
      head.writeUInt16BE(type as number, 6);
      head.writeBigUInt64BE(BigInt(below(SIZE / 4096 + 9)) * 4096n, 16);
      head.writeUInt32BE(length, 24);
      return type === 1 ? Buffer.concat([head, Buffer.alloc(length, below(256))]) : head;
    };
    every(20, () => {
      const hello = Buffer.alloc(66 + below(50));
      hello.write('UNDRSTDY');
      for (const [at, value] of [
        [8, 56],
        [10, 3],
        [12, 3],
        [14, 1],
      ] as const) {
        hello.writeUInt16LE(below(20) === 0 ? below(65536) : value, at);
      }
      Buffer.from(VOLUME.replaceAll('-', ''), 'hex').copy(hello, 18);
      send(createConnection(port, '127.0.0.1'), [hello, noise(below(300))], 300);
    });
    const own = few.frontSlots + few.peerSlots;
    every(3, () => {
      const slot = own + below(few.engineSlots);
      if (a.link === 0 || a.asking.has(slot)) return;
      a.ask(slot, below(SIZE / 4096 - 64) * 4096, (1 + below(64)) * 4096);
      asks += 1;
    });
    let asks = 0;
    let isOpen = true;
    every(350, () => {
      isOpen = !isOpen;
      a.reactor.setExport(isOpen);
    });

    const end = rig.native.nowMicros() + MILLIS * 1000;
    await rig.until(() => {
      for (const { op, link } of a.seen) if (op === Event.LinkUp && link > a.link) a.link = link;
      if (a.seen.at(-1)?.op === Event.LinkDown) a.link = 0;
      return rig.native.nowMicros() > end;
    }, MILLIS + 30_000);
    for (const finish of ends.splice(0)) finish();
    const [one, other] = [a.reactor.stats(), b.reactor.stats()];
    const told = `seed ${seed}`;
    expect([told, one.nbdRequests > 50]).toEqual([told, true]);
    expect([told, asks > 50]).toEqual([told, true]);
    expect([told, other.authFailures > 10]).toEqual([told, true]);
    // A link that ended during its proof may have been up at one end alone.
    const links = Math.abs(one.linksUp - other.linksUp);
    expect([told, one.linksUp > 0, links <= 2]).toEqual([told, true, true]);
    expect([told, one.checksumFailures + other.checksumFailures]).toEqual([told, 0]);
  });
});

/** Flags and NBD_OPT_GO for `name`. */
function negotiation(name: string): Buffer {
  const option = Buffer.alloc(26 + name.length);
  option.writeUInt32BE(3);
  option.writeBigUInt64BE(0x49484156454f5054n, 4);
  option.writeUInt32BE(7, 12);
  option.writeUInt32BE(6 + name.length, 16);
  option.writeUInt32BE(name.length, 20);
  option.write(name, 24);
  return option;
}
