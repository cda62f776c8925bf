import { describe, expect, it } from 'vitest';
import { flagsOf } from '../../../engine/cluster/canaries.ts';
import {
  attestableAt,
  judgeRenewal,
  LeaseHolder,
  LeaseVoter,
  rightUntil,
} from '../../../engine/cluster/lease.ts';

/**
 * Every interleaving of a small world, by the very functions that the engine decides with: node A
 * holds, voters B and W promise and attest (A's own voter says yes to A and attests nothing about
 * it); time in ticks, equal clocks. After shared/reference/model/lease.py, with the log's
 * settlement added, which voters learn late. What lies too far back to matter is forgotten, so
 * that the world stays small.
 */
const GRANT = 2;
const PET = 2;
const TICKS = 6;
const NONE = -1;

interface VoterState {
  readonly promised: number;
  readonly started: number;
  readonly attested: boolean;
  /** It has applied the take-over. */
  readonly settled: boolean;
  /** Send times of the newest renewal and acknowledgement under way; any may be lost. */
  readonly ask: number;
  readonly ack: number;
}

interface World {
  readonly t: number;
  readonly voters: readonly [VoterState, VoterState];
  readonly acked: readonly [number, number, number];
  readonly taken: boolean;
  readonly restarts: number;
  /** Whose attestation the proposer has. */
  readonly words: readonly [boolean, boolean];
}

const FRESH: VoterState = {
  promised: NONE,
  started: NONE,
  attested: false,
  settled: false,
  ask: NONE,
  ack: NONE,
};

const START: World = {
  t: 0,
  voters: [FRESH, FRESH],
  acked: [NONE, NONE, NONE],
  taken: false,
  restarts: 1,
  words: [false, false],
};

/** One number per state; what cannot matter any more is left out. */
function keyOf(world: World): number {
  const { t } = world;
  let key = t;
  const put = (value: number, values: number): void => {
    key = key * values + value;
  };
  for (const voter of world.voters) {
    put(voter.promised > t ? voter.promised - t : 0, GRANT + 1);
    put(voter.started !== NONE && voter.started + GRANT > t ? t - voter.started + 1 : 0, GRANT + 1);
    put(Number(voter.attested) + 2 * Number(voter.settled), 4);
    put(voter.ask + 1, TICKS + 2);
    put(voter.ack + 1, TICKS + 2);
  }
  for (const sent of world.acked) put(sent !== NONE && sent + PET > t ? t - sent + 1 : 0, PET + 1);
  put(Number(world.taken) + 2 * world.restarts, 4);
  put(Number(world.words[0]) + 2 * Number(world.words[1]), 4);
  return key;
}

function successors(world: World, off: ReadonlySet<string>): readonly World[] {
  const flags = flagsOf(off);
  const { t, voters, acked, taken, restarts, words } = world;
  const found: World[] = [];
  const change = (i: number, voter: Partial<VoterState>, rest: Partial<World> = {}): void => {
    const [b, w] = voters;
    const next: [VoterState, VoterState] =
      i === 0 ? [{ ...b, ...voter }, w] : [b, { ...w, ...voter }];
    found.push({ ...world, ...rest, voters: next });
  };
  if (t < TICKS) found.push({ ...world, t: t + 1 });
  // The holder has not heard of a take-over: it sends in the lease epoch that it knows.
  const [b, w] = voters;
  if (b.ask !== t || w.ask !== t) {
    const sent: [VoterState, VoterState] = [
      { ...b, ask: t },
      { ...w, ask: t },
    ];
    found.push({ ...world, voters: sent, acked: [t, acked[1], acked[2]] });
  }
  voters.forEach((voter, i) => {
    const view = {
      startedAt: voter.started === NONE ? -GRANT : voter.started,
      promisedUntil: voter.promised,
      attested: voter.attested ? 1 : 0,
      settled: voter.settled ? 2 : 1,
    };
    if (voter.ask !== NONE && judgeRenewal(view, 1, flags) === '') {
      const promised = Math.max(voter.promised, t + GRANT);
      change(i, { ask: NONE, promised, ack: voter.ask });
    }
    if (voter.ack !== NONE) {
      const sent = flags['holder-from-receipt'] ? t : voter.ack;
      const next: [number, number, number] = [acked[0], acked[1], acked[2]];
      next[i + 1] = Math.max(acked[i + 1] ?? NONE, sent);
      change(i, { ack: NONE }, { acked: next });
    }
    if (restarts > 0) {
      const attested = voter.attested && !flags['attest-not-persisted'];
      change(i, { promised: NONE, started: t, attested }, { restarts: restarts - 1 });
    }
    const may = !voter.attested && !voter.settled && !taken;
    if (may && t >= attestableAt(view, GRANT, flags)) {
      const said: [boolean, boolean] = [words[0] || i === 0, words[1] || i === 1];
      change(i, { attested: true }, { words: said });
    }
    // A voter learns of the settlement, and its attestation has done its work.
    if (taken && !voter.settled) change(i, { settled: true, attested: false });
  });
  const enough = flags['single-attestation'] ? words[0] || words[1] : words[0] && words[1];
  if (!taken && enough) found.push({ ...world, taken: true });
  return found;
}

