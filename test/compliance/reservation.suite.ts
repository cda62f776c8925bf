/** The promises of engine/ports/reservation.ts, asked of every backend. */
import { expect } from 'vitest';
import type { ReservationAnswer, ReservationOrder } from '../../engine/ports/reservation.ts';
import type { Define } from './define.ts';

/** One disk that two hosts see, each by a path of its own, with nobody on its table. */
export interface ReservationDriver {
  ask(path: 1 | 2, order: ReservationOrder): Promise<ReservationAnswer>;
  /** Writes by that path; 0, or the errno that it ended with. */
  write(path: 1 | 2): Promise<number>;
}

const A = '75aaaa0100000001';
const B = '75aaaa0200000002';
const C = '75aaaa0100000003';
const EBADE = 52;
const DONE = { said: 'done' };
const CONFLICT = { said: 'conflict' };

/** Defines the tests; `make` clears the table. */
export function reservationSuite(define: Define, make: () => Promise<ReservationDriver>): void {
  define('whoever is not on the table of a reserved disk can not write it', async () => {
    const disk = await make();
    expect([await disk.write(1), await disk.write(2)]).toEqual([0, 0]);
    expect(await disk.ask(1, { op: 'register', key: A })).toEqual(DONE);
    expect(await disk.write(2), 'a key alone reserves nothing').toBe(0);
    expect(await disk.ask(1, { op: 'reserve', key: A })).toEqual(DONE);
    expect([await disk.write(1), await disk.write(2)]).toEqual([0, EBADE]);
    expect(await disk.ask(2, { op: 'register', key: B })).toEqual(DONE);
    expect(await disk.write(2), 'who registers may write: that is why a claim throws off').toBe(0);
  });

  define('the table shows all keys and whose the reservation is, to everybody', async () => {
    const disk = await make();
    for (const path of [1, 2] as const) {
      const empty = { keys: [], holder: null };
      expect(await disk.ask(path, { op: 'read' })).toMatchObject({ table: empty });
    }
    await disk.ask(1, { op: 'register', key: A });
    await disk.ask(2, { op: 'register', key: B });
    const before = await tableOf(disk, 1);
    expect([[...before.keys].sort(), before.holder]).toEqual([[A, B], null]);
    await disk.ask(2, { op: 'reserve', key: B });
    for (const path of [1, 2] as const) {
      const { keys, holder } = await tableOf(disk, path);
      expect([...keys].sort()).toEqual([A, B]);
      expect(holder).toEqual({ key: B, ours: true });
    }
    await disk.ask(1, { op: 'register', key: C });
    const after = await tableOf(disk, 1);
    expect([...after.keys].sort(), 'a key takes the place of the one before').toEqual(
      [C, B].sort(),
    );
    expect(after.generation).toBeGreaterThan(before.generation);
  });

  define('one path holds a reservation, and goes on holding it with another key', async () => {
    const disk = await make();
    await disk.ask(1, { op: 'register', key: A });
    await disk.ask(2, { op: 'register', key: B });
    expect(await disk.ask(1, { op: 'reserve', key: A })).toEqual(DONE);
    expect(await disk.ask(1, { op: 'reserve', key: A }), 'it has it already').toEqual(DONE);
    expect(await disk.ask(2, { op: 'reserve', key: B })).toEqual(CONFLICT);
    await disk.ask(1, { op: 'register', key: C });
    expect((await tableOf(disk, 2)).holder).toEqual({ key: C, ours: true });
    expect(await disk.ask(1, { op: 'reserve', key: A }), 'not its key any more').toEqual(CONFLICT);
  });

  define('whoever is thrown off writes no more, and who threw it off holds its place', async () => {
    const disk = await make();
    await disk.ask(1, { op: 'register', key: A });
    await disk.ask(1, { op: 'reserve', key: A });
    expect(await disk.ask(2, { op: 'preempt', key: B, victim: A }), 'not on the table').toEqual(
      CONFLICT,
    );
    await disk.ask(2, { op: 'register', key: B });
    expect(await disk.ask(2, { op: 'preempt', key: B, victim: C }), 'nobody').toEqual(CONFLICT);
    expect(await disk.ask(2, { op: 'preempt', key: B, victim: A })).toEqual(DONE);
    expect([await disk.write(1), await disk.write(2)]).toEqual([EBADE, 0]);
    expect(await tableOf(disk, 1)).toMatchObject({ keys: [B], holder: { key: B, ours: true } });
    expect(await disk.ask(1, { op: 'reserve', key: A })).toEqual(CONFLICT);
  });

  define('who is thrown off without the reservation takes nothing of it along', async () => {
    const disk = await make();
    await disk.ask(1, { op: 'register', key: A });
    await disk.ask(2, { op: 'register', key: B });
    await disk.ask(1, { op: 'reserve', key: A });
    expect(await disk.ask(1, { op: 'preempt', key: A, victim: B })).toEqual(DONE);
    expect([await disk.write(1), await disk.write(2)]).toEqual([0, EBADE]);
    expect(await tableOf(disk, 2)).toMatchObject({ keys: [A], holder: { key: A, ours: true } });
  });

  define('a key that is released takes its reservation with it', async () => {
    const disk = await make();
    await disk.ask(1, { op: 'register', key: A });
    await disk.ask(1, { op: 'reserve', key: A });
    expect(await disk.ask(2, { op: 'release', key: A }), 'another path').toEqual(CONFLICT);
    expect(await disk.ask(1, { op: 'release', key: A })).toEqual(DONE);
    expect(await tableOf(disk, 2)).toMatchObject({ keys: [], holder: null });
    expect([await disk.write(1), await disk.write(2)]).toEqual([0, 0]);
  });
}

async function tableOf(disk: ReservationDriver, path: 1 | 2) {
  const answer = await disk.ask(path, { op: 'read' });
  if (answer.said !== 'table') throw new Error(`a table was asked for: ${JSON.stringify(answer)}`);
  return answer.table;
}
