/** What befell where two features met that did not know of each other, each as a schedule. */
import { Decision, Event, Status } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { until } from './mirror-cases.ts';
import { BLOCK_SECTORS, blocks, done, mend, request, written } from './mirror-errors.ts';
import { MS } from './mirror-hosts.ts';
import { Many, TRIO_CONFIG } from './mirror-many.ts';
import { spoilFor } from './mirror-moved.ts';
import type { Pair } from './mirror-pair.ts';
import { spareOf } from './mirror-spare.ts';
import { summed, writtenBlocks } from './mirror-sums.ts';
import { started } from './mirror-swarm.ts';

const BLOCK = 40;
const LONG = 20_000 * MS;

function inSync(many: Many, ...nodes: readonly number[]): boolean {
  return many.record.members.map(({ node }) => node).join() === nodes.join();
}

/** A client's request for {@link BLOCK} at `node`; the status with which it ends, -1 for never. */
function asked(many: Many, node: number, op: number): number {
  return done(many, node, op, BLOCK * BLOCK_SECTORS, BLOCK_SECTORS);
}

/** Hosts 1 and 2 are in step; 3 is away, and the block was written since. */
function thirdAway(seed: number, canaries: readonly string[]): Many {
  const config: MirrorConfig = { ...TRIO_CONFIG, logicalBlock: 4096, checksums: true };
  const many = new Many({ seed, canaries, config });
  many.runFor(400 * MS);
  let status = asked(many, 1, Event.ReqWrite);
  many.powerOff(3);
  until(many, () => inSync(many, 1, 2) && many.activeEpoch === many.record.epoch, LONG);
  status ||= asked(many, 1, Event.ReqWrite);
  if (status !== 0) throw new Error(`the schedule begins with a write that ends with ${status}`);
  many.runFor(200 * MS);
  return many;
}

/** A block rots at the source of a copy among several; those who had it are lost afterwards. */
export function rottenAtSource(seed: number, canaries: readonly string[] = []): Many {
  const many = thirdAway(seed, canaries);
  const { cache, stable } = many.host(1);
  cache[BLOCK * BLOCK_SECTORS] = 0xbad;
  stable[BLOCK * BLOCK_SECTORS] = 0xbad;
  many.powerOn(3);
  until(many, () => inSync(many, 1, 2, 3), LONG);
  many.runFor(300 * MS);
  many.powerOff(1);
  many.powerOff(2);
  until(many, () => many.record.primary === 3 && many.activeNode === 3, LONG);
  many.runFor(300 * MS);
  if (asked(many, 3, Event.ReqRead) !== 0) {
    many.violations.push('LAW-register: a copy gave up a block that another member had');
  }
  return many;
}

/** The source of a copy among several cannot read a block that another member has. */
export function unreadAtSource(seed: number, canaries: readonly string[] = []): Many {
  const many = thirdAway(seed, canaries);
  many.host(1).unreadable.add(BLOCK * BLOCK_SECTORS);
  many.powerOn(3);
  if (!until(many, () => inSync(many, 1, 2, 3), LONG)) {
    many.violations.push('LAW-heals: a copy waits for a block that another member has');
  }
  return many;
}

/** The last copy refuses a write that the target of its copy has taken. */
export function refusedByTheLast(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(300 * MS);
  pair.powerOff(2);
  pair.runFor(1_500 * MS);
  pair.load(false);
  pair.runFor(100 * MS);
  pair.powerOn(2);
  until(pair, () => pair.host(1).linkState === 'SyncSource');
  // Nobody ever wrote there: it is equal, and no map names it.
  const first = 500 * BLOCK_SECTORS;
  spoilFor(pair.host(1), first, 'bad');
  done(pair, 1, Event.ReqWrite, first + 3, 1);
  mend(pair);
  pair.settle();
  return pair;
}

/** The disk fails before the table says where the block of a refused write stands. */
export function tableNeverDurable(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const [first] = blocks(pair, 1) as [number];
  const h = pair.host(1);
  spoilFor(h, first, 'bad');
  const { copyA } = spareOf(pair.config);
  pair.onDecision = (at, op, _slot, offset) => {
    if (at === h && op === Decision.MetaWrite && offset >= copyA) h.metaBroken = true;
  };
  const block = first - (first % BLOCK_SECTORS);
  const ended = request(pair, 1, Event.ReqWrite, block, BLOCK_SECTORS);
  until(pair, () => h.disk === 'Failed');
  pair.runFor(5_000 * MS);
  if (ended.status === null || pair.record.primary !== 2) {
    pair.violations.push('LAW-heals: a write waits for a table that nobody can write');
  }
  return pair;
}

/** A read fails while its checksums are being read, and its slot is used again. */
export function failsBeforeItsSums(seed: number, canaries: readonly string[] = []): Pair {
  const pair = summed(seed, canaries);
  const block = writtenBlocks(pair, 3)[2] as number;
  const at = block * BLOCK_SECTORS;
  pair.powerOff(2);
  const alone = () => pair.record.members.length === 1;
  until(pair, () => alone() && pair.activeEpoch === pair.record.epoch);
  pair.crashCore(1, 5 * MS);
  until(pair, () => pair.host(1).role === '');
  until(pair, () => pair.host(1).role === 'Primary');
  const h = pair.host(1);
  h.unreadable.add(at);
  const give = pair.give.bind(pair);
  pair.give = (to, input) => {
    const failed = input.op === Event.LocalDone && input.status === Status.Medium;
    if (to === h && failed) mend(pair);
    give(to, input);
  };
  const read = request(pair, 1, Event.ReqRead, at, BLOCK_SECTORS);
  pair.runFor(200 * MS);
  const write = request(pair, 1, Event.ReqWrite, at, BLOCK_SECTORS);
  pair.runFor(5_000 * MS);
  if (read.status === null || write.status === null) {
    pair.violations.push('LAW-heals: a request waits for checksums that are read no more');
  }
  return pair;
}
