/**
 * A replica in several parts: one space for the engine, an export of its own for each, and what is
 * made stable is made stable in all of them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReplicaPart } from '../../backends/real/native.ts';
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import { digestOf } from '../compliance/digest.ts';
import { RawEngine, type RawEvent } from '../compliance/raw-engine.ts';
import { AilingDisk, ailingMissing } from '../real/support/ailing-disk.ts';
import { itUnless, sleep } from '../real/support/hosts.ts';
import { attachLoop, detachLoop, loopMissing } from '../real/support/loop-device.ts';
import { LAYOUT } from './support/echo-engine.ts';
import { NbdSocket } from './support/nbd-socket.ts';
import { BUILT, failureOf, hasProgram, META_PAGES, Rig } from './support/rig.ts';

const MIB = 1 << 20;
const PAGE = 4096;
const LIST = hasProgram('nbdinfo');
const QEMU = hasProgram('qemu-io');
const ailing = ailingMissing() ?? loopMissing();
/** An NBD server's words for a request beyond the end: of a write, and of anything else. */
const [NO_SPACE, INVALID] = [28, 22];
const [READ, WRITE, FLUSH, ZEROES] = [0, 1, 3, 6];
/** Behind the slots that a reactor hands out. */
const SLOT = LAYOUT.frontSlots + LAYOUT.peerSlots;

function codeOf(call: () => unknown): string {
  const failure = failureOf(call);
  return failure === null ? 'no failure' : `${failure.code}: ${failure.message}`;
}

