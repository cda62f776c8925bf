/**
 * Claims of one disk by lives of nodes that see it by paths of their own, step by step in any
 * order, with writes of theirs under way, on a simulated array that forgets, lies and fails.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClaimBug, ReservationClaim } from '../../engine/mirror/reservation.ts';
import type { ReservationAnswer, ReservationOrder } from '../../engine/ports/reservation.ts';
import { SimReservations } from '../support/reservation-table.ts';

const UUID = '0123456789abcdef0123456789abcdef';

const LANDED = 'a write of another life landed after a claim had ended';
const TAKEN = 'a node took the disk from another one';

/** Of the claim; or a host that claims a disk which another life of it has still open. */
type Bug = ClaimBug | 'unlocked';

/** What happens next; the numbers choose among what there is. */
interface Move {
  readonly kind: 'begin' | 'other' | 'step' | 'write' | 'land' | 'die' | 'forget' | 'lie' | 'fail';
  readonly n: number;
}

/** One life of a node on a host, from its claim on. */
interface Life {
  readonly node: number;
  readonly path: number;
  readonly claim: ReservationClaim;
  /** Writes that have not ended. */
  underway: number;
  order: ReservationOrder | null;
  state: 'claiming' | 'held' | 'over';
}

/** Who has the disk by a claim that ended well, and what was broken. */
class Judge {
  holder: Life | null = null;
  readonly broken = new Set<string>();

  /** What an array took while nobody held the disk no claim can call back. */
  landed(life: Life, open: boolean): void {
    if (this.holder !== null && this.holder !== life && !open) this.broken.add(LANDED);
  }

  held(life: Life): void {
    const before = this.holder;
    if (before !== null && before.node !== life.node) this.broken.add(TAKEN);
    this.holder = life;
  }

  /** A table that is gone guards nothing, until somebody claims the disk anew. */
  forgotten(): void {
    this.holder = null;
  }
}

class Hall {
  readonly array = new SimReservations();
  readonly judge = new Judge();
  readonly lives: Life[] = [];
  readonly #bug: Bug | null;

  constructor(bug: Bug | null) {
    this.#bug = bug;
  }

  move({ kind, n }: Move): void {
    if (kind === 'begin') this.#begin(1, 1 + (n % 2));
    else if (kind === 'other') this.#begin(2, 3);
    else if (kind === 'step') this.#step(this.#one('claiming', n));
    else if (kind === 'write') this.#write(this.#one('held', n));
    else if (kind === 'land' && this.array.underway > 0) this.array.moves(n % this.array.underway);
    else if (kind === 'die') this.#die(this.lives[n % Math.max(1, this.lives.length)]);
    else if (kind === 'lie') this.array.lies = true;
    else if (kind === 'fail') this.array.fails = n % 2 === 0 ? 'before' : 'after';
    else if (kind === 'forget') {
      this.array.forget();
      this.judge.forgotten();
    }
  }

  /**
   * One host has a disk open once, and lets go when nothing is under way: by the same path a later
   * life would be taken for the one before, whatever the table says.
   */
  #begin(node: number, path: number): void {
    const there = this.lives.some(
      (life) => life.path === path && (life.state !== 'over' || life.underway > 0),
    );
    if (there && this.#bug !== 'unlocked') return;
    const bug = this.#bug === 'unlocked' ? null : this.#bug;
    const claim = new ReservationClaim(UUID, node, this.lives.length + 1, bug);
    this.lives.push({ node, path, claim, underway: 0, order: null, state: 'claiming' });
  }

  #one(state: Life['state'], n: number): Life | undefined {
    const those = this.lives.filter((life) => life.state === state);
    return those[n % Math.max(1, those.length)];
  }

  #step(life: Life | undefined): void {
    if (life === undefined) return;
    const { order, claim, path } = life;
    const answer: ReservationAnswer | null = order === null ? null : this.array.ask(path, order);
    const next = claim.next(answer);
    if ('op' in next) {
      life.order = next;
      return;
    }
    life.state = next.end === 'held' ? 'held' : 'over';
    if (next.end === 'held') this.judge.held(life);
  }

  #write(life: Life | undefined): void {
    if (life === undefined) return;
    life.underway += 1;
    this.array.send({
      path: life.path,
      ended: (status, open) => {
        life.underway -= 1;
        if (status === 0) this.judge.landed(life, open);
        // Thrown off: it gives the disk up, and never claims it again.
        else life.state = 'over';
      },
    });
  }

  /** A core is gone. What it had under way is not. */
  #die(life: Life | undefined): void {
    if (life !== undefined) life.state = 'over';
  }
}

const moves = fc.array(
  fc.record<Move>({
    kind: fc.constantFrom(
      'begin',
      'other',
      ...Array.from({ length: 16 }, () => 'step' as const),
      'write',
      'write',
      'land',
      'land',
      'land',
      'land',
      'die',
      'forget',
      'lie',
      'fail',
    ),
    n: fc.nat(7),
  }),
  { minLength: 40, maxLength: 160 },
);

/** What a run of these moves breaks. */
function broken(all: readonly Move[], bug: Bug | null): ReadonlySet<string> {
  const hall = new Hall(bug);
  for (const move of all) hall.move(move);
  return hall.judge.broken;
}

/** Moves that break `what`, of so many; or null. */
function counterexample(bug: Bug | null, what: string, runs: number): readonly Move[] | null {
  const found = fc.check(
    fc.property(moves, (all) => !broken(all, bug).has(what)),
    { numRuns: runs, seed: 39 },
  );
  return found.failed ? (found.counterexample as [Move[]])[0] : null;
}

describe('a claim of a disk that several hosts see', () => {
  it('ends with nothing of another life reaching the disk from then on', () => {
    expect(counterexample(null, LANDED, 30_000)).toBeNull();
  });

  it('never takes a disk from another node, unless the array has forgotten whose it was', () => {
    expect(counterexample(null, TAKEN, 30_000)).toBeNull();
  });

  it('is won in many of those runs, by many lives one after the other', () => {
    let held = 0;
    let several = 0;
    for (const all of fc.sample(moves, { numRuns: 500, seed: 39 })) {
      const hall = new Hall(null);
      const holders = new Set<Life>();
      for (const move of all) {
        hall.move(move);
        if (hall.judge.holder !== null) holders.add(hall.judge.holder);
      }
      if (holders.size > 0) held += 1;
      if (holders.size > 1) several += 1;
    }
    expect(held).toBeGreaterThan(250);
    expect(several).toBeGreaterThan(50);
  });

  const planted: readonly (readonly [Bug, string])[] = [
    ['claim-unverified', LANDED],
    ['claim-beside', LANDED],
    ['unlocked', LANDED],
    ['claim-by-force', TAKEN],
  ];
  for (const [bug, what] of planted) {
    it(`does so no more with ${bug} planted: ${what}`, () => {
      expect(counterexample(bug, what, 30_000)).not.toBeNull();
    });
  }
});
