/** Schedules over the pair harness for planted bugs that random schedules do not lead to. */
import { EXTENT_BYTES } from '../../engine/core/units.ts';
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import { decodeSuperblock, metadataLayout } from '../../engine/mirror/metadata.ts';
import { tell, until } from './mirror-cases.ts';
import { BLOCK_SECTORS, blocks, done, request, written } from './mirror-errors.ts';
import { INPUT, SECTOR } from './mirror-hosts.ts';
import { PAIR_CONFIG, Pair } from './mirror-pair.ts';
import { started } from './mirror-swarm.ts';

const MS = 1000;

/** A write that must be stable has ended: is it, on both hosts, at that very moment? */
export function stableAtOnce(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const give = pair.give.bind(pair);
  pair.give = (h, input) => {
    give(h, input.op === Event.ReqWrite ? { ...input, flags: Flag.Fua } : input);
  };
  const first = pair.rng.below(64) * BLOCK_SECTORS;
  const ended = request(pair, 1, Event.ReqWrite, first, 2);
  while (ended.status === null) pair.runFor(20);
  for (const { node, stable, cache } of pair.hosts) {
    if (stable[first] === cache[first] && stable[first] !== 0) continue;
    pair.violations.push(`LAW-flushed: host ${node} has what must be stable in its cache only`);
  }
  pair.settle();
  return pair;
}

/**
 * Whoever says that it serves has the epoch on its disk by then, in both places; and the
 * generation, where it serves alone.
 */
export function durableBeforeActive(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  const layout = metadataLayout(pair.config);
  const report = pair.report.bind(pair);
  pair.report = (h, said) => {
    report(h, said);
    if (said.kind !== 'active') return;
    for (const page of [layout.slotA, layout.slotB]) {
      const read = decodeSuperblock(pair.config, h.node, page, h.meta.get(page) as Uint8Array);
      const { epoch, generation, members } = pair.record;
      if (!read.ok || read.block.epoch < said.epoch) {
        pair.violations.push(`LAW-one-epoch: host ${h.node} acts in an epoch not on its disk`);
      } else if (said.epoch === epoch && members.length === 1) {
        if (read.block.generation === generation) continue;
        pair.violations.push(`LAW-acknowledged: host ${h.node} may forget its generation`);
      }
    }
  };
  pair.runFor(200 * MS);
  pair.cut();
  pair.runFor(1_000 * MS);
  pair.heal();
  pair.settle();
  return pair;
}

/** A client writes the very end of the volume while the other replica is away. */
export function lastBlock(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  pair.powerOff(2);
  pair.runFor(1_500 * MS);
  const end = pair.hosts[0].sectors;
  const count = 1 + pair.rng.below(BLOCK_SECTORS);
  if (done(pair, 1, Event.ReqWrite, end - count, count) !== 0) throw new Error('not written');
  pair.powerOn(2);
  pair.settle();
  return pair;
}

/** One write gets no answer from the disk, and everything else does. */
export function oneUnanswered(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const [h] = pair.hosts;
  const [lost, other] = blocks(pair, 2) as [number, number];
  const give = pair.give.bind(pair);
  let slot = -1;
  pair.onDecision = (at, op, of, offset) => {
    if (at === h && op === Decision.LocalWrite && offset === lost * SECTOR && slot < 0) slot = of;
  };
  pair.give = (at, input) => {
    if (at === h && input.op === Event.LocalDone && input.slot === slot) return;
    give(at, input);
  };
  request(pair, 1, Event.ReqWrite, lost, 1);
  const end = pair.now + 14_000 * MS;
  while (pair.now < end && pair.record.primary === 1) {
    pair.runFor(500 * MS);
    request(pair, 1, Event.ReqRead, other, 1);
  }
  if (pair.record.primary === 1) pair.violations.push('LAW-heals: a lost write is waited for');
  return pair;
}

/** What the disk of the other host is asked to do for its primary, and never says that it did. */
export type Owed = 'write' | 'flush' | 'read';

/**
 * The disk of the other host leaves one operation undone that its primary waits for, and does all
 * the rest: clients keep it busy. The client that waits must have its answer all the same.
 */