describe.skipIf(!BUILT).each(['io_uring', 'epoll'] as const)(
  'a replica in parts, by %s',
  (personality) => {
    let rig: Rig;
    beforeEach(() => {
      rig = new Rig();
    });
    afterEach(() => rig.end());

    /** Two MiB of data and one of log, each with its label, the metadata behind the last. */
    const made = (): ReplicaPart[] => [
      { name: 'data', path: rig.replica('data', 2 * MIB + PAGE), sizeBytes: 2 * MIB },
      { name: 'log', path: rig.replica('log', MIB + PAGE + META_PAGES * PAGE), sizeBytes: MIB },
    ];
    const options = (parts: readonly ReplicaPart[]) => {
      const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      return { parts, labelPages: 1, sizeBytes, personality };
    };
    const connected = async (name: string): Promise<NbdSocket> => {
      const client = await NbdSocket.open(rig, { path: rig.path('vol.sock') });
      expect(await client.go(name)).toBe(true);
      return client;
    };
    const errorOf = async (
      client: NbdSocket,
      type: number,
      offset: number,
      length: number,
      fill = 0,
    ): Promise<number> => {
      const payload = type === WRITE ? Buffer.alloc(length, fill) : undefined;
      client.request(type, 0, 7, offset, length, payload);
      const [answer] = await client.answers(1);
      return answer?.error ?? -1;
    };

    it.skipIf(!LIST)('is as many exports, each with its name and size', async () => {
      const uri = rig.serve(rig.engine(options(made())));
      const { exports } = JSON.parse(
        await rig.run('nbdinfo', '--list', '--json', uri.replace('vol?', '?')),
      ) as { exports: Record<string, unknown>[] };
      const told = exports.map((each) => [each['export-name'], each['export-size']]);
      expect(told).toEqual([
        ['data', 2 * MIB],
        ['log', MIB],
      ]);
    });

    it('has no export without a name, and none under the name of the whole', async () => {
      rig.serve(rig.engine(options(made())));
      for (const name of ['', 'vol', 'dat', 'logs']) {
        const client = await NbdSocket.open(rig, { path: rig.path('vol.sock') });
        expect(await client.go(name)).toBe(false);
        client.socket.destroy();
      }
    });

    it('lets no request of an export past its end, and changes nothing by one', async () => {
      const parts = made();
      rig.serve(rig.engine(options(parts)));
      const [data, log] = [await connected('data'), await connected('log')];
      expect(await errorOf(log, WRITE, 0, PAGE, 9)).toBe(0);
      expect(await errorOf(data, WRITE, 2 * MIB - PAGE, PAGE, 8)).toBe(0);
      // One block too far, wholly beyond, and where the sum of both wraps around.
      expect(await errorOf(data, WRITE, 2 * MIB - PAGE, 2 * PAGE, 7)).toBe(NO_SPACE);
      expect(await errorOf(data, WRITE, 2 * MIB, PAGE, 7)).toBe(NO_SPACE);
      expect(await errorOf(data, ZEROES, 2 * MIB - PAGE, 2 * PAGE)).toBe(NO_SPACE);
      expect(await errorOf(data, READ, 2 * MIB, PAGE)).toBe(INVALID);
      expect(await errorOf(log, READ, MIB, PAGE)).toBe(INVALID);
      const wrapped = 2n ** 64n - BigInt(2 * MIB);
      log.requestBig(WRITE, 0, 7, wrapped, PAGE, Buffer.alloc(PAGE, 7));
      expect((await log.answers(1))[0]?.error).toBe(NO_SPACE);
      const [first, second] = parts.map(({ path }) => readFileSync(path)) as [Buffer, Buffer];
      expect(second.subarray(0, PAGE).equals(Buffer.alloc(PAGE, 9))).toBe(true);
      expect(second.subarray(PAGE).every((byte) => byte === 0)).toBe(true);
      expect(first.subarray(2 * MIB - PAGE, 2 * MIB).equals(Buffer.alloc(PAGE, 8))).toBe(true);
      expect(first.subarray(2 * MIB).every((byte) => byte === 0)).toBe(true);
    });

    it.skipIf(!QEMU)('gives clients back what they wrote to each', async () => {
      const uri = rig.serve(rig.engine(options(made())));
      const at = (name: string): string => uri.replace('vol?', `${name}?`);
      const write = (fill: number, size: string) => ['-c', `write -P ${fill} 0 ${size}`];
      const read = (fill: number, size: string) => ['-c', `read -P ${fill} 0 ${size}`];
      await rig.run('qemu-io', '-f', 'raw', ...write(17, '2M'), '-c', 'flush', at('data'));
      await rig.run('qemu-io', '-f', 'raw', ...write(34, '1M'), '-c', 'flush', at('log'));
      for (const [name, fill, size] of [
        ['data', 17, '2M'],
        ['log', 34, '1M'],
      ] as const) {
        const said = await rig.run('qemu-io', '-f', 'raw', ...read(fill, size), at(name));
        expect(said).not.toMatch(/fail|error/i);
      }
    });

    it('is refused where a part has another size, or is named twice', () => {
      const parts = made();
      const [data, log] = parts as [ReplicaPart, ReplicaPart];
      writeFileSync(data.path, Buffer.alloc(2 * MIB));
      expect(codeOf(() => rig.reactor(options(parts)))).toContain(`REPLICA_SIZE: ${data.path}`);
      const twice = [log, { ...log, name: 'again' }];
      expect(codeOf(() => rig.reactor(options(twice)))).toContain('REPLICA_BUSY');
      const sum = { ...options(parts), sizeBytes: 4 * MIB };
      expect(codeOf(() => rig.reactor(sum))).toContain('ARGUMENT_INVALID: parts');
      const crooked = [{ ...data, sizeBytes: 2 * MIB - 512 }, log];
      expect(codeOf(() => rig.reactor(options(crooked)))).toContain('ARGUMENT_INVALID');
    });

    it('does in one go what crosses from a part to the next', async () => {
      const parts = made();
      const whole = new RawEngine(
        rig.reactor({
          replicaPath: rig.replica('whole', (3 * 256 + META_PAGES) * PAGE),
          sizeBytes: 3 * MIB,
          personality,
        }),
      );
      const several = new RawEngine(rig.reactor(options(parts)));
      const from = 2 * MIB - 3 * PAGE;
      const length = 10 * PAGE;
      const told: RawEvent[][] = [];
      for (const engine of [whole, several]) {
        const bytes = { slot: SLOT, offset: from, length };
        const events: RawEvent[] = [];
        const one = async (decision: Parameters<RawEngine['decide']>[0]) => {
          engine.decide(decision);
          const count = events.length;
          while (events.length === count) {
            events.push(...engine.turn());
            await sleep(0);
          }
        };
        // Something to copy: 4 KiB each of its own, by zeroing and by what a page of metadata had.
        for (let n = 0; n < 16; n += 1) {
          await one({ op: Decision.MetaWrite, offset: 1, length: 1, text: `block ${n}` });
          const moved = { op: Decision.LocalRead, slot: SLOT, offset: n * PAGE, length: PAGE };
          await one({ ...moved, status: 1 });
          await one({ op: Decision.LocalWrite, slot: SLOT, offset: n * PAGE, length: PAGE });
        }
        await one({ op: Decision.LocalRead, slot: SLOT, offset: 0, length });
        await one({ op: Decision.LocalWrite, ...bytes, flags: Flag.Fua | Flag.Sums });
        await one({ op: Decision.LocalRead, ...bytes, flags: Flag.Digest });
        const digest = digestOf(engine.memory, SLOT);
        expect(digest).toMatch(/^[0-9a-f]{32}$/);
        await one({ op: Decision.LocalRead, ...bytes, flags: Flag.Digest | Flag.Check });
        for (const flags of [Flag.Zero | Flag.Fua, Flag.Zero | Flag.Unmap]) {
          const zeroes = { offset: from + PAGE, length: 4 * PAGE, flags };
          await one({ op: Decision.LocalWrite, slot: SLOT, ...zeroes });
          await one({ op: Decision.LocalRead, ...bytes, flags: Flag.Digest });
          events.push({ ...(events.at(-1) as RawEvent), text: digestOf(engine.memory, SLOT) });
        }
        expect(events.every(({ status }) => status === 0)).toBe(true);
        expect(events.every(({ op }) => op !== Event.FlushDone)).toBe(true);
        told.push([...events, { ...(events[0] as RawEvent), text: digest }]);
      }
      expect(told[1]).toEqual(told[0]);
      const [all, data, log] = [rig.path('whole'), rig.path('data'), rig.path('log')].map((file) =>
        readFileSync(file),
      ) as [Buffer, Buffer, Buffer];
      const joined = Buffer.concat([data.subarray(0, 2 * MIB), log.subarray(0, MIB)]);
      expect(joined.equals(all.subarray(0, 3 * MIB))).toBe(true);
      expect(joined.some((byte) => byte !== 0)).toBe(true);
      // Nothing of it in the labels.
      expect(data.subarray(2 * MIB).every((byte) => byte === 0)).toBe(true);
      expect(log.subarray(MIB, MIB + PAGE).every((byte) => byte === 0)).toBe(true);
      for (const { reactor } of [whole, several]) reactor.close();
    });

    itUnless(ailing)(
      'has not flushed while any part has not, and says which one it waits for, or failed',
      async () => {
        const parts = made();
        const disk = new AilingDisk((parts[1] as ReplicaPart).path);
        await disk.attach();
        const device = attachLoop((parts[1] as ReplicaPart).path);
        try {
          const log = { ...(parts[1] as ReplicaPart), path: device };
          // In the system's memory until it is flushed.
          const engine = rig.engine({
            ...options([parts[0] as ReplicaPart, log]),
            metaPath: rig.replica('meta', META_PAGES * PAGE),
            direct: 'off',
          });
          rig.serve(engine);
          const [data, records] = [await connected('data'), await connected('log')];
          expect(await errorOf(records, WRITE, 0, PAGE, 1)).toBe(0);
          expect(await errorOf(data, FLUSH, 0, 0)).toBe(0);
          expect(readFileSync(disk.backing)[0]).toBe(1);
          expect(engine.reactor.stats().waitedFor).toBe('');
          disk.hang(true);
          expect(await errorOf(records, WRITE, 0, PAGE, 3)).toBe(0);
          data.request(FLUSH, 0, 2, 0, 0);
          await rig.until(() => engine.reactor.stats().waitedFor === 'log');
          disk.hang(false);
          expect((await data.answers(1))[0]).toMatchObject({ cookie: 2, error: 0 });
          expect(engine.reactor.stats().waitedFor).toBe('');
          disk.refuseWrites(true);
          expect(await errorOf(records, WRITE, 0, PAGE, 2)).toBe(0);
          // The other export's own disk is well.
          expect(await errorOf(data, FLUSH, 0, 0)).toBe(5);
          const { diskFaults, lastFault } = engine.reactor.stats();
          expect(diskFaults).toBe(1);
          expect(lastFault).toContain('log: flush: ');
          disk.refuseWrites(false);
          for (const client of [data, records]) client.socket.destroy();
          rig.engines.splice(0).forEach(({ reactor }) => {
            reactor.close();
          });
        } finally {
          disk.hang(false);
          detachLoop(device);
          disk.detach();
        }
      },
    );

    /** The file at `path` as a device that may fail, in the system's memory until it is flushed. */
    const ailed = async (
      path: string,
      use: (device: string, disk: AilingDisk) => Promise<void>,
    ): Promise<void> => {
      const disk = new AilingDisk(path);
      await disk.attach();
      const device = attachLoop(path);
      try {
        await use(device, disk);
      } finally {
        disk.hang(false);
        detachLoop(device);
        disk.detach();
      }
    };
    const decided = async (
      engine: RawEngine,
      decision: Parameters<RawEngine['decide']>[0],
    ): Promise<number> => {
      const events = engine.decide(decision);
      while (events.length === 0) {
        events.push(...engine.turn());
        await sleep(0);
      }
      return (events[0] as RawEvent).status;
    };

    itUnless(ailing)(
      'charges zeroes that cannot be made durable to the part they are in',
      async () => {
        const [data, log] = made() as [ReplicaPart, ReplicaPart];
        await ailed(data.path, async (path, disk) => {
          const engine = new RawEngine(
            rig.reactor({ ...options([{ ...data, path }, log]), direct: 'off' }),
          );
          const dirty = { op: Decision.LocalWrite, slot: SLOT, offset: 0, length: PAGE };
          await decided(engine, { op: Decision.MetaWrite, offset: 1, length: 1, text: 'a page' });
          await decided(engine, { ...dirty, op: Decision.LocalRead, status: 1 });
          expect(await decided(engine, dirty)).toBe(0);
          disk.refuseWrites(true);
          // This disk makes zeroes without writing them: only the page before them is refused.
          const crossing = {
            offset: 2 * MIB - PAGE,
            length: 2 * PAGE,
            flags: Flag.Zero | Flag.Fua,
          };
          expect(await decided(engine, { ...dirty, ...crossing })).toBe(5);
          expect(engine.reactor.stats().lastFault).toMatch(/^data: write: /);
          disk.refuseWrites(false);
          engine.reactor.close();
        });
      },
    );

    itUnless(ailing)('says which disk metadata wait for, and which one failed them', async () => {
      for (const where of ['log', 'meta']) {
        const [data, log] = made() as [ReplicaPart, ReplicaPart];
        if (where === 'meta') writeFileSync(log.path, Buffer.alloc(MIB + PAGE));
        const file = where === 'log' ? log.path : rig.replica('meta', META_PAGES * PAGE);
        await ailed(file, async (path, disk) => {
          const place = where === 'log' ? {} : { metaPath: path };
          const parts = [data, where === 'log' ? { ...log, path } : log];
          const engine = new RawEngine(rig.reactor({ ...options(parts), ...place, direct: 'off' }));
          const page = { op: Decision.MetaWrite, offset: 1, length: 1, text: 'a page' };
          disk.hang(true);
          const written = decided(engine, page);
          await rig.until(() => engine.reactor.stats().waitedFor !== '');
          expect(engine.reactor.stats().waitedFor).toBe(where === 'log' ? 'log' : 'meta:');
          disk.hang(false);
          expect(await written).toBe(0);
          expect(engine.reactor.stats().waitedFor).toBe('');
          disk.refuseWrites(true);
          expect(await decided(engine, page)).toBe(5);
          expect(engine.reactor.stats().lastFault).toContain(`${where}: metadata write: `);
          disk.refuseWrites(false);
          engine.reactor.close();
        });
      }
    });
  },
);
