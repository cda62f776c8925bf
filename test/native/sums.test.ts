/** The checksums of blocks that the reactor computes, against those of the engine. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../engine/core/crc32c.ts';
import { Rng } from '../../engine/core/rng.ts';
import { Decision, Event, Flag, PAGE_BYTES, Status } from '../../engine/data/abi.ts';
import { RawEngine } from '../compliance/raw-engine.ts';
import { LAYOUT } from './support/echo-engine.ts';
import { BUILT, Rig } from './support/rig.ts';

const BLOCK = 4096;
const SLOT = LAYOUT.frontSlots + LAYOUT.peerSlots;
const MIB = 1 << 20;

const rigs: Rig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.end();
});

/** What a read or write of the disk came to, with the checksums that it brought. */
interface Done {
  readonly status: number;
  readonly flags: number;
  readonly sums: readonly number[];
}

class Disk {
  readonly bytes = new Uint8Array(4 * MIB);
  readonly #engine: RawEngine;

  constructor(personality: 'io_uring' | 'epoll', direct: 'on' | 'off') {
    const rig = new Rig();
    rigs.push(rig);
    const replicaPath = rig.replica('disk');
    const rng = new Rng(7, 1);
    for (let i = 0; i < this.bytes.length; i += 1) this.bytes[i] = rng.below(256);
    const file = openSync(replicaPath, 'r+');
    writeSync(file, this.bytes, 0, this.bytes.length, 0);
    closeSync(file);
    this.#engine = new RawEngine(rig.reactor({ replicaPath, personality, direct }));
  }

  /** The engine's own checksums of whole blocks. */
  sums(block: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => {
      const from = (block + i) * BLOCK;
      return crc32c(this.bytes, from, from + BLOCK, 0);
    });
  }

  run(op: number, slot: number, offset: number, length: number, flags: number): Done {
    const engine = this.#engine;
    let events = engine.decide({ op, slot: SLOT + slot, flags, offset, length });
    while (events.length === 0) events = engine.turn();
    const [event] = events;
    if (event?.op !== Event.LocalDone) throw new Error('the disk ends what it was given');
    const count = (event.flags & Flag.Sums) === 0 ? 0 : Math.floor(length / BLOCK);
    const { inPages } = engine.memory;
    const at = inPages.byteOffset + event.link * PAGE_BYTES;
    const sums = [...new Uint32Array(inPages.buffer, at, count)];
    return { status: event.status, flags: event.flags, sums };
  }

  close(): void {
    this.#engine.reactor.close();
  }
}

describe.skipIf(!BUILT)('the checksums of blocks', () => {
  for (const personality of ['io_uring', 'epoll'] as const) {
    for (const direct of ['on', 'off'] as const) {
      it(`are those of what is read and written, by ${personality}, direct ${direct}`, () => {
        const disk = new Disk(personality, direct);
        const { LocalRead, LocalWrite } = Decision;
        for (const [block, count] of [
          [0, 1],
          [7, 3],
          [256, 256],
        ] as const) {
          const [offset, length] = [block * BLOCK, count * BLOCK];
          const read = disk.run(LocalRead, 0, offset, length, Flag.Sums);
          expect(read).toMatchObject({ status: 0, flags: Flag.Sums });
          expect(read.sums).toEqual(disk.sums(block, count));
          // Whatever else is asked of the read, and where it does not agree with the header.
          const differs = disk.run(LocalRead, 0, offset, length, Flag.Sums | Flag.Check);
          expect(differs).toMatchObject({ status: Status.Differs, sums: read.sums });
          const written = disk.run(LocalWrite, 0, 2 * MIB, length, Flag.Sums | Flag.Fua);
          expect(written).toEqual({ status: 0, flags: Flag.Sums, sums: read.sums });
        }
        disk.close();
      });
    }
  }

  it('come only where they are asked for, and of no zeroes', () => {
    const disk = new Disk('io_uring', 'off');
    expect(disk.run(Decision.LocalRead, 0, 0, BLOCK, 0)).toMatchObject({ flags: 0, sums: [] });
    expect(disk.run(Decision.LocalWrite, 0, 0, BLOCK, 0)).toMatchObject({ flags: 0, sums: [] });
    const zeroes = disk.run(Decision.LocalWrite, 0, 0, BLOCK, Flag.Sums | Flag.Zero);
    expect(zeroes).toMatchObject({ status: 0, sums: [] });
    const read = disk.run(Decision.LocalRead, 0, 0, BLOCK, Flag.Sums | Flag.Zero);
    expect(read.flags).toBe(Flag.Sums | Flag.Zero);
    expect(read.sums).toEqual([crc32c(new Uint8Array(BLOCK), 0, BLOCK, 0)]);
    disk.close();
  });
});
