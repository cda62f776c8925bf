/** The NBD export, asked by clients that none of us wrote, and by some that mean no good. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NativeError } from '../../backends/real/native.ts';
import { NbdSocket } from './support/nbd-socket.ts';
import { BUILT, hasProgram, Rig, SIZE } from './support/rig.ts';

const COPY = hasProgram('nbdcopy');
const INFO = hasProgram('nbdinfo');
const QEMU = hasProgram('qemu-io');
const FIO = hasProgram('fio');

describe.skipIf(!BUILT).each(['io_uring', 'epoll'] as const)(
  'an NBD export by %s',
  (personality) => {
    let rig: Rig;
    beforeEach(() => {
      rig = new Rig();
    });
    afterEach(() => rig.end());

    const start = (options: { direct?: 'auto' | 'on' | 'off' } = {}) => {
      return rig.engine({ replicaPath: rig.replica('a'), personality, ...options });
    };

    /** A client of the export that is served. */
    const connected = async (): Promise<NbdSocket> => {
      const client = await open(rig, { path: rig.path('vol.sock') });
      await client.go('vol');
      return client;
    };

    it.skipIf(!INFO)('tells nbdinfo its size, its blocks and what it can do', async () => {
      const uri = rig.serve(start());
      const [info] = JSON.parse(await rig.run('nbdinfo', '--json', uri)).exports;
      expect(info).toMatchObject({
        'export-name': 'vol',
        'export-size': SIZE,
        can_flush: true,
        can_fua: true,
        can_multi_conn: true,
        can_trim: true,
        can_zero: true,
        is_read_only: false,
        block_size_minimum: 4096,
        block_size_preferred: 4096,
        block_size_maximum: 1 << 20,
      });
      expect(await rig.run('nbdinfo', '--list', uri.replace('vol?', '?'))).toContain(
        'export="vol"',
      );
      await expect(rig.run('nbdinfo', uri.replace('vol?', 'other?'))).rejects.toThrow(
        'No such file',
      );
    });

    it.skipIf(!COPY)(
      'gives nbdcopy back every byte that it took, on several connections',
      async () => {
        for (const direct of ['auto', 'off'] as const) {
          const engine = start({ direct });
          const uri = rig.serve(engine);
          writeFileSync(rig.path('in'), randomBytes(SIZE));
          await rig.run('nbdcopy', '--connections=4', '--flush', rig.path('in'), uri);
          await rig.run('nbdcopy', uri, rig.path('out'));
          const sent = readFileSync(rig.path('in'));
          expect(readFileSync(rig.path('out')).equals(sent)).toBe(true);
          expect(readFileSync(rig.path('a')).subarray(0, SIZE).equals(sent)).toBe(true);
          expect(engine.reactor.stats().syncs).toBeGreaterThan(0);
          rig.engines.pop()?.reactor.close();
        }
      },
    );

    it.skipIf(!QEMU)('does what qemu-io asks: patterns, FUA, flush, large requests', async () => {
      const uri = rig.serve(start());
      const words = ['-c', 'write -P 17 0 1M', '-c', 'write -f -P 34 64k 4k', '-c', 'flush'];
      const checks = [
        '-c',
        'read -P 17 0 64k',
        '-c',
        'read -P 34 64k 4k',
        '-c',
        'read -P 17 68k 956k',
      ];
      const said = await rig.run('qemu-io', '-f', 'raw', ...words, ...checks, uri);
      expect(said).not.toMatch(/fail|error/i);
      expect((await rig.run('qemu-io', '-f', 'raw', ...checks, uri)).match(/^read/gm)).toHaveLength(
        3,
      );
    });

    it.skipIf(!FIO)('keeps what fio verifies at queue depth 32', async () => {
      const uri = rig.serve(start());
      const job = ['--name=a', '--ioengine=nbd', `--uri=${uri}`, '--rw=randwrite', '--bs=4k-64k'];
      const sizes = [
        '--iodepth=32',
        `--size=${SIZE}`,
        '--verify=crc32c',
        '--verify_state_save=0',
        '--verify_fatal=1',
        '--verify_state_save=0',
      ];
      expect(await rig.run('fio', ...job, ...sizes)).toContain('err= 0');
    });

    it('serves loopback TCP, and refuses to bind any other address', async () => {
      const engine = start();
      const port = engine.reactor.listenNbd({ host: '127.0.0.1', port: 0 }, 'vol');
      engine.reactor.setExport(true);
      expect(port).toBeGreaterThan(0);
      const client = await open(rig, { port });
      expect(await client.go('vol')).toBe(true);
      for (const host of ['0.0.0.0', '::', '10.1.2.3']) {
        expect(() => engine.reactor.listenNbd({ host, port: 0 }, 'vol')).toThrow(NativeError);
      }
    });

    it('refuses new clients and ends old ones when closed, after their last answer', async () => {
      const engine = start();
      rig.serve(engine);
      const client = await connected();
      engine.holding = true;
      client.read(1, 0, 4096);
      await rig.until(() => engine.held.length === 1);
      engine.reactor.setExport(false);
      await rig.pass(50);
      expect(client.closed).toBe(false);
      engine.release(108);
      const [answer] = await client.answers(1);
      expect(answer).toMatchObject({ cookie: 1, error: 108 });
      await rig.until(() => client.closed);
      const late = await open(rig, { path: rig.path('vol.sock') });
      expect(await late.go('vol')).toBe(false);
      expect(late.refusal).toBe('not the primary');
    });

    it('keeps the slots of a client that left until the engine is done with them', async () => {
      const engine = start();
      rig.serve(engine);
      const client = await connected();
      engine.holding = true;
      for (let i = 0; i < 70; i += 1) client.read(i, 0, 4096);
      // There are 64 slots: the rest waits in the socket.
      await rig.until(() => engine.held.length === 64);
      client.socket.destroy();
      await rig.pass(50);
      const second = await open(rig, { path: rig.path('vol.sock') });
      await second.go('vol');
      second.read(100, 0, 4096);
      await rig.pass(50);
      expect(engine.held.length).toBe(64);
      engine.release(0);
      expect(await second.answers(1)).toMatchObject([{ cookie: 100, error: 0 }]);
    });

    it('answers what it cannot do with an error, and goes on', async () => {
      const engine = start();
      rig.serve(engine);
      const client = await connected();
      client.request(5, 0, 1, 0, 4096); // CACHE
      client.request(0, 0, 2, 512, 4096); // unaligned
      client.request(0, 0, 3, SIZE, 4096); // beyond the end
      client.request(0, 0, 4, 0, 2 << 20); // longer than a slot
      client.request(0, 0, 5, 0, 0); // nothing
      client.request(0, 64, 6, 0, 4096); // unknown flag
      client.requestBig(0, 0, 7, 2n ** 64n - 4096n, 8192); // wraps around
      client.request(1, 0, 8, SIZE - 4096, 8192, Buffer.alloc(8192)); // write beyond the end
      client.request(1, 0, 9, 0, 2 << 20, Buffer.alloc(2 << 20)); // write longer than a slot
      client.read(10, 0, 4096);
      const errors = (await client.answers(10)).map(({ error }) => error);
      expect(errors).toEqual([22, 22, 22, 22, 22, 22, 22, 28, 22, 0]);
    });

    it('makes zeroes however long, and what lies beside them stays', async () => {
      for (const direct of ['auto', 'off'] as const) {
        const engine = start({ direct });
        rig.serve(engine);
        const client = await connected();
        const [trim, zeroes, noHole, fua] = [4, 6, 2, 1];
        const file = rig.path('a');
        const bytes = Buffer.alloc(SIZE, 7);
        const fill = () => {
          const opened = openSync(file, 'r+');
          writeSync(opened, bytes, 0, SIZE, 0);
          fsyncSync(opened);
          closeSync(opened);
        };
        let cookie = 1;
        for (const [type, flags, from, length] of [
          [zeroes, noHole, 4096, 4096],
          [zeroes, 0, 12288, 5 << 20],
          [zeroes, fua, (3 << 20) - 4096, 8192],
          [trim, fua, 4096, 3 << 20],
          [trim, 0, 0, SIZE],
        ] as const) {
          fill();
          const before = statSync(file).blocks;
          client.request(type, flags, cookie, from, length);
          expect(await client.answers(1)).toMatchObject([{ cookie, error: 0 }]);
          cookie += 1;
          const wanted = Buffer.from(bytes).fill(0, from, from + length);
          expect(readFileSync(file).subarray(0, SIZE).equals(wanted)).toBe(true);
          // Space is given back but where the client wants to keep it.
          if ((flags & noHole) === 0) expect(statSync(file).blocks).toBeLessThan(before);
          else expect(statSync(file).blocks).toBe(before);
        }
        client.request(zeroes, 0, cookie, SIZE - 4096, 8192);
        client.request(zeroes, 16, cookie + 1, 0, 4096); // FAST_ZERO, which was not offered
        expect((await client.answers(2)).map(({ error }) => error)).toEqual([28, 22]);
        client.socket.destroy();
        rig.end();
        rig = new Rig();
      }
    });

    it('leaves room for others beside long requests for zeroes, each client in turn', async () => {
      const engine = start();
      rig.serve(engine);
      const [many, few, reader] = [await connected(), await connected(), await connected()];
      const writes = () => engine.reactor.stats().localWrites;
      // 16 pieces of 1 MiB each, and as many requests as there are slots.
      for (let i = 1; i <= 64; i += 1) many.request(6, 0, i, 0, SIZE);
      await rig.until(() => writes() >= 4);
      const before = writes();
      reader.read(1, 0, 4096);
      few.request(6, 0, 2, 0, 2 << 20);
      expect(await reader.answers(1)).toMatchObject([{ cookie: 1, error: 0 }]);
      expect(writes() - before).toBeLessThan(64);
      expect(await few.answers(1)).toMatchObject([{ cookie: 2, error: 0 }]);
      expect(writes() - before).toBeLessThan(64 * 8);
      const told = await many.answers(64);
      expect(new Set(told.map(({ cookie }) => cookie)).size).toBe(64);
      expect(told.every(({ error }) => error === 0)).toBe(true);
    });

    it('refuses the long requests that wait when the export is closed', async () => {
      const engine = start();
      rig.serve(engine);
      const client = await connected();
      engine.holding = true;
      for (let i = 1; i <= 10; i += 1) client.request(6, 0, i, 0, SIZE);
      await rig.until(() => engine.held.length === 4);
      engine.reactor.setExport(false);
      engine.release(108);
      const answers = await client.answers(10);
      expect(answers.map(({ error }) => error)).toEqual(Array.from({ length: 10 }, () => 108));
    });

    it('ends a long request for zeroes at its first failure', async () => {
      const engine = start();
      rig.serve(engine);
      const client = await connected();
      engine.holding = true;
      client.request(6, 0, 1, 0, SIZE);
      await rig.until(() => engine.held.length === 1);
      engine.release(5);
      expect(await client.answers(1)).toMatchObject([{ cookie: 1, error: 5 }]);
      client.read(2, 0, 4096);
      expect(await client.answers(1)).toMatchObject([{ cookie: 2, error: 0 }]);
    });

    it('asks no further piece of a client that is gone', async () => {
      const engine = start();
      rig.serve(engine);
      const client = await connected();
      engine.holding = true;
      client.request(6, 0, 1, 0, SIZE);
      await rig.until(() => engine.held.length === 1);
      client.socket.destroy();
      await rig.pass(50);
      const { nbdRequests } = engine.reactor.stats();
      engine.release(0);
      engine.holding = true;
      await rig.pass(50);
      expect(engine.held).toEqual([]);
      expect(engine.reactor.stats().nbdRequests).toBe(nbdRequests);
    });

    it('survives garbage, half a handshake, oversized options and oversized names', async () => {
      const engine = start();
      rig.serve(engine);
      const option = (type: number, data: Buffer, length = data.length) => {
        const head = Buffer.alloc(16);
        head.writeBigUInt64BE(0x49484156454f5054n);
        head.writeUInt32BE(type, 8);
        head.writeUInt32BE(length, 12);
        return Buffer.concat([head, data]);
      };
      const flags = Buffer.from([0, 0, 0, 3]);
      const name = Buffer.alloc(3000, 97);
      const names = Buffer.concat([Buffer.from([0, 0, 0x0b, 0xb8]), name, Buffer.from([0, 0])]);
      const attacks = [
        randomBytes(4000),
        Buffer.from([0, 0, 0, 255]),
        Buffer.concat([flags, randomBytes(3000)]),
        Buffer.concat([flags, option(7, Buffer.alloc(4), 0xffffffff)]),
        Buffer.concat([flags, option(7, Buffer.from([255, 255, 255, 255, 0, 0]))]),
        Buffer.concat([flags, option(7, Buffer.alloc(0))]),
        Buffer.concat([flags, option(7, names)]),
        Buffer.concat([flags, option(1, name)]),
        Buffer.concat([flags, option(99, Buffer.alloc(100_000))]),
        Buffer.concat(Array.from({ length: 100 }, () => option(3, Buffer.alloc(0)))),
        Buffer.concat([flags, ...Array.from({ length: 100 }, () => option(3, Buffer.alloc(0)))]),
        Buffer.concat([flags, option(1, Buffer.from('vol')), randomBytes(5000)]),
      ];
      for (const attack of attacks) {
        const socket = createConnection(rig.path('vol.sock'));
        socket.on('error', () => {});
        socket.resume();
        socket.write(attack);
        await rig.pass(20);
        socket.destroy();
      }
      for (let i = 0; i < 200; i += 1) {
        const socket = createConnection(rig.path('vol.sock'));
        socket.on('error', () => {});
        socket.write(Buffer.concat([flags, randomBytes(i * 7)]));
        if (i % 10 === 0) await rig.pass(5);
        if (i % 2 === 0) socket.destroy();
        else setTimeout(() => socket.destroy(), 200);
      }
      await rig.pass(400);
      const client = await open(rig, { path: rig.path('vol.sock') });
      expect(await client.go('vol')).toBe(true);
      client.read(1, 0, 4096);
      expect(await client.answers(1)).toMatchObject([{ error: 0 }]);
    });

    it('lets a client in at once, however many hold connections and say nothing', async () => {
      const engine = start();
      rig.serve(engine);
      const silent: NbdSocket[] = [];
      while (silent.length < 200) silent.push(await open(rig, { path: rig.path('vol.sock') }));
      await rig.pass(50);
      expect(engine.reactor.stats()).toMatchObject({ nbdRefused: 0, nbdTimeouts: 200 - 128 });
      const client = await connected();
      client.read(1, 0, 4096);
      expect(await client.answers(1)).toMatchObject([{ error: 0 }]);
      for (const { socket } of silent) socket.destroy();
    });

    it('refuses one client too many, and takes nothing from those that it serves', async () => {
      const engine = start();
      rig.serve(engine);
      const clients: NbdSocket[] = [];
      while (clients.length < 128) clients.push(await connected());
      await expect(connected()).rejects.toThrow('the server hung up');
      expect(engine.reactor.stats()).toMatchObject({ nbdRefused: 1, nbdTimeouts: 0 });
      for (const client of clients) {
        client.read(1, 0, 4096);
        expect(await client.answers(1)).toMatchObject([{ error: 0 }]);
      }
      clients[0]?.socket.destroy();
      await rig.pass(50);
      await connected();
      for (const client of clients) client.socket.destroy();
    });

    it.skipIf(!QEMU)('turns a failure of the disk into an error of the request', async () => {
      const uri = rig.serve(start({ direct: 'off' }));
      truncateSync(rig.path('a'), 4096);
      const read = rig.run('qemu-io', '-f', 'raw', '-c', 'read 1M 64k', uri);
      expect(await read.catch(String)).toContain('Input/output error');
    });
  },
);

function open(rig: Rig, to: { path: string } | { port: number }): Promise<NbdSocket> {
  return NbdSocket.open(rig, to);
}
