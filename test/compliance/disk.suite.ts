/**
 * The promises of engine/ports/disk.ts, asked of every backend. Payload never passes through the
 * suite: it copies blocks from place to place through slots, and asks at the end what they hold.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { Status } from '../../engine/data/abi.ts';
import type { Define } from './define.ts';

/** One operation, by the engine's words. Blocks and pages are of 4 KiB. */
export type DiskOperation =
  | {
      readonly kind: 'read' | 'write';
      readonly slot: number;
      readonly block: number;
      readonly fua?: boolean;
      /** A read that leaves a digest in the slot's header. */
      readonly digest?: boolean;
      /** A read that is held against the digest in the slot's header. */
      readonly check?: boolean;
      /** The block is one of the side area. */
      readonly side?: boolean;
      /** Of a read: whether what it brings is all zero is wanted. */
      readonly askZero?: boolean;
    }
  | {
      readonly kind: 'zero';
      readonly slot: number;
      readonly block: number;
      /** Blocks; more than a slot holds may be. */
      readonly count: number;
      readonly fua?: boolean;
      readonly unmap?: boolean;
    }
  | { readonly kind: 'flush'; readonly token: number }
  | {
      readonly kind: 'meta-read';
      readonly page: number;
      readonly token: number;
      readonly side?: boolean;
    }
  | {
      readonly kind: 'meta-write';
      readonly page: number;
      readonly token: number;
      readonly text: string;
      readonly side?: boolean;
    };

/** An answer, with the slot or token that it names. */
export interface DiskAnswer {
  readonly kind: 'local' | 'flush' | 'meta';
  readonly id: number;
  readonly status: number;
  /** What a metadata read found, its first 16 characters. */
  readonly text: string;
  /** A read that was asked says that it brought nothing but zeroes. */
  readonly zero?: boolean;
  /** The digest in the slot's header, in hexadecimal digits. */
  readonly digest: string;
}

/** A disk of {@link BLOCKS} blocks, block n filled with pattern n + 1, and of empty pages. */
export interface DiskDriver {
  /** Orders all at once; resolves to the answers, in the order in which they came. */
  run(operations: readonly DiskOperation[]): Promise<readonly DiskAnswer[]>;
  /** A block's pattern (0: zeroes), as another reader of the device sees it; -1 for none. */
  holds(block: number): Promise<number>;
  /** The process ends, all its operations answered, and a new one begins. */
  restart(): Promise<void>;
  /** Power fails, where the backend can do that: what was volatile may be gone. */
  readonly cutPower?: () => Promise<void>;
  close(): Promise<void>;
}

export const BLOCKS = 64;
/** Blocks of the side area, empty at first; the first quarter of it is used as pages. */
export const SIDE_BLOCKS = 64;
export const SLOTS = 4;