/** Breadth first: events of the shortest way to two holders, -1 for none. */
function explore(planted: readonly string[]): { readonly states: number; readonly events: number } {
  const off = new Set(planted);
  const seen = new Set<number>([keyOf(START)]);
  let layer: World[] = [START];
  for (let events = 0; layer.length > 0; events++) {
    const next: World[] = [];
    for (const world of layer) {
      const holds = world.t < rightUntil(world.acked, 2, PET);
      if (world.taken && holds) return { states: seen.size, events };
      for (const successor of successors(world, off)) {
        const key = keyOf(successor);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(successor);
      }
    }
    layer = next;
  }
  return { states: seen.size, events: -1 };
}

describe('a lease', () => {
  it('is never held by a node whose group another node has taken, in any interleaving', () => {
    const { events, states } = explore([]);
    expect(events).toBe(-1);
    expect(states).toBeGreaterThan(50_000);
  });

  for (const rule of [
    'attest-early-after-restart',
    'attest-keeps-renewing',
    'attest-not-persisted',
    'holder-from-receipt',
    'single-attestation',
    'lease-epoch-ignored',
  ]) {
    it(`has two holders within eleven events when '${rule}' is planted`, () => {
      const { events } = explore([rule]);
      expect(events).toBeGreaterThan(0);
      expect(events).toBeLessThanOrEqual(11);
    });
  }
});

describe('a holder', () => {
  it('counts its right from the oldest sending of its best majority', () => {
    const holder = new LeaseHolder();
    expect(holder.acknowledged(1, 100, 2, 1000)).toBe(false);
    expect(holder.held(100)).toBe(false);
    expect(holder.acknowledged(2, 40, 2, 1000)).toBe(true);
    expect(holder.until).toBe(1040);
    expect(holder.acknowledged(3, 90, 2, 1000)).toBe(true);
    expect(holder.until).toBe(1090);
    expect(holder.held(1089)).toBe(true);
    expect(holder.held(1090)).toBe(false);
  });

  it('is not moved back by a late acknowledgement', () => {
    const holder = new LeaseHolder();
    holder.acknowledged(1, 500, 2, 1000);
    holder.acknowledged(2, 500, 2, 1000);
    expect(holder.acknowledged(2, 100, 2, 1000)).toBe(false);
    expect(holder.until).toBe(1500);
  });
});

describe('a voter', () => {
  it('keeps its attestation until the log has settled that lease epoch', () => {
    const voter = new LeaseVoter();
    voter.attest({ node: 1, lease: 4, event: '' });
    expect(voter.settle(1, 4)).toBe(false);
    expect(voter.attestedEpoch(1)).toBe(4);
    expect(voter.settle(1, 5)).toBe(true);
    expect(voter.attestedEpoch(1)).toBe(0);
  });

  it('counts a renewal once, though it comes over every link', () => {
    const voter = new LeaseVoter();
    expect(voter.fresh(1, 10)).toBe(true);
    expect(voter.fresh(1, 10)).toBe(false);
    expect(voter.fresh(1, 11)).toBe(true);
  });
});
