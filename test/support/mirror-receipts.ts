/** Semi-synchronous pairs: what a member has acknowledged, and its disk does not have yet. */
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import { DiskFlag, decodeSuperblock, metadataLayout } from '../../engine/mirror/metadata.ts';
import { request, written } from './mirror-errors.ts';
import type { Host } from './mirror-hosts.ts';
import { PAIR_CONFIG, type Pair } from './mirror-pair.ts';
import { started, swarmRun } from './mirror-swarm.ts';

const MS = 1000;

export const SEMI_CONFIG = { ...PAIR_CONFIG, semiSync: true };

/** A random run of a semi-synchronous pair. */
export function semiSwarm(seed: number, canaries: readonly string[] = []): Pair {
  return swarmRun(seed, canaries, SEMI_CONFIG);
}

/** The disk of host 2 holds back what it is to write of data, and does all the rest. */
export function heldBack(pair: Pair): { release(): void; readonly count: number } {
  const io = pair.io.bind(pair);
  const held: (() => void)[] = [];
  let holds = true;
  let isData = false;
  const before = pair.onDecision;
  pair.onDecision = (h, op, ...rest) => {
    isData = h.node === 2 && op === Decision.LocalWrite;
    before?.(h, op, ...rest);
  };
  pair.io = (h: Host, apply, done) => {
    if (!isData || !holds) {
      io(h, apply, done);
      return;
    }
    isData = false;
    const { life } = h;
    held.push(() => {
      if (h.life === life) io(h, apply, done);
    });
  };
  return {
    release: () => {
      holds = false;
      for (const go of held.splice(0)) go();
    },
    get count() {
      return held.length;
    },
  };
}

/** A pair without a client of its own, in which host 2 has noted that it gives receipts. */
export function receiving(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries, SEMI_CONFIG);
  for (let i = 0; i < 4; i += 1) {
    request(pair, 1, Event.ReqWrite, 8 * i, 4);
    pair.runFor(30 * MS);
  }
  return pair;
}

/** The same, and a write that is acknowledged, and not on the disk of host 2. */
function receivedOnly(
  seed: number,
  canaries: readonly string[],
): { readonly pair: Pair; readonly disk: ReturnType<typeof heldBack> } {
  const pair = receiving(seed, canaries);
  const disk = heldBack(pair);
  const write = request(pair, 1, Event.ReqWrite, 64, 8);
  pair.runFor(20 * MS);
  if (write.status !== 0) pair.violations.push('a write waits for the disk of a member');
  return { pair, disk };
}

/** What host 2 may lack is known to it as it attaches. */
function doubts(pair: Pair): void {
  if (pair.hosts[1].doubted) return;
  pair.violations.push('LAW-acknowledged: a member forgets that it lacks a write');
}

/** A client flushes while host 2 has only received what the flush is to cover. */
export function flushedMeanwhile(seed: number, canaries: readonly string[] = []): Pair {
  const { pair, disk } = receivedOnly(seed, canaries);
  const flush = request(pair, 1, Event.ReqFlush, 0, 0);
  pair.runFor(60 * MS);
  if (flush.status !== null) pair.violations.push('LAW-flushed: a flush is over before the write');
  disk.release();
  pair.runFor(60 * MS);
  if (flush.status !== 0) pair.violations.push('a flush never ends');
  pair.settle();
  return pair;
}

/** A client's write has to be durable, and host 2 only receives it. */
export function durableMeanwhile(seed: number, canaries: readonly string[] = []): Pair {
  const pair = receiving(seed, canaries);
  const disk = heldBack(pair);
  const give = pair.give.bind(pair);
  pair.give = (h, input) => {
    give(h, input.op === Event.ReqWrite ? { ...input, flags: Flag.Fua } : input);
  };
  const write = request(pair, 1, Event.ReqWrite, 64, 8);
  pair.runFor(60 * MS);
  if (write.status !== null) pair.violations.push('LAW-flushed: acknowledged, and not durable');
  disk.release();
  pair.runFor(60 * MS);
  if (write.status !== 0) pair.violations.push('a write never ends');
  pair.settle();
  return pair;
}