const copies = fc.array(
  fc.record({
    from: fc.integer({ min: 0, max: BLOCKS - 1 }),
    to: fc.integer({ min: 0, max: BLOCKS - 1 }),
    slot: fc.integer({ min: 0, max: SLOTS - 1 }),
    fua: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

/**
 * Defines the tests; `make` gives a fresh disk. `canCut`: the backend can lose its power, and what
 * is volatile with it.
 */
export function diskSuite(define: Define, canCut: boolean, make: () => Promise<DiskDriver>): void {
  const test = (name: string, run: (disk: DiskDriver) => Promise<void>): void => {
    define(name, async () => {
      const disk = await make();
      try {
        await run(disk);
      } finally {
        await disk.close();
      }
    });
  };

  async function one(disk: DiskDriver, operation: DiskOperation): Promise<DiskAnswer> {
    const answers = await disk.run([operation]);
    expect(answers).toHaveLength(1);
    expect(answers[0]?.status).toBe(0);
    return answers[0] as DiskAnswer;
  }

  test('answers every operation exactly once, by its slot or token', async (disk) => {
    const answers = await disk.run([
      { kind: 'read', slot: 0, block: 1 },
      { kind: 'read', slot: 1, block: 2 },
      { kind: 'read', slot: 2, block: 1 },
      { kind: 'flush', token: 71 },
      { kind: 'meta-read', page: 1, token: 72 },
      { kind: 'meta-write', page: 2, token: 73, text: 'two' },
      { kind: 'flush', token: 74 },
    ]);
    const seen = answers.map(({ kind, id }) => `${kind} ${id}`).sort();
    const wanted = ['flush 71', 'flush 74', 'local 0', 'local 1', 'local 2', 'meta 72', 'meta 73'];
    expect(seen).toEqual(wanted);
    expect(answers.every(({ status }) => status === 0)).toBe(true);
  });

  test('reads what was written last, whatever was copied where', async (disk) => {
    const model = Array.from({ length: BLOCKS }, (_, n) => n + 1);
    await fc.assert(
      fc.asyncProperty(copies, async (plan) => {
        for (const { from, to, slot, fua } of plan) {
          await one(disk, { kind: 'read', slot, block: from });
          await one(disk, { kind: 'write', slot, block: to, fua });
          model[to] = model[from] as number;
        }
        await one(disk, { kind: 'flush', token: 1 });
        for (const { to } of plan) expect(await disk.holds(to)).toBe(model[to]);
      }),
      { numRuns: 20 },
    );
    for (const [block, pattern] of model.entries()) expect(await disk.holds(block)).toBe(pattern);
  });

  test('makes zeroes without payload, and leaves what is beside them', async (disk) => {
    await one(disk, { kind: 'read', slot: 0, block: 3 });
    let round = 0;
    for (const unmap of [false, true]) {
      for (const fua of [false, true]) {
        const block = round * 12;
        round += 1;
        await one(disk, { kind: 'zero', slot: 0, block, count: 10, unmap, fua });
        await one(disk, { kind: 'flush', token: 1 });
        for (let b = block; b < block + 10; b++) expect(await disk.holds(b)).toBe(0);
        expect(await disk.holds(block + 10)).toBe(block + 11);
      }
    }
    // What stood in the slot stands there still.
    await one(disk, { kind: 'write', slot: 0, block: 5 });
    await one(disk, { kind: 'flush', token: 1 });
    expect(await disk.holds(5)).toBe(4);
  });

  test('says of a read that is asked whether all is zero, and of no other', async (disk) => {
    await one(disk, { kind: 'zero', slot: 0, block: 8, count: 2 });
    const read = { kind: 'read', slot: 1 } as const;
    expect((await one(disk, { ...read, block: 8, askZero: true })).zero).toBe(true);
    expect((await one(disk, { ...read, block: 8 })).zero).toBe(false);
    expect((await one(disk, { ...read, block: 10, askZero: true })).zero).toBe(false);
  });

  test('keeps every metadata page, and nothing else changes', async (disk) => {
    for (const page of [0, 3, 7]) {
      await one(disk, { kind: 'meta-write', page, token: page, text: `page ${page}` });
    }
    for (let page = 0; page < 8; page++) {
      const { text } = await one(disk, { kind: 'meta-read', page, token: 9 });
      expect(text).toBe([0, 3, 7].includes(page) ? `page ${page}` : '');
    }
    expect(await disk.holds(BLOCKS - 1)).toBe(BLOCKS);
  });

  test('keeps what is written to the side area apart from data and metadata', async (disk) => {
    for (const block of [16, 40, SIDE_BLOCKS - 1]) {
      await one(disk, { kind: 'read', slot: 0, block: block - 1 });
      await one(disk, { kind: 'write', slot: 0, block, side: true, fua: true });
    }
    await one(disk, { kind: 'meta-write', page: 3, token: 1, text: 'meta' });
    for (const page of [0, 3, 15]) {
      await one(disk, { kind: 'meta-write', page, token: 1, text: `side ${page}`, side: true });
    }
    for (let block = 0; block < BLOCKS; block++) expect(await disk.holds(block)).toBe(block + 1);
    expect((await one(disk, { kind: 'meta-read', page: 3, token: 2 })).text).toBe('meta');
    await disk.restart();
    for (const page of [0, 3, 15]) {
      const { text } = await one(disk, { kind: 'meta-read', page, token: 3, side: true });
      expect(text).toBe(`side ${page}`);
    }
    for (const block of [16, 40, SIDE_BLOCKS - 1]) {
      await one(disk, { kind: 'read', slot: 1, block, side: true });
      await one(disk, { kind: 'write', slot: 1, block: 2 });
      expect(await disk.holds(2)).toBe(block);
    }
    // What nobody wrote there is zero, and is said to be when that is asked.
    const empty = { kind: 'read', slot: 2, block: 20, side: true, askZero: true } as const;
    expect((await one(disk, empty)).zero).toBe(true);
    expect((await one(disk, { ...empty, block: 40 })).zero).toBe(false);
  });

  test('gives a digest of the range and of what is there, and of nothing else', async (disk) => {
    const digest = async (slot: number, block: number): Promise<string> =>
      (await one(disk, { kind: 'read', slot, block, digest: true })).digest;
    const seen = new Map<string, number>();
    for (let block = 0; block < 24; block++) {
      const told = await digest(block % SLOTS, block);
      expect(told).toMatch(/^[0-9a-f]{32}$/);
      expect(seen.get(told)).toBe(undefined);
      seen.set(told, block);
      // Whatever slot it is read into.
      expect(await digest((block + 1) % SLOTS, block)).toBe(told);
    }
    const before = await digest(0, 5);
    await one(disk, { kind: 'read', slot: 1, block: 6 });
    await one(disk, { kind: 'write', slot: 1, block: 5 });
    const copied = await digest(0, 5);
    // The same bytes elsewhere are another range.
    expect([before, await digest(0, 6)]).not.toContain(copied);
    await one(disk, { kind: 'read', slot: 1, block: 4 });
    await one(disk, { kind: 'write', slot: 1, block: 5 });
    expect(await digest(2, 5)).not.toBe(copied);
  });

  test('says whether a range still has the digest that the slot has', async (disk) => {
    const told = async (slot: number, block: number, check: boolean): Promise<DiskAnswer> => {
      const [answer] = await disk.run([{ kind: 'read', slot, block, digest: true, check }]);
      return answer as DiskAnswer;
    };
    const first = await told(0, 7, false);
    expect(await told(0, 7, true)).toEqual(first);
    const other = await told(0, 8, true);
    expect(other.status).toBe(Status.Differs);
    // Afterwards the slot has the digest of what was read, whatever it had before.
    expect(await told(0, 8, true)).toEqual({ ...other, status: 0 });
    await one(disk, { kind: 'read', slot: 1, block: 9 });
    await one(disk, { kind: 'write', slot: 1, block: 8 });
    expect((await told(0, 8, true)).status).toBe(Status.Differs);
  });

  test('outlives the process: what was done is there for the next', async (disk) => {
    await one(disk, { kind: 'read', slot: 0, block: 9 });
    await one(disk, { kind: 'write', slot: 0, block: 10 });
    await one(disk, { kind: 'meta-write', page: 5, token: 1, text: 'five' });
    await disk.restart();
    expect((await one(disk, { kind: 'meta-read', page: 5, token: 2 })).text).toBe('five');
    await one(disk, { kind: 'read', slot: 3, block: 10 });
    await one(disk, { kind: 'write', slot: 3, block: 11, fua: true });
    expect(await disk.holds(11)).toBe(10);
  });

  if (!canCut) return;
  test('keeps through a loss of power what the side area took', async (disk) => {
    if (disk.cutPower === undefined) throw new Error('this backend was said to cut its power');
    for (let block = 16; block < 24; block++) {
      await one(disk, { kind: 'read', slot: 0, block });
      await one(disk, { kind: 'write', slot: 0, block, side: true, fua: true });
      await one(disk, { kind: 'meta-write', page: block - 16, token: 1, text: 'x', side: true });
    }
    await disk.cutPower();
    for (let block = 16; block < 24; block++) {
      const page = { kind: 'meta-read', page: block - 16, token: 1, side: true } as const;
      expect((await one(disk, page)).text).toBe('x');
      await one(disk, { kind: 'read', slot: 0, block, side: true });
      await one(disk, { kind: 'write', slot: 0, block: 1 });
      expect(await disk.holds(1)).toBe(block + 1);
    }
  });

  test('keeps through a loss of power what was flushed, forced or metadata', async (disk) => {
    if (disk.cutPower === undefined) throw new Error('this backend was said to cut its power');
    for (let round = 0; round < 20; round++) {
      await one(disk, { kind: 'read', slot: 0, block: 20 + round });
      // Far apart: a disk may consist of several.
      for (const block of [0, 43, 63]) await one(disk, { kind: 'write', slot: 0, block });
      await one(disk, { kind: 'flush', token: 1 });
      for (const block of [1, 42]) await one(disk, { kind: 'write', slot: 0, block, fua: true });
      await one(disk, { kind: 'meta-write', page: 1, token: 2, text: `round ${round}` });
      await one(disk, { kind: 'read', slot: 1, block: 60 });
      await one(disk, { kind: 'write', slot: 1, block: 2 });
      await disk.cutPower();
      for (const block of [0, 1, 42, 43, 63]) expect(await disk.holds(block)).toBe(21 + round);
      const kept = { kind: 'zero', slot: 2, block: 3, count: 2, unmap: round % 2 === 0 } as const;
      await one(disk, { ...kept, fua: true });
      await disk.cutPower();
      expect([await disk.holds(3), await disk.holds(4)]).toEqual([0, 0]);
      for (const block of [3, 4]) await one(disk, { kind: 'write', slot: 0, block, fua: true });
      const { text } = await one(disk, { kind: 'meta-read', page: 1, token: 3 });
      expect(text).toBe(`round ${round}`);
    }
  });
}
