/** Laws that broke where two features met that did not know of each other, each with its story. */
import { describe, expect, it } from 'vitest';
import { Decision, Event, Status } from '../../../engine/data/abi.ts';
import { until } from '../../support/mirror-cases.ts';
import {
  BLOCK_SECTORS,
  blocks,
  done,
  mend,
  request,
  written,
} from '../../support/mirror-errors.ts';
import { INPUT, MS, SECTOR } from '../../support/mirror-hosts.ts';
import { Many, TRIO_CONFIG } from '../../support/mirror-many.ts';
import { spoilFor } from '../../support/mirror-moved.ts';
import { spareOf } from '../../support/mirror-spare.ts';
import { summed, writtenBlocks } from '../../support/mirror-sums.ts';
import { started } from '../../support/mirror-swarm.ts';

const BLOCK = 40;

function untilAmong(many: Many, what: () => boolean, limit = 20_000 * MS): boolean {
  const end = many.now + limit;
  while (many.now < end && !what()) many.runFor(MS / 2);
  return what();
}

function inSync(many: Many, ...nodes: readonly number[]): boolean {
  return many.record.members.map(({ node }) => node).join() === nodes.join();
}

/** A client's request for {@link BLOCK} at `node`; the status with which it ends, -1 for never. */
function asked(many: Many, node: number, op: number): number {
  const h = many.host(node);
  const slot = h.busyFront.indexOf(null);
  const [first, count] = [BLOCK * BLOCK_SECTORS, BLOCK_SECTORS];
  const begun = op === Event.ReqWrite ? many.history.begin(first, count, many.now) : null;
  if (begun !== null) h.payload[slot]?.fill(begun.stamp, 0, count);
  h.busyFront[slot] = { kind: op, first, count, invoked: many.now, writes: begun?.writes ?? [] };
  let ended = -1;
  const complete = many.complete.bind(many);
  many.complete = (at, of, status) => {
    if (at === h && of === slot && ended < 0) ended = status;
    complete(at, of, status);
  };
  many.give(h, { ...INPUT, op, slot, offset: first * SECTOR, length: count * SECTOR });
  untilAmong(many, () => ended >= 0, 5_000 * MS);
  return ended;
}

/** Hosts 1 and 2 are in step; 3 is away, and the block was written since. */
function thirdAway(seed: number): Many {
  const many = new Many({
    seed,
    config: { ...TRIO_CONFIG, logicalBlock: 4096, checksums: true },
  });
  many.runFor(400 * MS);
  expect(asked(many, 1, Event.ReqWrite)).toBe(0);
  many.powerOff(3);
  untilAmong(many, () => inSync(many, 1, 2) && many.activeEpoch === many.record.epoch);
  expect(asked(many, 1, Event.ReqWrite)).toBe(0);
  many.runFor(200 * MS);
  return many;
}

describe('a copy among several', () => {
  it('takes from another member what has rotten at its source, and loses nothing', () => {
    for (const seed of [1, 2, 3]) {
      const many = thirdAway(seed);
      const { cache, stable } = many.host(1);
      cache[BLOCK * BLOCK_SECTORS] = 0xbad;
      stable[BLOCK * BLOCK_SECTORS] = 0xbad;
      many.powerOn(3);
      untilAmong(many, () => inSync(many, 1, 2, 3));
      many.runFor(300 * MS);
      many.powerOff(1);
      many.powerOff(2);
      untilAmong(many, () => many.record.primary === 3 && many.activeNode === 3);
      many.runFor(300 * MS);
      expect([seed, asked(many, 3, Event.ReqRead)]).toEqual([seed, 0]);
    }
  });

  it('ends where its source cannot read what another member has', () => {
    for (const seed of [1, 2, 3]) {
      const many = thirdAway(seed);
      many.host(1).unreadable.add(BLOCK * BLOCK_SECTORS);
      many.powerOn(3);
      expect([seed, untilAmong(many, () => inSync(many, 1, 2, 3))]).toEqual([seed, true]);
    }
  });
});

describe('a write that the last copy refuses', () => {
  it('leaves a target that took it known to differ', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const pair = started(seed);
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
      expect([seed, ...pair.violations]).toEqual([seed]);
    }
  });
});

describe('a block that moves because its write is refused', () => {
  it('ends its write where the disk fails before the table of moved blocks is durable', () => {
    for (const seed of [1, 2, 3]) {
      const pair = written(seed);
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
      expect([seed, ended.status === null, pair.record.primary]).toEqual([seed, false, 2]);
    }
  });
});

describe('a read that fails while its checksums are being read', () => {
  it('ends, and so does a write behind it', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const pair = summed(seed);
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
      expect([seed, read.status, write.status]).not.toContain(null);
    }
  });
});
