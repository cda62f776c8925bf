/** Unreadable sectors in the pair harness: random schedules, and some that aim at one thing. */
import { Decision, Event, HEADER_BYTES, Status } from '../../engine/data/abi.ts';
import { READ_ERRORS_MAX } from '../../engine/mirror/config.ts';
import { until, watched } from './mirror-cases.ts';
import { type Host, INPUT, LAYOUT, SECTOR } from './mirror-hosts.ts';
import type { JudgedHosts } from './mirror-judged.ts';
import { PAIR_CONFIG, type Pair } from './mirror-pair.ts';
import { started } from './mirror-swarm.ts';

const MS = 1000;
export const BLOCK_SECTORS = 8;

/** Some sectors of one host go bad where clients are; now and then writing does not help. */
export function spoil(pair: Pair, node: number, focus = 64): void {
  const h = pair.host(node);
  const { rng } = pair;
  const place = (rng.below(8) * 1024 * 1024 + rng.below(4) * 200 * 1024) / SECTOR;
  const first = place + rng.below(focus);
  const lies = pair.rng.below(6) === 0;
  for (let s = first; s < first + pair.rng.between(1, 4); s += 1) {
    h.unreadable.add(s);
    if (lies) h.stuck.set(s, 'lies');
  }
}

/** Whatever was bad is well again. */
export function mend(pair: Pair): void {
  for (const h of pair.hosts) {
    h.unreadable.clear();
    h.stuck.clear();
    h.flaky = 0;
  }
}

