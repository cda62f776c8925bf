/** The promises of engine/ports/store.ts, asked of every backend. */
import { expect } from 'vitest';
import type { Durable } from '../../engine/cluster/interface.ts';
import type { Define } from './define.ts';

/** One node's store. */
export interface StoreDriver {
  /** The core starts: the session's number and the document. */
  start(): Promise<{ readonly session: number; readonly durable: Durable | null }>;
  /** Asks for a document; it becomes durable some time later, or never. */
  persist(token: number, document: Durable): void;
  /** Waits for the next `persisted`; its token. */
  persisted(): Promise<number>;
  /** Power fails now. */
  cutPower(): void;
}

/** Defines the tests; `make` gives an empty store whose chances come from `seed`. */
export function storeSuite(define: Define, make: (seed: number) => StoreDriver): void {
  define('is empty at first, counts its starts, and keeps its document', async () => {
    const store = make(1);
    expect(await store.start()).toEqual({ session: 1, durable: null });
    store.persist(1, { vote: 7 });
    expect(await store.persisted()).toBe(1);
    store.cutPower();
    expect(await store.start()).toEqual({ session: 2, durable: { vote: 7 } });
    store.cutPower();
    expect(await store.start()).toEqual({ session: 3, durable: { vote: 7 } });
  });

  define('never goes back behind what it reported, whenever the power fails', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const store = make(seed);
      await store.start();
      let reported = 0;
      let asked = 0;
      for (let n = 1; n <= 1 + (seed % 5); n++) {
        store.persist(n, { n });
        asked = n;
        if (seed % 3 !== 0) reported = await store.persisted();
      }
      store.persist(asked + 1, { n: asked + 1 });
      store.cutPower();
      const { durable } = await store.start();
      const n = durable === null ? 0 : (durable['n'] as number);
      expect(n).toBeGreaterThanOrEqual(reported);
      expect(n).toBeLessThanOrEqual(asked + 1);
    }
  });

  define('reports tokens in rising order, the last one at the latest', async () => {
    const store = make(9);
    await store.start();
    for (let n = 1; n <= 50; n++) store.persist(n, { n });
    let last = 0;
    while (last < 50) {
      const token = await store.persisted();
      expect(token).toBeGreaterThan(last);
      last = token;
    }
    store.cutPower();
    expect((await store.start()).durable).toEqual({ n: 50 });
  });
}
