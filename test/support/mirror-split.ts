/** Split brain in the pair harness: a disk that is put back, leads, and meets its peer again. */
import { BLOCK_BYTES } from '../../engine/core/units.ts';
import { Decision, Event } from '../../engine/data/abi.ts';
import type { Branch, Discard } from '../../engine/data/messages.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { formatMetadata } from '../../engine/mirror/metadata.ts';
import { tell, until, watched } from './mirror-cases.ts';
import type { Host } from './mirror-hosts.ts';
import type { Pair } from './mirror-pair.ts';
import { started } from './mirror-swarm.ts';

const MS = 1000;
/** Generations that control draws for host 2 in these schedules. */
export const FORK = 5_001;
export const TAKER = 5_002;

export interface Fork {
  readonly pair: Pair;
  /** What each host said of its branch last. */
  readonly branches: (Branch | null)[];
  /** What each host's disk held when the two met. */
  readonly kept: readonly [Uint32Array, Uint32Array];
  /** Blocks that host 1 wrote since it was alone. */
  readonly written: Set<number>;
}

export interface ForkOptions {
  readonly canaries?: readonly string[];
  /** What host 2 comes back with: an earlier moment, or data of nobody here. */
  readonly comes?: 'put-back' | 'stranger';
  /** Epochs that host 2's disk has seen beyond the log's. */
  readonly ahead?: number;
  /** Host 1 crashes on its way. */
  readonly crash?: boolean;
  readonly config?: MirrorConfig;
}

/**
 * Both in step; host 1 goes on alone; host 2 comes back with an old disk while host 1 is away,
 * leads, and is written to. Then host 1 is back, and host 2 is the primary by the record.
 */
export function forked(seed: number, options: ForkOptions = {}): Fork {
  const pair = started(seed, options.canaries, options.config);
  const written = new Set<number>();
  const branches: (Branch | null)[] = [null, null];
  const [a, b] = pair.hosts;
  pair.runFor(300 * MS);
  // An asynchronous replica is an image of one moment when nothing is written.
  const late = pair.config.asyncNodes.length > 0;
  if (late) {
    pair.load(false);
    pair.runFor(500 * MS);
  }
  const image = { meta: new Map(b.meta), sectors: b.cache.slice() };
  if (late) pair.load(true);
  pair.runFor(300 * MS);
  pair.powerOff(2);
  pair.onDecision = (h, op, _, offset, length) => {
    if (h.node !== 1 || op !== Decision.LocalWrite || pair.record.members.length > 1) return;
    for (let at = offset; at < offset + length; at += 1) {
      written.add(Math.floor(at / BLOCK_BYTES));
      at = Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES + BLOCK_BYTES - 1;
    }
  };
  if (!until(pair, () => pair.record.members.length === 1)) throw new Error('not alone');
  // Nobody is left out there: it goes on with a generation of its own all the same.
  if (late) tell(pair, [1], { generation: FORK - 1 });
  pair.runFor(300 * MS);
  if (options.crash === true) {
    pair.powerOff(1);
    pair.runFor(20 * MS);
    pair.powerOn(1);
    pair.runFor(600 * MS);
  }
  // What follows breaks every promise about content: the disk has forgotten what it promised.
  pair.history.checkRead = () => {};
  pair.history.checkStable = () => {};
  pair.load(false);
  pair.runFor(200 * MS);
  pair.powerOff(1);
  putBack(pair, b, image, options.comes ?? 'put-back');
  pair.powerOn(2);
  const mine = { members: [{ node: 2, boot: b.boot }], generation: FORK };
  const { epoch } = pair.record;
  tell(pair, [2], { primary: 2, ...mine, epoch: epoch + 1 + (options.ahead ?? 0) });
  pair.load(true, 8);
  pair.runFor(600 * MS);
  pair.load(false);
  pair.runFor(200 * MS);
  const seen = watched(pair, (report) => {
    return report.kind !== 'branch';
  });
  const kept = [a.cache.slice(), b.cache.slice()] as const;
  if (options.ahead !== undefined) {
    // The log that led host 2 there is not this one: in this one host 1 is the primary.
    const members = [{ node: 1, boot: a.boot }];
    pair.record = { ...pair.record, epoch: epoch + 2, primary: 1, members, generation: TAKER };
  }
  pair.powerOn(1);
  pair.runFor(1_500 * MS);
  for (const { node, report } of seen) {
    if (report.kind === 'branch') branches[node - 1] = report.branch;
  }
  return { pair, branches, kept, written };
}

function putBack(
  pair: Pair,
  h: Host,
  image: { readonly meta: Map<number, Uint8Array>; readonly sectors: Uint32Array },
  how: 'put-back' | 'stranger',
): void {
  h.cache.set(image.sectors);
  h.stable.set(image.sectors);
  h.meta = new Map(image.meta);
  if (how === 'put-back') return;
  for (const { page, bytes } of formatMetadata(pair.config, h.node, 777, 'UpToDate')) {
    h.meta.set(page, bytes);
  }
}

/** The order to give up what `victim` has. */
export function orderOf({ branches }: Fork, victim: number): Discard {
  const [given, keeps] = [branches[victim - 1], branches[2 - victim]];
  if (!given || !keeps) throw new Error('no split brain');
  const named = { node: victim, generation: given.generation, keeps: keeps.generation };
  return { ...named, order: 1, by: 'operator', atMost: given.dirty, confirmed: true };
}

/** Control commits the order; where the victim leads, it is stopped first and the other named. */
export function give(fork: Fork, discard: Discard): void {
  const { pair, branches } = fork;
  const epoch = Math.max(pair.record.epoch, ...branches.map((b) => b?.epoch ?? 0)) + 1;
  tell(pair, [1, 2], { epoch, discard });
  if (pair.record.primary !== discard.node) return;
  pair.runFor(300 * MS);
  const { node, boot } = pair.host(3 - discard.node);
  const members = [{ node, boot }];
  tell(pair, [1, 2], { primary: node, members, generation: TAKER });
}

