/** The promises of engine/ports/network.ts about replication links, asked of every backend. */
import { expect } from 'vitest';
import type { Define } from './define.ts';

/** What a side of a link was told, in order. */
export type LinkEvent =
  | { readonly kind: 'up'; readonly link: number; readonly peer: number }
  | { readonly kind: 'message'; readonly link: number; readonly text: string }
  | { readonly kind: 'down'; readonly link: number };

/** Two nodes, 1 (side 0) and 2 (side 1), and the connection between them. */
export interface LinkDriver {
  /** Waits until both sides are up on a new incarnation. */
  connect(): Promise<void>;
  /** Sends on the side's present link; lost when there is none. */
  send(side: 0 | 1, text: string): void;
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
