/** The promises of engine/ports/network.ts about replication links, asked of every backend. */
import { expect } from 'vitest';
import { Status } from '../../engine/data/abi.ts';
import type { Define } from './define.ts';

/** What a side of a link was told, in order. */
export type LinkEvent =
  | { readonly kind: 'up'; readonly link: number; readonly peer: number }
  | { readonly kind: 'message'; readonly link: number; readonly text: string }
  | { readonly kind: 'down'; readonly link: number }
  /** The other side asks for a block. */
  | { readonly kind: 'asked'; readonly link: number; readonly block: number }
  | {
      readonly kind: 'answered';
      readonly link: number;
      readonly slot: number;
      readonly status: number;
    };

/**
 * What a side does with a peer's read: answers with block number + 1, keeps it, refuses, or takes a
 * question for a digest for one for payload, and the other way round.
 */
export type Serving = 'answer' | 'hold' | 'refuse' | 'mistake';

/** Slots of each side that may ask, from 0, and slots that it has for what it is asked. */
export const ASKING_SLOTS = 4;
export const ANSWERING_SLOTS = 2;

/** Two nodes, 1 (side 0) and 2 (side 1), and the connection between them. */
export interface LinkDriver {
  /** Waits until both sides are up on a new incarnation. */
  connect(): Promise<void>;
  /** Sends on the side's present link; lost when there is none. */
  send(side: 0 | 1, text: string): void;
  /**
   * Asks the other side for a block, its digest, or its digest to spare a copy, into a slot; lost
   * when there is no link.
   */
  ask(side: 0 | 1, slot: number, block: number, digest?: boolean | 'copy'): void;
  /** The status of the own block, held against such a digest in the slot that asked for it. */
  judge(side: 0 | 1, slot: number, block: number): Promise<number>;
  /** The digest in the header of a slot that asked. */
  digest(side: 0 | 1, slot: number): string;
  /** What the side does with reads from now on; those that it holds are answered on 'answer'. */
  serve(side: 0 | 1, how: Serving): void;
  /** What stands in a slot that asked: one number all over, -1 for anything else. */
  holds(side: 0 | 1, slot: number): Promise<number>;
  /** Lets everything that is under way arrive. */
  settle(): Promise<void>;
  /** The wire breaks, or one side closes; waits until both sides know. */
  breakDown(): Promise<void>;
  /** All that the side was told so far. */
  told(side: 0 | 1): readonly LinkEvent[];
  close(): Promise<void>;
}