/** Sectors go bad on either host, under load and random faults; then all is well and equal. */
export function badSectors(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  if (seed % 3 === 0) for (const h of pair.hosts) h.flaky = 20;
  // Close together: repairs and writes meet.
  pair.load(true, 8);
  for (let round = 0; round < 14 && pair.violations.length === 0; round += 1) {
    spoil(pair, 1 + pair.rng.below(2), 8);
    pair.runFor(70 * MS);
    if (round % 5 === 4) pair.fault();
  }
  mend(pair);
  pair.runFor(1_500 * MS);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** The source of a resync has bad sectors among what is not copied yet. */
export function badSource(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(300 * MS);
  pair.powerOff(2);
  pair.runFor(1_500 * MS);
  pair.powerOn(2);
  if (!until(pair, () => pair.host(1).linkState === 'SyncSource')) return pair;
  for (let n = 0; n < 10; n += 1) spoil(pair, 1);
  pair.runFor(1_500 * MS);
  mend(pair);
  pair.runFor(1_500 * MS);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** How a request of {@link request} ended. */
export interface Ended {
  status: number | null;
}

/** One request of a client at host `node`, in the midst of all others. */
export function request(
  hosts: JudgedHosts,
  node: number,
  op: number,
  first: number,
  count: number,
): Ended {
  const h = hosts.host(node);
  const slot = h.busyFront.indexOf(null);
  const ended: Ended = { status: null };
  const begun = op === Event.ReqWrite ? hosts.history.begin(first, count, hosts.now) : null;
  if (begun) (h.payload[slot] as Uint32Array).fill(begun.stamp, 0, count);
  h.busyFront[slot] = { kind: op, first, count, invoked: hosts.now, writes: begun?.writes ?? [] };
  const complete = hosts.complete.bind(hosts);
  hosts.complete = (at: Host, of: number, status: number) => {
    if (at === h && of === slot && ended.status === null) ended.status = status;
    complete(at, of, status);
  };
  hosts.give(h, { ...INPUT, op, slot, offset: first * SECTOR, length: count * SECTOR });
  return ended;
}

/** The same, until it has ended. */
export function done(
  hosts: JudgedHosts,
  node: number,
  op: number,
  first: number,
  count: number,
): number {
  const ended = request(hosts, node, op, first, count);
  until(hosts, () => ended.status !== null);
  return ended.status ?? -1;
}

/** A pair without load on which everything was written at least once where a client goes. */
export function written(
  seed: number,
  canaries: readonly string[] = [],
  config = PAIR_CONFIG,
): Pair {
  const pair = started(seed, canaries, config);
  pair.runFor(400 * MS);
  pair.load(false);
  pair.runFor(100 * MS);
  return pair;
}

/** The first sectors of `count` blocks that a client has written whole or in part. */
export function blocks(pair: Pair, count: number): number[] {
  const found = new Set<number>();
  for (const s of pair.history.sectors.keys()) found.add(s - (s % BLOCK_SECTORS));
  const all = [...found].sort((a, b) => a - b);
  if (all.length < count) throw new Error(`only ${all.length} blocks were written`);
  return all.slice(0, count);
}

/** A header as a peer's request has it. */
export function header(epoch: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, epoch, true);
  view.setFloat64(8, sequence, true);
  view.setFloat64(24, 5, true);
  return bytes;
}

/** A read that host `to` is asked for on its present link. */
export function askOf(pair: Pair, to: Host, epoch: number, sequence: number, offset: number): void {
  const { link } = to;
  const input = { ...INPUT, op: Event.PeerRead, link, offset, length: 4096 };
  pair.give(to, { ...input, header: header(epoch, sequence) });
}

/** Statuses of the answers that host `node` gives from now on. */
export function answersOf(pair: Pair, node: number): number[] {
  const answers: number[] = [];
  const before = pair.onDecision;
  pair.onDecision = (h, op, slot, offset, length, status, flags) => {
    before?.(h, op, slot, offset, length, status, flags);
    if (h.node === node && op === Decision.PeerData) answers.push(status);
  };
  return answers;
}

/** Both hosts are asked by one that they do not follow. */
export function askedByStrangers(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  // The primary follows nobody.
  const answers = answersOf(pair, 1);
  askOf(pair, pair.host(1), 1, 1, 0);
  pair.runFor(10 * MS);
  if (answers[0] !== Status.StaleEpoch) {
    pair.violations.push(`LAW-one-epoch: who follows nobody answers a read with ${answers[0]}`);
  }
  pair.settle();
  return pair;
}

/** The link is lost while a read waits for its answer, which then comes all the same. */
export function lateAnswer(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const h = pair.host(1);
  const [first] = blocks(pair, 1) as [number];
  h.unreadable.add(first);
  let late: (() => void) | null = null;
  pair.onDecision = (at, op, slot, _offset, length) => {
    if (at !== h || op !== Decision.PeerRead || late !== null) return;
    const { link } = h;
    const offset = h.memory.headers.sequence(slot);
    (h.payload[slot] as Uint32Array).fill(0xbad);
    late = () =>
      pair.give(h, { ...INPUT, op: Event.PeerData, link, slot, offset, length, late: true });
  };
  const ended = request(pair, 1, Event.ReqRead, first, 1);
  until(pair, () => late !== null);
  pair.cut();
  until(pair, () => h.linkState === 'Connecting');
  pair.runFor(pair.rng.below(600));
  (late as (() => void) | null)?.();
  pair.runFor(50 * MS);
  pair.heal();
  if (!until(pair, () => ended.status !== null)) pair.violations.push('a read has no end');
  mend(pair);
  pair.settle();
  return pair;
}

/** A sector that takes every write and gives nothing is read, and its repair attempted. */
export function lyingSector(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const [first] = blocks(pair, 1) as [number];
  pair.host(1).unreadable.add(first);
  pair.host(1).stuck.set(first, 'lies');
  const seen = watched(pair);
  if (done(pair, 1, Event.ReqRead, first, 1) !== 0) pair.violations.push('the peer had it');
  pair.runFor(50 * MS);
  if (named(seen, 'mirror.repair.done')) {
    pair.violations.push('LAW-evidence: what cannot be read counts as repaired');
  }
  mend(pair);
  pair.settle();
  return pair;
}

/** Blocks are repaired, and each is written by a client in the midst of its repair. */
export function repairMeetsWrite(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const h = pair.host(1);
  const own = LAYOUT.frontSlots + LAYOUT.peerSlots;
  pair.onDecision = (at, op, slot, offset) => {
    if (at !== h || op !== Decision.PeerRead || slot < own) return;
    pair.after(pair.rng.below(2500), () => {
      request(pair, 1, Event.ReqWrite, offset / SECTOR, BLOCK_SECTORS);
    });
  };
  for (const first of blocks(pair, 8)) {
    h.unreadable.add(first + pair.rng.below(BLOCK_SECTORS));
    done(pair, 1, Event.ReqRead, first, BLOCK_SECTORS);
    pair.runFor(30 * MS);
  }
  mend(pair);
  pair.settle();
  return pair;
}

/** The peer refuses what it is asked: it follows somebody else by now. */
export function refusedRead(seed: number): Pair {
  const pair = written(seed);
  const give = pair.give.bind(pair);
  pair.give = (h, input) => {
    const refused = { ...input, status: Status.StaleEpoch };
    give(h, input.op === Event.PeerData ? refused : input);
  };
  const [first] = blocks(pair, 1) as [number];
  pair.host(1).unreadable.add(first);
  const ended = request(pair, 1, Event.ReqRead, first, 1);
  if (!until(pair, () => ended.status !== null)) pair.violations.push('a read has no end');
  mend(pair);
  pair.settle();
  return pair;
}

/** Block after block goes bad on host 1, until somebody is told. */
export function wornOut(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const seen = watched(pair);
  const h = pair.host(1);
  for (const first of blocks(pair, READ_ERRORS_MAX)) {
    h.unreadable.add(first);
    done(pair, 1, Event.ReqRead, first, 1);
    until(pair, () => !h.unreadable.has(first));
    pair.runFor(20 * MS);
  }
  if (!named(seen, 'mirror.disk.failing')) {
    pair.violations.push('REQ-M7: a disk goes bad, and nobody is told');
  }
  return pair;
}

/** Both hosts have lost a block. */
export function bothBad(seed: number): Pair {
  const pair = written(seed);
  const [first] = blocks(pair, 1) as [number];
  for (const { unreadable } of pair.hosts) unreadable.add(first);
  if (done(pair, 1, Event.ReqRead, first, 1) === 0) pair.violations.push('LAW-register: a guess');
  pair.runFor(50 * MS);
  return pair;
}

/** Whether an event of this kind was seen. */
export function named(seen: ReturnType<typeof watched>, kind: string): boolean {
  return seen.some(({ report }) => report.kind === 'event' && report.event.kind === kind);
}

/** Slots of a host that nobody has given back. */
export function slotsOut(h: Host): number {
  return LAYOUT.peerSlots - h.freePeer.length + h.asked.size;
}