/** The order is carried out: both have what was kept, and nobody else's was touched before. */
export function resolved(fork: Fork, victim: number): void {
  const { pair, kept } = fork;
  pair.settle();
  const wanted = kept[2 - victim] as Uint32Array;
  for (const h of pair.hosts) {
    for (let s = 0; s < h.sectors; s += 1) {
      if (h.cache[s] === wanted[s]) continue;
      pair.violations.push(`what was kept is lost: host ${h.node} sector ${s}`);
      break;
    }
  }
}

/** A disk that was put back, and the order to give one branch up. */
export function givenUp(seed: number, canaries: readonly string[] = []): Pair {
  const fork = forked(seed, { canaries });
  give(fork, orderOf(fork, 1 + (seed % 2)));
  resolved(fork, 1 + (seed % 2));
  return fork.pair;
}

/** The order means a generation that the victim no longer has: nothing may happen to it. */
export function givenUpTooLate(seed: number, canaries: readonly string[] = []): Pair {
  const fork = forked(seed, { canaries });
  const { pair, kept } = fork;
  give(fork, { ...orderOf(fork, 1), generation: 4_444 });
  pair.runFor(2_000 * MS);
  untouched(pair, 1, kept[0]);
  return pair;
}

/** An order that nobody has confirmed: nothing may happen by it. */
export function givenUpTooEarly(seed: number, canaries: readonly string[] = []): Pair {
  const fork = forked(seed, { canaries });
  const victim = 1 + (seed % 2);
  give(fork, { ...orderOf(fork, victim), confirmed: false });
  fork.pair.runFor(2_000 * MS);
  untouched(fork.pair, victim, fork.kept[victim - 1] as Uint32Array);
  return fork.pair;
}

/**
 * The order is taken back after the kept side began a generation by it, having served nobody; the
 * other side leads again, told that this generation is void. Its holder is no ancestor for that.
 */
export function takenBack(seed: number, canaries: readonly string[] = []): Pair {
  const fork = forked(seed, { canaries });
  const { pair, kept } = fork;
  give(fork, { ...orderOf(fork, 2), confirmed: false });
  if (!until(pair, () => pair.host(1).role === 'Primary')) throw new Error('it does not lead');
  const { discard: _, ...plain } = pair.record;
  pair.record = plain;
  const { boot } = pair.host(2);
  const members = [{ node: 2, boot }];
  tell(pair, [1, 2], { primary: 2, members, generation: TAKER + 1, voided: [TAKER] });
  pair.runFor(3_000 * MS);
  untouched(pair, 1, kept[0]);
  untouched(pair, 2, kept[1]);
  return pair;
}

/** Flushes at the side that is kept, while the other one is filled: each waits for its disk. */
export function flushedWhileFilled(seed: number, canaries: readonly string[] = []): Pair {
  const fork = forked(seed, { canaries });
  const { pair } = fork;
  let asked = -1;
  pair.onDecision = (h, op) => {
    if (h.node === pair.record.primary && op === Decision.LocalFlush) asked = pair.now;
  };
  const complete = pair.complete.bind(pair);
  pair.complete = (h, slot, status) => {
    const flush = h.busyFront[slot]?.kind === Event.ReqFlush && status === 0;
    if (flush && asked === pair.now) pair.violations.push('a flush did not wait for its disk');
    complete(h, slot, status);
  };
  give(fork, orderOf(fork, 1));
  pair.load(true, 8);
  pair.runFor(1_000 * MS);
  return pair;
}

/** What a primary says that it wrote alone, when it is in step again. */
export function countedAlone(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  const written = new Set<number>();
  let told = -1;
  pair.load(true);
  pair.runFor(300 * MS);
  pair.onDecision = (h, op, _, offset, length) => {
    if (op !== Decision.LocalWrite || h.node !== pair.record.primary) return;
    if (pair.record.members.length > 1) return;
    for (let at = offset; at < offset + length; at += 512)
      written.add(Math.floor(at / BLOCK_BYTES));
  };
  const report = pair.report.bind(pair);
  pair.report = (h, said) => {
    if (said.kind === 'want' && said.reason === 'resync-done') told = said.changed ?? 0;
    report(h, said);
  };
  pair.cut();
  if (!until(pair, () => pair.record.members.length === 1)) throw new Error('not alone');
  pair.load(false);
  pair.runFor(300 * MS);
  const { size } = written;
  pair.heal();
  if (!until(pair, () => pair.record.members.length === 2)) throw new Error('not in step');
  if (told > size) pair.violations.push(`${told} blocks count as changed, ${size} were written`);
  return pair;
}

/** Says so where a host's disk is no longer what it was. */
export function untouched(pair: Pair, node: number, content: Uint32Array): void {
  const { cache, sectors } = pair.host(node);
  for (let s = 0; s < sectors; s += 1) {
    if (cache[s] === content[s]) continue;
    pair.violations.push(`host ${node} was overwritten without an order, sector ${s}`);
    return;
  }
}

/** The counts of a primary that crashed while it was alone. */
export function countedAfterCrash(seed: number, canaries: readonly string[] = []): Pair {
  const { pair, branches, written } = forked(seed, { canaries, crash: true });
  const [branch] = branches;
  if (!branch) throw new Error('no split brain');
  const { dirty, padded } = branch;
  if (dirty - padded > written.size) {
    pair.violations.push(`${dirty - padded} blocks count as changed, ${written.size} were written`);
  }
  if (dirty < written.size) pair.violations.push('a changed block is not dirty');
  return pair;
}