/** Defines the tests; `make` gives two nodes that are not connected yet. */
export function linkSuite(define: Define, make: () => Promise<LinkDriver>): void {
  const test = (name: string, run: (link: LinkDriver) => Promise<void>): void => {
    define(name, async () => {
      const link = await make();
      try {
        await run(link);
      } finally {
        await link.close();
      }
    });
  };

  function messages(events: readonly LinkEvent[]): string[] {
    return events.flatMap((event) => (event.kind === 'message' ? [event.text] : []));
  }

  test('delivers in order, each once, both ways', async (link) => {
    await link.connect();
    const texts = Array.from({ length: 200 }, (_, n) => `m${n}`);
    for (const text of texts) {
      link.send(0, text);
      link.send(1, `re ${text}`);
    }
    await link.settle();
    expect(messages(link.told(1))).toEqual(texts);
    expect(messages(link.told(0))).toEqual(texts.map((text) => `re ${text}`));
  });

  test('uses no link number again, and ends each link once, after its messages', async (link) => {
    for (let life = 0; life < 4; life++) {
      await link.connect();
      link.send(0, `life ${life}`);
      link.send(1, `life ${life}`);
      await link.settle();
      await link.breakDown();
    }
    for (const side of [0, 1] as const) {
      const events = link.told(side);
      const ups = events.filter(({ kind }) => kind === 'up').map((event) => event.link);
      expect(new Set(ups).size).toBe(4);
      expect(ups.every((number) => number > 0)).toBe(true);
      for (const number of ups) {
        const own = events.filter((event) => event.link === number).map(({ kind }) => kind);
        expect(own[0]).toBe('up');
        expect(own.at(-1)).toBe('down');
        expect(own.filter((kind) => kind === 'down')).toHaveLength(1);
      }
      const peers = events.flatMap((event) => (event.kind === 'up' ? [event.peer] : []));
      expect(new Set(peers)).toEqual(new Set([side === 0 ? 2 : 1]));
    }
  });

  const answers = (events: readonly LinkEvent[]): string[] =>
    events.flatMap((event) => {
      return event.kind === 'answered' ? [`${event.slot}: ${event.status}`] : [];
    });

  test('answers a read once, in the slot that asked and in no other', async (link) => {
    await link.connect();
    for (const side of [0, 1] as const) {
      for (let slot = 0; slot < ASKING_SLOTS; slot++) link.ask(side, slot, 3 + slot * 2);
    }
    await link.settle();
    for (const side of [0, 1] as const) {
      const told = link.told(side);
      const asked = told.flatMap((event) => (event.kind === 'asked' ? [event.block] : []));
      expect(asked).toEqual([3, 5, 7, 9]);
      expect(answers(told).sort()).toEqual(['0: 0', '1: 0', '2: 0', '3: 0']);
      for (let slot = 0; slot < ASKING_SLOTS; slot++) {
        expect(await link.holds(side, slot)).toBe(4 + slot * 2);
      }
    }
  });

  test('answers a question for a digest with that alone', async (link) => {
    await link.connect();
    for (const slot of [0, 1]) link.ask(0, slot, 20 + slot);
    await link.settle();
    for (const slot of [0, 1, 2, 3]) link.ask(0, slot, [5, 6, 5, 7][slot] as number, true);
    await link.settle();
    expect(answers(link.told(0)).slice(2).sort()).toEqual(['0: 0', '1: 0', '2: 0', '3: 0']);
    const told = [0, 1, 2, 3].map((slot) => link.digest(0, slot));
    expect(told.every((digest) => /[^0]/.test(digest))).toBe(true);
    expect(told[2]).toBe(told[0]);
    expect(new Set(told).size).toBe(3);
    // No payload came: the slots have what they had before.
    expect([await link.holds(0, 0), await link.holds(0, 1)]).toEqual([21, 22]);
    link.serve(1, 'refuse');
    link.ask(0, 0, 5, true);
    await link.settle();
    expect(answers(link.told(0)).at(-1)).toBe('0: 5');
  });

  test('has digests for copies that both ends agree on, and no other link', async (link) => {
    const known = new Set<string>();
    for (let incarnation = 0; incarnation < 3; incarnation += 1) {
      await link.connect();
      for (const side of [0, 1] as const) {
        for (const slot of [0, 1]) link.ask(side, slot, 5, 'copy');
        link.ask(side, 2, 6, 'copy');
        link.ask(side, 3, 5, true);
        await link.settle();
        const told = [0, 1, 2, 3].map((slot) => link.digest(side, slot));
        expect(told[0]).toBe(told[1]);
        expect(new Set(told).size).toBe(3);
        // What comparisons have is the same on every link.
        if (side === 0)
          known
            .add(told[0] as string)
            .add(told[2] as string)
            .add(told[3] as string);
        else expect(told.every((each) => known.has(each))).toBe(true);
        expect(await link.judge(side, 0, 5)).toBe(Status.Ok);
        expect(await link.judge(side, 1, 6)).toBe(Status.Differs);
      }
      await link.breakDown();
    }
    expect(known.size).toBe(3 * 2 + 1);
  });

  test('ends with an answer of the other kind than was asked for', async (link) => {
    for (const digest of [true, false]) {
      await link.connect();
      link.serve(1, 'mistake');
      link.ask(0, 0, 3, digest);
      await link.settle();
      expect(answers(link.told(0))).toEqual([]);
      expect(link.told(0).filter(({ kind }) => kind === 'down').length).toBe(digest ? 1 : 2);
      link.serve(1, 'hold');
    }
  });

  test('tells the asking side why a read is not answered', async (link) => {
    await link.connect();
    link.serve(1, 'refuse');
    link.ask(0, 0, 1);
    await link.settle();
    expect(answers(link.told(0))).toEqual(['0: 5']);
    link.serve(1, 'answer');
    link.ask(0, 0, 6);
    await link.settle();
    expect(answers(link.told(0))).toEqual(['0: 5', '0: 0']);
    expect(await link.holds(0, 0)).toBe(7);
  });

  test('makes reads wait where there is no slot, and what is sent after them', async (link) => {
    await link.connect();
    link.serve(1, 'hold');
    for (let slot = 0; slot < ASKING_SLOTS; slot++) link.ask(0, slot, slot);
    link.send(0, 'behind them');
    await link.settle();
    const asked = () => link.told(1).filter(({ kind }) => kind === 'asked').length;
    expect([asked(), messages(link.told(1))]).toEqual([ANSWERING_SLOTS, []]);
    link.serve(1, 'answer');
    await link.settle();
    expect([asked(), messages(link.told(1))]).toEqual([ASKING_SLOTS, ['behind them']]);
    expect(answers(link.told(0)).sort()).toEqual(['0: 0', '1: 0', '2: 0', '3: 0']);
  });

  test('gives a slot back once: the end of a link answers what it asked', async (link) => {
    for (let life = 0; life < 4; life++) {
      await link.connect();
      link.serve(1, 'hold');
      link.ask(0, 0, 10 + life);
      // Now and then it is not even there yet when the link ends.
      if (life % 2 === 0) await link.settle();
      await link.breakDown();
      // Late, on a link that is gone.
      link.serve(1, 'answer');
      await link.settle();
      await link.connect();
      const slots = answers(link.told(0)).length;
      link.ask(0, 0, 20 + life);
      await link.settle();
      expect(answers(link.told(0))).toHaveLength(slots + 1);
      expect(await link.holds(0, 0)).toBe(21 + life);
      await link.breakDown();
    }
    const told = link.told(0);
    for (const [at, event] of told.entries()) {
      if (event.kind !== 'answered') continue;
      const down = told.findIndex((each) => each.kind === 'down' && each.link === event.link);
      expect(down).toBeGreaterThan(at);
    }
    expect(answers(told)).toHaveLength(4);
  });

  test('loses nothing silently: what arrives is a beginning of what was sent', async (link) => {
    for (let life = 0; life < 3; life++) {
      await link.connect();
      const before = messages(link.told(1)).length;
      const texts = Array.from({ length: 100 }, (_, n) => `${life}.${n}`);
      for (const text of texts) link.send(0, text);
      await link.breakDown();
      const arrived = messages(link.told(1)).slice(before);
      expect(arrived).toEqual(texts.slice(0, arrived.length));
    }
  });
}
