/**
 * The promises of engine/ports/frontend.ts that a backend keeps, asked of every one: what a client
 * asked reaches the engine once and as it was, what the engine completed reaches the client once
 * and as it was, and a client that is gone costs nobody a slot. The suite is the engine; clients
 * are the backend's own, because it also decides how they ask.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { Status } from '../../engine/data/abi.ts';
import type { Define } from './define.ts';

export type RequestKind = 'read' | 'write' | 'zero' | 'flush';

/** A request as its client asked it; offset and length in bytes, both 0 for a flush. */
export interface Asked {
  readonly id: number;
  readonly kind: RequestKind;
  readonly offset: number;
  readonly length: number;
  readonly fua: boolean;
  /** Of zeroes: the space behind them may be given back. */
  readonly unmap: boolean;
  /** What a write brings; 0 for the others. */
  readonly stamp: number;
}

/** A request as the engine got it; `stamp` is what stands in the slot of a write. */
export type Offered = Omit<Asked, 'id'> & { readonly slot: number };

/** What a client was told; `stamp` is what a successful read brought, else 0. */
export interface Answer {
  readonly id: number;
  readonly ok: boolean;
  readonly stamp: number;
}

export interface FrontendDriver {
  /** How many requests may be with the engine at once. */
  readonly slots: number;
  /** The present client, or a first one, asks up to `count` requests. */
  issue(count: number): Promise<readonly Asked[]>;
  /** What the engine got since the last call, in order. */
  offered(): Promise<readonly Offered[]>;
  /** The engine completes; a successful read carries `stamp`. */
  complete(request: Offered, status: number, stamp: number): Promise<void>;
  /** What clients were told since the last call, once all has arrived. */
  answers(): Promise<readonly Answer[]>;
  /** The client goes away without a word. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** Stamps of reads, apart from those of writes. */
const READ_STAMP = 100;

function fields({ kind, offset, length, fua, unmap, stamp }: Offered | Asked): string {
  return [kind, offset, length, fua, unmap, stamp].join(' ');
}

/** Defines the tests; `make` gives an open front-end without clients. */
export function frontendSuite(define: Define, make: () => Promise<FrontendDriver>): void {
  const test = (name: string, run: (front: FrontendDriver) => Promise<void>): void => {
    define(name, async () => {
      const front = await make();
      try {
        await run(front);
      } finally {
        await front.close();
      }
    });
  };

  /** Asks, and takes over: the requests as the engine has them, in the order of the asking. */
  async function ask(front: FrontendDriver, count: number) {
    const asked = await front.issue(count);
    const offered = await front.offered();
    expect(offered.map(fields)).toEqual(asked.map(fields));
    return asked.map((request, i) => ({ request, got: offered[i] as Offered }));
  }

  /** What the client of `request` must be told. */
  function wanted({ id, kind }: Asked, status: number): Answer {
    const ok = status === Status.Ok;
    return { id, ok, stamp: ok && kind === 'read' ? READ_STAMP + (id % 100) : 0 };
  }

  const finish = (front: FrontendDriver, request: Asked, got: Offered, status: number) => {
    return front.complete(got, status, READ_STAMP + (request.id % 100));
  };

  const byId = (a: Answer, b: Answer): number => a.id - b.id;

  test('hands each request over once, as it was asked, in a slot of its own', async (front) => {
    const taken = await ask(front, front.slots);
    expect(taken).toHaveLength(front.slots);
    expect(new Set(taken.map(({ got }) => got.slot)).size).toBe(front.slots);
    const kinds = new Set(taken.map(({ got }) => `${got.kind} ${got.fua}`));
    // A front-end that never asked for some kind would prove nothing.
    const wanted = ['read false', 'write false', 'write true', 'zero false', 'flush false'];
    for (const kind of wanted) {
      expect(kinds).toContain(kind);
    }
    expect(await front.offered()).toEqual([]);
    expect(await front.answers()).toEqual([]);
  });

  test('answers each request once, whatever the order of completion', async (front) => {
    const order = fc.array(fc.nat(1_000_000), { minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(order, async (keys) => {
        const taken = await ask(front, 12);
        const shuffled = taken
          .map((each, i) => ({ each, key: keys[i] as number }))
          .sort((a, b) => a.key - b.key);
        for (const { each } of shuffled) {
          await finish(front, each.request, each.got, Status.Ok);
        }
        const answers = [...(await front.answers())].sort(byId);
        expect(answers).toEqual(taken.map(({ request }) => wanted(request, Status.Ok)));
        expect(await front.answers()).toEqual([]);
      }),
      { numRuns: 6 },
    );
  });

  test('tells failure from success, and to whom it happened', async (front) => {
    const statuses = [Status.Ok, Status.Io, Status.Fenced, Status.Ok, Status.Invalid];
    const taken = await ask(front, front.slots);
    const status = (i: number): number => statuses[i % statuses.length] as number;
    for (const [i, { request, got }] of taken.entries()) {
      await finish(front, request, got, status(i));
    }
    const answers = [...(await front.answers())].sort(byId);
    expect(answers).toEqual(taken.map(({ request }, i) => wanted(request, status(i))));
  });

  test('has no more requests with the engine than slots, and loses none', async (front) => {
    const asked = [...(await front.issue(front.slots + 7))];
    const told: Answer[] = [];
    let done = 0;
    for (let round = 0; round < 4 && done < front.slots + 7; round++) {
      const offered = await front.offered();
      expect(offered.length).toBeLessThanOrEqual(front.slots);
      expect(new Set(offered.map(({ slot }) => slot)).size).toBe(offered.length);
      const due = asked.slice(done, done + offered.length);
      expect(offered.map(fields)).toEqual(due.map(fields));
      for (const [i, got] of offered.entries()) {
        await finish(front, due[i] as Asked, got, Status.Ok);
      }
      done += offered.length;
      told.push(...(await front.answers()));
      // One that asks only as fast as it is answered asks the rest now.
      if (asked.length < front.slots + 7) {
        asked.push(...(await front.issue(front.slots + 7 - asked.length)));
      }
    }
    expect(done).toBe(front.slots + 7);
    expect(told.sort(byId)).toEqual(asked.map((request) => wanted(request, Status.Ok)));
  });

  test('drops the answers of a client that is gone, and has its slots back', async (front) => {
    for (let client = 0; client < 3; client++) {
      const taken = await ask(front, front.slots);
      await front.leave();
      // What it asked still runs: nobody gets its slots before the engine is done with them.
      const none = await front.issue(2);
      const early = await front.offered();
      expect(early).toEqual([]);
      const last = taken.pop();
      for (const { request, got } of taken) await finish(front, request, got, Status.Ok);
      expect(await front.answers()).toEqual([]);
      const waited = none.length > 0 ? none : await front.issue(2);
      const late = await front.offered();
      expect(late.map(fields)).toEqual(waited.map(fields));
      if (last !== undefined) await finish(front, last.request, last.got, Status.Ok);
      for (const [i, got] of late.entries()) {
        await finish(front, waited[i] as Asked, got, Status.Ok);
      }
      const answers = [...(await front.answers())].sort(byId);
      expect(answers).toEqual(waited.map((request) => wanted(request, Status.Ok)));
      await front.leave();
    }
  });
}