/** The core of host 2 dies with what it has acknowledged; its host lives on. */
export function diesWithReceipts(seed: number, canaries: readonly string[] = []): Pair {
  const { pair } = receivedOnly(seed, canaries);
  // Nobody is left out before the new core has read its metadata.
  pair.isolate(1, true);
  pair.crashCore(2, 10 * MS);
  const [, h] = pair.hosts;
  while (!h.attached) pair.runFor(MS);
  doubts(pair);
  return pair;
}

/** Whoever gives a receipt has the note of that on its disk by then, in both places. */
export function notedBefore(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, SEMI_CONFIG);
  const layout = metadataLayout(pair.config);
  pair.onDecision = (h, op, _slot, sequence, _length, status) => {
    if (op !== Decision.PeerAck || status !== 0) return;
    const { headers } = h.memory;
    if (![...h.writing].some((slot) => headers.sequence(slot) === sequence)) return;
    for (const page of [layout.slotA, layout.slotB]) {
      const read = decodeSuperblock(pair.config, h.node, page, h.meta.get(page) as Uint8Array);
      if (read.ok && (read.block.flags & DiskFlag.Received) !== 0) continue;
      pair.violations.push(
        `LAW-acknowledged: host ${h.node} gives a receipt and has no note of it`,
      );
    }
  };
  pair.runFor(300 * MS);
  pair.switchOver();
  pair.runFor(600 * MS);
  pair.cut();
  pair.runFor(600 * MS);
  pair.heal();
  pair.settle();
  return pair;
}

/** The primary loses power, and host 2 has not written all that it is to lead with. */
export function takesOverBehind(seed: number, canaries: readonly string[] = []): Pair {
  const { pair, disk } = receivedOnly(seed, canaries);
  const report = pair.report.bind(pair);
  pair.report = (h, said) => {
    report(h, said);
    if (said.kind !== 'active' || h.node !== 2 || disk.count === 0) return;
    pair.violations.push(
      'LAW-acknowledged: host 2 serves, and its disk lacks what it acknowledged',
    );
  };
  pair.powerOff(1);
  pair.runFor(1_500 * MS);
  disk.release();
  pair.runFor(500 * MS);
  if (pair.activeNode !== 2) pair.violations.push('LAW-heals: nobody takes over');
  pair.powerOn(1);
  pair.settle();
  return pair;
}

/** The core of host 2 dies with what it acknowledged, and its link is lost as the next attaches. */
export function linkLostAsItAttaches(seed: number, canaries: readonly string[] = []): Pair {
  const { pair, disk } = receivedOnly(seed, canaries);
  // Nobody is left out: the primary reaches no control, and the link is whole.
  pair.isolate(1, true);
  pair.crashCore(2, 10 * MS);
  disk.release();
  const [, h] = pair.hosts;
  let reads = 0;
  const before = pair.onDecision;
  pair.onDecision = (host, op, ...rest) => {
    if (host === h && op === Decision.MetaRead) reads += 1;
    before?.(host, op, ...rest);
  };
  while (!h.attached) {
    pair.runFor(100);
    // The superblocks are known, and the rest is being read.
    if (reads > 2 && h.link !== 0) pair.cut();
  }
  pair.runFor(MS);
  doubts(pair);
  pair.heal();
  pair.isolate(1, false);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** Host 2 fails to write what it has acknowledged, without a link, and its core dies soon after. */
export function failsToWrite(seed: number, canaries: readonly string[] = []): Pair {
  const { pair, disk } = receivedOnly(seed, canaries);
  pair.isolate(1, true);
  pair.cut();
  pair.runFor(100 * MS);
  const [, h] = pair.hosts;
  h.broken = true;
  disk.release();
  for (let n = 0; n < 400 && h.disk !== 'Failed'; n += 1) pair.runFor(50);
  pair.runFor((seed * 53) % 3000);
  h.broken = false;
  pair.crashCore(2, 10 * MS);
  while (!h.attached) pair.runFor(100);
  doubts(pair);
  pair.heal();
  pair.isolate(1, false);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}
