import { describe, expect, it } from 'vitest';
import { Event, Status } from '../../../engine/data/abi.ts';
import { until } from '../../support/mirror-cases.ts';
import { BLOCK_SECTORS, blocks, done, mend, written } from '../../support/mirror-errors.ts';
import { movedOf, refusedWhole, spareUnread, spoilFor } from '../../support/mirror-moved.ts';

const MS = 1000;

describe('a write that the medium refuses', () => {
  it('ends well, on either host, and its block stands elsewhere', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const pair = refusedWhole(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      expect(movedOf(pair, 1 + (seed % 2))).toHaveLength(1);
      expect(pair.marks.has('mirror.write.moved')).toBe(true);
    }
  });

  it('moves to no spare block that does not give it back', () => {
    for (const seed of [1, 2, 3]) expect(spareUnread(seed).violations).toEqual([]);
  });

  it('is tried once more where it is: what fails for once moves nothing', () => {
    const pair = written(2);
    const [first] = blocks(pair, 1) as [number];
    const h = pair.host(1);
    spoilFor(h, first, 'bad');
    const give = pair.give.bind(pair);
    pair.give = (at, input) => {
      if (at === h && input.op === Event.LocalDone && input.status === Status.Medium) mend(pair);
      give(at, input);
    };
    expect(done(pair, 1, Event.ReqWrite, first - (first % 8), BLOCK_SECTORS)).toBe(0);
    pair.settle();
    expect([pair.violations, movedOf(pair, 1)]).toEqual([[], []]);
  });

  it('of part of a block costs the replica: what else is in the block is not known', () => {
    const pair = written(3);
    const [first] = blocks(pair, 1) as [number];
    const h = pair.host(2);
    spoilFor(h, first, 'bad');
    const sector = first - (first % BLOCK_SECTORS) + 3;
    expect(done(pair, 1, Event.ReqWrite, sector, 1)).toBe(0);
    expect(until(pair, () => h.disk === 'Failed')).toBe(true);
    mend(pair);
    pair.crashCore(2, 5 * MS);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('fails alone where no other copy is left, and never gives the last one up', () => {
    const pair = written(4);
    pair.powerOff(2);
    until(pair, () => pair.record.members.length === 1 && pair.activeEpoch === pair.record.epoch);
    const h = pair.host(1);
    const [first, other] = blocks(pair, 2) as [number, number];
    spoilFor(h, first, 'bad');
    const sector = first - (first % BLOCK_SECTORS) + 3;
    expect(done(pair, 1, Event.ReqWrite, sector, 1)).toBe(Status.Io);
    expect(done(pair, 1, Event.ReqWrite, other, 1)).toBe(0);
    // All of the block can move.
    expect(done(pair, 1, Event.ReqWrite, sector - 3, BLOCK_SECTORS)).toBe(0);
    expect([h.disk, h.role, movedOf(pair, 1).length]).toEqual(['UpToDate', 'Primary', 1]);
    mend(pair);
    pair.powerOn(2);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });
});
