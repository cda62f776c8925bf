/**
 * Packs states of the trio model so that those which differ only in names are one: which replica is
 * called A, and how epochs and generations are numbered.
 */
import { HIGHEST, has, REPLICAS, type TrioReplica, TrioState } from './trio-state.ts';

/** By new name, the old one. */
type Order = readonly number[];

/**
 * The order in which {@link packTrio} names the replicas: by what each is and how the others stand
 * to it. Where that is the same for two they keep their order, so that a few states stay double.
 */
export function orderOf(s: TrioState): Order {
  renumber(s);
  return currentOrder(s);
}

function currentOrder(s: TrioState): Order {
  const a = standing(s, 0);
  const b = standing(s, 1);
  const c = standing(s, 2);
  if (a >= b) {
    if (b >= c) return ABC;
    return a >= c ? ACB : CAB;
  }
  if (a >= c) return BAC;
  return b >= c ? BCA : CBA;
}

const ABC: Order = [0, 1, 2];
const ACB: Order = [0, 2, 1];
const CAB: Order = [2, 0, 1];
const BAC: Order = [1, 0, 2];
const BCA: Order = [1, 2, 0];
const CBA: Order = [2, 1, 0];

/** For each order, every set of replicas by their new names. */
const RENAMED = new Map<Order, readonly number[]>(
  [ABC, ACB, CAB, BAC, BCA, CBA].map((order) => [order, renamedSets(order)]),
);

function renamedSets(order: Order): number[] {
  return Array.from({ length: 8 }, (_, set) =>
    REPLICAS.reduce((sum, i) => sum | (has(set, order[i] as number) ? 1 << i : 0), 0),
  );
}

/** What is the same of a replica whatever everybody is called. */
function standing(s: TrioState, i: number): number {
  const me = s.at(i);
  let seen = 0;
  for (let k = 0; k < 3; k += 1) {
    const r = s.at(k);
    seen += (r.dirty >> i) & 1;
    seen += ((r.applied >> i) & 1) << 2;
    seen += ((r.members >> i) & 1) << 4;
    if (r.session !== 0 && r.leader === i) seen += 1 << 6;
    if (k !== i) seen += ((s.cut >> (i + k - 1)) & 1) << 8;
    seen += ((me.dirty >> k) & 1) << 10;
  }
  if (s.primary === i) seen |= 1 << 12;
  seen |= ((s.members >> i) & 1) << 13;
  seen |= ((s.lost >> i) & 1) << 14;
  return packOwn(me) + seen * (1 << 18);
}

/** One word a replica; the fourth, and what is left of the others, for what belongs to none. */
export function packTrio(s: TrioState, into: Int32Array): void {
  renumber(s);
  const order = currentOrder(s);
  const renamed = RENAMED.get(order) as readonly number[];
  for (let i = 0; i < 3; i += 1) {
    const r = s.at(order[i] as number);
    into[i] =
      packOwn(r) |
      ((renamed[r.members] as number) << 18) |
      ((renamed[r.dirty] as number) << 21) |
      ((renamed[r.applied] as number) << 24) |
      ((r.session === 0 ? 0 : nameIn(order, r.leader)) << 27);
  }
  into[0] = (into[0] as number) | (cutBy(s.cut, order) << 29);
  into[1] = (into[1] as number) | (s.gone << 29);
  into[2] = (into[2] as number) | ((renamed[s.lost] as number) << 29);
  into[3] =
    nameIn(order, s.primary) |
    ((renamed[s.members] as number) << 2) |
    (s.crashes << 5) |
    (s.cuts << 7) |
    (s.begun << 9) |
    (s.acknowledged << 11) |
    (s.flushed << 13) |
    (s.promised << 15) |
    (s.wrong << 17) |
    (lineage(s) << 19) |
    (s.takeOvers << 25);
}

