/** What opening a replica may run into, and that metadata, timer and wake do what they promise. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import { digestOf } from '../compliance/digest.ts';
import { RawEngine } from '../compliance/raw-engine.ts';
import { LAYOUT } from './support/echo-engine.ts';
import { BUILT, failureOf, META_PAGES, Rig, SIZE } from './support/rig.ts';

/** The code that `call` fails with. */
const codeOf = (call: () => unknown): string => failureOf(call)?.code ?? 'no failure';

describe.skipIf(!BUILT).each(['io_uring', 'epoll'] as const)(
  'a replica under %s',
  (personality) => {
    let rig: Rig;
    beforeEach(() => {
      rig = new Rig();
    });
    afterEach(() => rig.end());

    it('is refused to a second reactor while the first holds it', () => {
      const replicaPath = rig.replica('a');
      rig.engine({ replicaPath, personality });
      expect(codeOf(() => rig.reactor({ replicaPath, personality }))).toBe('REPLICA_BUSY');
    });

    it('is free again once its reactor is closed', () => {
      const replicaPath = rig.replica('a');
      rig.reactor({ replicaPath, personality }).close();
      rig.reactor({ replicaPath, personality }).close();
    });

    it('is refused when it is missing, of the wrong size, or no file', () => {
      expect(codeOf(() => rig.reactor({ replicaPath: rig.path('none') }))).toBe('REPLICA_MISSING');
      expect(codeOf(() => rig.reactor({ replicaPath: rig.folder }))).toBe('REPLICA_KIND');
      for (const bytes of [0, SIZE, SIZE + META_PAGES * 4096 + 4096]) {
        const replicaPath = rig.replica('b', bytes);
        expect(codeOf(() => rig.reactor({ replicaPath }))).toBe('REPLICA_SIZE');
      }
    });

    it('may have its metadata in a file of its own, which is locked too', () => {
      const metaPath = rig.replica('meta', META_PAGES * 4096);
      const one = { replicaPath: rig.replica('a', SIZE), metaPath, personality };
      rig.engine(one);
      const other = { ...one, replicaPath: rig.replica('b', SIZE) };
      expect(codeOf(() => rig.reactor(other))).toBe('REPLICA_BUSY');
    });

    it('keeps a metadata page and reads it back, with the token it was given', async () => {
      const engine = rig.engine({ replicaPath: rig.replica('a'), personality });
      const { outPages } = engine.memory;
      outPages.set(Buffer.from('page three speaks'), 4096);
      engine.decide(Decision.MetaWrite, 1, 0, 0, 3, 77, 0);
      await rig.until(() => engine.seen.length === 1);
      // Taken at the turn: what the engine does to the page afterwards is its own affair.
      outPages.fill(0);
      engine.decide(Decision.MetaRead, 0, 0, 0, 3, 78, 0);
      await rig.until(() => engine.seen.length === 2);
      const [written, read] = engine.seen;
      expect(written).toMatchObject({ op: Event.MetaDone, offset: 3, length: 77, status: 0 });
      expect(read).toMatchObject({ op: Event.MetaDone, offset: 3, length: 78, status: 0 });
      expect(read?.text).toBe('page three speak');
      const at = SIZE + 3 * 4096;
      expect(
        readFileSync(rig.path('a'))
          .subarray(at, at + 17)
          .toString(),
      ).toBe('page three speaks');
    });

    it('takes digests that are SipHash-2-4-128 of offset, length and bytes', async () => {
      const replicaPath = rig.replica('a');
      const content = Uint8Array.from({ length: 8192 }, (_, at) => (at * 7 + (at >> 8)) & 255);
      const file = readFileSync(replicaPath);
      file.set(content, 12_288);
      writeFileSync(replicaPath, file);
      const engine = new RawEngine(rig.reactor({ replicaPath, personality }));
      const [slot, offset, length] = [LAYOUT.frontSlots + LAYOUT.peerSlots, 12_288, 8192];
      const read = { op: Decision.LocalRead, slot, flags: Flag.Digest, offset, length };
      engine.decide(read);
      let [done] = engine.turn();
      while (done === undefined) [done] = engine.turn();
      expect(done).toMatchObject({ op: Event.LocalDone, slot, status: 0 });
      const range = new DataView(new ArrayBuffer(16));
      range.setBigUint64(0, BigInt(offset), true);
      range.setBigUint64(8, BigInt(length), true);
      const said = new Uint8Array([...new Uint8Array(range.buffer), ...content]);
      const key = new TextEncoder().encode('understudy.digst');
      const known = rig.native.siphash128(key, said);
      expect(digestOf(engine.memory, slot)).toBe(Buffer.from(known).toString('hex'));
    });

    it('delivers more metadata pages than one turn has room for, in order', async () => {
      const engine = rig.engine({ replicaPath: rig.replica('a'), personality });
      for (let i = 0; i < 100; i += 1) engine.decide(Decision.MetaRead, 0, 0, 0, i % 8, i, 0);
      await rig.until(() => engine.seen.length === 100);
      const tokens = engine.seen.map((event) => event.length).sort((a, b) => a - b);
      expect(tokens).toEqual(Array.from({ length: 100 }, (_, i) => i));
    });

    it('answers with an error, not with zeros, when somebody cut it short', async () => {
      const replicaPath = rig.replica('a');
      const engine = rig.engine({ replicaPath, personality });
      writeFileSync(replicaPath, '');
      engine.decide(Decision.MetaRead, 0, 0, 0, 0, 1, 0);
      await rig.until(() => engine.seen.length === 1);
      expect(engine.seen[0]).toMatchObject({ op: Event.MetaDone, status: 5 });
    });

    it('delivers its timer at its time, and once', async () => {
      const engine = rig.engine({ replicaPath: rig.replica('a'), personality });
      const due = rig.native.nowMicros() + 30_000;
      engine.decide(Decision.ArmTimer, 0, 0, 0, due + 1_000_000, 0, 0);
      engine.decide(Decision.ArmTimer, 0, 0, 0, due, 0, 0);
      expect(engine.turn(Number.POSITIVE_INFINITY)).toBe(1);
      expect(rig.native.nowMicros()).toBeGreaterThanOrEqual(due);
      expect(engine.seen[0]?.op).toBe(Event.Timer);
      expect(engine.turn(due + 60_000)).toBe(0);
    });

    it('is woken from a wait without an event', () => {
      const engine = rig.engine({ replicaPath: rig.replica('a'), personality });
      expect(rig.native.wake(engine.reactor.wakeFd)).toBe(true);
      expect(engine.turn(Number.POSITIVE_INFINITY)).toBe(0);
      const clock = new Float64Array(engine.reactor.clock);
      const now = rig.native.nowMicros();
      expect(now - (clock[0] as number)).toBeLessThan(1_000_000);
      expect(engine.turn(now + 20_000)).toBe(0);
      expect(rig.native.nowMicros()).toBeGreaterThanOrEqual(now + 20_000);
    });
  },
);
