/**
 * A simulated disk array's table of persistent reservations, and what several hosts have under way
 * to one of its disks. It may forget the table, as arrays do when they fail over, say that somebody
 * is off it who is not, and fail an order whether or not it was carried out.
 */
import type {
  ReservationAnswer,
  ReservationOrder,
  ReservationTable,
} from '../../engine/ports/reservation.ts';

/** Reservation conflict, as Linux says it. */
export const EBADE = 52;
const EIO = 5;

const DONE: ReservationAnswer = { said: 'done' };
const CONFLICT: ReservationAnswer = { said: 'conflict' };

/** What a host has sent that is neither on the disk nor refused. */
export interface Underway {
  readonly path: number;
  /**
   * 0 when it is on the disk, else an errno; `open` when the array took it while nobody held the
   * disk.
   */
  readonly ended: (status: number, open: boolean) => void;
}

/** Where it is: on its way to the array, or in the array's queue. */
interface Sent extends Underway {
  taken: boolean;
  open: boolean;
}

export class SimReservations {
  /** Keys by path. */
  readonly #keys = new Map<number, string>();
  #holder: { readonly path: number; readonly ours: boolean } | null = null;
  #generation = 0;
  #underway: Sent[] = [];
  /** The next preempt is answered and not carried out. */
  lies = false;
  /** The next order fails: before it was carried out, or after. */
  fails: 'before' | 'after' | null = null;

  ask(path: number, order: ReservationOrder): ReservationAnswer {
    const { fails } = this;
    this.fails = null;
    const answer = fails === 'before' ? DONE : this.#obey(path, order);
    return fails === null ? answer : { said: 'unable', reason: 'failed', errno: EIO };
  }

  /** Sends what will be on the disk, or refused, when it {@link SimReservations.moves} on. */
  send({ path, ended }: Underway): void {
    this.#underway.push({ path, ended, taken: false, open: false });
  }

  get underway(): number {
    return this.#underway.length;
  }

  /**
   * Number `n` of what is under way gets on: it reaches the array, which asks then whether its path
   * may write, and never again; or it reaches the disk.
   */
  moves(n: number): void {
    const write = this.#underway[n];
    if (write === undefined) return;
    if (!write.taken) {
      write.open = this.#holder === null;
      write.taken = write.open || this.#keys.has(write.path);
      if (write.taken) return;
    }
    this.#underway.splice(n, 1);
    write.ended(write.taken ? 0 : EBADE, write.open);
  }

  /** The array starts anew: its table and its queue are gone, and what is on its way is not. */
  forget(): void {
    this.#keys.clear();
    this.#holder = null;
    this.#generation = 0;
    this.#drop(({ taken }) => taken, EIO);
  }

  get table(): ReservationTable {
    const holder = this.#holder;
    const key = holder === null ? undefined : this.#keys.get(holder.path);
    return {
      generation: this.#generation,
      keys: [...this.#keys.values()],
      holder: holder === null || key === undefined ? null : { key, ours: holder.ours },
    };
  }

  #obey(path: number, order: ReservationOrder): ReservationAnswer {
    switch (order.op) {
      case 'read':
        return { said: 'table', table: this.table };
      case 'register':
        this.#keys.set(path, order.key);
        this.#generation += 1;
        return DONE;
      case 'reserve':
        if (this.#keys.get(path) !== order.key) return CONFLICT;
        if (this.#holder !== null && this.#holder.path !== path) return CONFLICT;
        if (this.#holder?.ours === false) return CONFLICT;
        this.#holder = { path, ours: true };
        return DONE;
      case 'preempt':
        return this.#preempt(path, order.key, order.victim);
      case 'release':
        if (this.#keys.get(path) !== order.key) return CONFLICT;
        this.#keys.delete(path);
        if (this.#holder?.path === path) this.#holder = null;
        this.#generation += 1;
        return DONE;
    }
  }

  #preempt(path: number, key: string, victim: string): ReservationAnswer {
    if (this.#keys.get(path) !== key) return CONFLICT;
    const off = [...this.#keys].filter(([, each]) => each === victim).map(([each]) => each);
    if (off.length === 0) return CONFLICT;
    const lies = this.lies;
    this.lies = false;
    if (lies) return DONE;
    for (const each of off) {
      this.#keys.delete(each);
      if (this.#holder?.path === each) this.#holder = { path, ours: true };
    }
    this.#generation += 1;
    this.#drop(({ path: by, taken }) => taken && off.includes(by), EBADE);
    return DONE;
  }

  #drop(which: (write: Sent) => boolean, errno: number): void {
    const dropped = this.#underway.filter(which);
    this.#underway = this.#underway.filter((write) => !which(write));
    for (const write of dropped) write.ended(errno, write.open);
  }
}