export function oneOwed(what: Owed, seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const [own, h] = pair.hosts;
  const [lost, other] = blocks(pair, 2) as [number, number];
  const op = { write: Decision.LocalWrite, flush: Decision.LocalFlush, read: Decision.LocalRead };
  const give = pair.give.bind(pair);
  let undone = -1;
  pair.onDecision = (at, is, slot, offset, length) => {
    const there = what === 'flush' || offset === lost * SECTOR;
    if (at === h && is === op[what] && there && undone < 0) {
      undone = what === 'flush' ? length : slot;
    }
  };
  const end = what === 'flush' ? Event.FlushDone : Event.LocalDone;
  let kept = false;
  pair.give = (at, input) => {
    const is = what === 'flush' ? input.length : input.slot;
    if (!kept && at === h && input.op === end && is === undone) kept = true;
    else give(at, input);
  };
  if (what === 'read') own.unreadable.add(lost);
  const asked = { write: Event.ReqWrite, flush: Event.ReqFlush, read: Event.ReqRead };
  const size = what === 'flush' ? 0 : 1;
  const ended = request(pair, 1, asked[what], what === 'flush' ? 0 : lost, size);
  const limit = pair.now + 14_000 * MS;
  while (pair.now < limit && ended.status === null) {
    pair.runFor(100 * MS);
    request(pair, 1, Event.ReqWrite, other, 1);
  }
  if (ended.status === null)
    pair.violations.push('LAW-heals: one answer of the peer is waited for');
  return pair;
}

/** One of each, in turns. */
export function owedForEver(seed: number, canaries: readonly string[] = []): Pair {
  return oneOwed((['write', 'flush', 'read'] as const)[seed % 3] ?? 'write', seed, canaries);
}

/**
 * The first flush gets no answer from the disk, while clients write to ever new places, so that the
 * journal is written every now and then, and answered.
 */
export function flushUnanswered(seed: number): Pair {
  const config = { ...PAIR_CONFIG, sizeBytes: 64 * EXTENT_BYTES, alExtents: 64 };
  const pair = new Pair({ seed, config });
  pair.runFor(300 * MS);
  const [h] = pair.hosts;
  const give = pair.give.bind(pair);
  let token = 0;
  pair.onDecision = (at, op, _slot, _offset, length) => {
    if (at === h && op === Decision.LocalFlush && token === 0) token = length;
  };
  pair.give = (at, input) => {
    if (at === h && input.op === Event.FlushDone && input.length === token) return;
    give(at, input);
  };
  for (let extent = 0; extent < 60 && pair.record.primary === 1; extent += 1) {
    request(pair, 1, Event.ReqWrite, (extent * EXTENT_BYTES) / SECTOR, 1);
    pair.runFor(300 * MS);
  }
  return pair;
}

/** The disk of the other host refuses one write, and nothing else. */
export function refusedThere(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const [first] = blocks(pair, 1) as [number];
  pair.hosts[1].stuck.set(first, 'refuses');
  request(pair, 1, Event.ReqWrite, first, 1);
  if (!until(pair, () => pair.record.members.length === 1)) {
    pair.violations.push('LAW-acknowledged: a host that refused a write counts as having it');
  }
  return pair;
}

/**
 * An acknowledgement of an earlier link comes late, and names what is in use again by now: numbers
 * begin anew with each link. The peer that is to have the present write stands still.
 */
export function lateAcknowledgement(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const [h] = pair.hosts;
  const [first] = blocks(pair, 1) as [number];
  const gone = h.link;
  pair.cut();
  pair.heal();
  const back = (): boolean => h.linkState === 'Connected' && pair.record.members.length === 2;
  if (!until(pair, () => h.link !== gone && back())) throw new Error('not back');
  pair.runFor(100 * MS);
  pair.onDecision = (at, op, slot) => {
    if (at !== h || op !== Decision.PeerWrite) return;
    pair.onDecision = null;
    const offset = h.memory.headers.sequence(slot);
    pair.after(10 * MS, () =>
      pair.give(h, { ...INPUT, op: Event.PeerAck, link: gone, slot, offset }),
    );
  };
  pair.pause(2, 100 * MS);
  const ended = request(pair, 1, Event.ReqWrite, first, 1);
  pair.runFor(60 * MS);
  if (ended.status !== null) {
    pair.violations.push('LAW-acknowledged: a link that is gone acknowledges a write');
  }
  pair.settle();
  return pair;
}

/**
 * Host 2 was left out and is a member again, with all that was written meanwhile. While its core is
 * down its disk is put back to the image of before; then it is to take over, in the same boot.
 */
export function restored(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(300 * MS);
  pair.load(false);
  pair.runFor(100 * MS);
  const [, h] = pair.hosts;
  const image = { cache: h.cache.slice(), stable: h.stable.slice(), meta: new Map(h.meta) };
  pair.cut();
  if (!until(pair, () => pair.record.members.length === 1)) throw new Error('not left out');
  pair.load(true);
  pair.runFor(300 * MS);
  pair.load(false);
  pair.heal();
  if (!until(pair, () => pair.record.members.length === 2)) throw new Error('not back');
  pair.runFor(200 * MS);
  pair.crashCore(2, 20 * MS);
  pair.isolate(1, true);
  Object.assign(h, image);
  h.unstable.clear();
  pair.cut();
  pair.runFor(10 * MS);
  tell(pair, [], { primary: 2 });
  pair.runFor(1_200 * MS);
  if (h.role === 'Primary') {
    pair.violations.push('LAW-acknowledged: a replica that was put back leads');
  }
  return pair;
}