/** What belongs to the replica alone: 18 bits. */
function packOwn(r: TrioReplica): number {
  return (
    r.up |
    (r.primary << 1) |
    (r.active << 2) |
    (r.cached << 3) |
    (r.stable << 5) |
    (r.kept << 7) |
    ((generations[r.generation] as number) << 8) |
    ((epochs[r.epoch] as number) << 10) |
    (r.hot << 12) |
    (r.inconsistent << 13) |
    (r.session << 14) |
    (r.write << 16)
  );
}

export function unpackTrio(from: Int32Array): TrioState {
  const s = new TrioState();
  for (let i = 0; i < 3; i += 1) {
    const word = from[i] as number;
    const r = s.at(i);
    r.up = word & 1;
    r.primary = (word >> 1) & 1;
    r.active = (word >> 2) & 1;
    r.cached = (word >> 3) & 3;
    r.stable = (word >> 5) & 3;
    r.kept = (word >> 7) & 1;
    r.generation = (word >> 8) & 3;
    r.epoch = (word >> 10) & 3;
    r.hot = (word >> 12) & 1;
    r.inconsistent = (word >> 13) & 1;
    r.session = (word >> 14) & 3;
    r.write = (word >> 16) & 3;
    r.members = (word >> 18) & 7;
    r.dirty = (word >> 21) & 7;
    r.applied = (word >> 24) & 7;
    r.leader = (word >> 27) & 3;
  }
  s.cut = ((from[0] as number) >> 29) & 7;
  s.gone = ((from[1] as number) >> 29) & 7;
  s.lost = ((from[2] as number) >> 29) & 7;
  const rest = from[3] as number;
  s.primary = rest & 3;
  s.members = (rest >> 2) & 7;
  s.crashes = (rest >> 5) & 3;
  s.cuts = (rest >> 7) & 3;
  s.begun = (rest >> 9) & 3;
  s.acknowledged = (rest >> 11) & 3;
  s.flushed = (rest >> 13) & 3;
  s.promised = (rest >> 15) & 3;
  s.wrong = (rest >> 17) & 3;
  const ancestry = (rest >> 19) & 63;
  s.ancestors = [0, ancestry & 1, (ancestry >> 1) & 3, (ancestry >> 3) & 7, 0];
  s.takeOvers = (rest >> 25) & 3;
  return s;
}

function nameIn(order: Order, old: number): number {
  return order[0] === old ? 0 : order[1] === old ? 1 : 2;
}

function cutBy(cut: number, order: Order): number {
  if (cut === 0) return 0;
  const [a, b, c] = order as [number, number, number];
  const bit = (i: number, j: number): number => (cut >> (i + j - 1)) & 1;
  return bit(a, b) | (bit(a, c) << 1) | (bit(b, c) << 2);
}

/** Of the state that is being packed, by old number the new one; -1 where it is not in use. */
const generations = new Int8Array(5);
const epochs = new Int8Array(5);

/** Numbers in use keep their order, and the record's becomes the highest. */
function renumber(s: TrioState): void {
  let usedGenerations = 1 << s.generation;
  let usedEpochs = 1 << s.epoch;
  for (let i = 0; i < 3; i += 1) {
    const r = s.at(i);
    usedGenerations |= 1 << r.generation;
    usedEpochs |= 1 << r.epoch;
  }
  fromTheTop(usedGenerations, generations);
  fromTheTop(usedEpochs, epochs);
}

function fromTheTop(used: number, into: Int8Array): void {
  let next: number = HIGHEST;
  for (let old = 4; old >= 0; old -= 1) {
    const inUse = (used >> old) & 1;
    into[old] = inUse ? next : -1;
    next -= inUse;
  }
}

/** The ancestors of the generations in use, by their new numbers. */
function lineage(s: TrioState): number {
  let packed = 0;
  for (let old = 0; old < 5; old += 1) {
    const child = generations[old] as number;
    if (child < 1) continue;
    let ancestors = 0;
    for (let g = 0; g < old; g += 1) {
      const ancestor = generations[g] as number;
      if (ancestor < 0) continue;
      ancestors |= (((s.ancestors[old] as number) >> g) & 1) << ancestor;
    }
    packed |= ancestors << (child === 1 ? 0 : child === 2 ? 1 : 3);
  }
  return packed;
}
