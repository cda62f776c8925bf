import { describe, expect, it } from 'vitest';
import { Decision } from '../../../engine/data/abi.ts';
import { wrong } from '../../support/mirror-cases.ts';
import { TRIO_CONFIG } from '../../support/mirror-many.ts';
import { manySwarm } from '../../support/mirror-many-cases.ts';
import {
  diesWithReceipts,
  durableMeanwhile,
  failsToWrite,
  flushedMeanwhile,
  heldBack,
  linkLostAsItAttaches,
  notedBefore,
  receiving,
  SEMI_CONFIG,
  semiSwarm,
  takesOverBehind,
} from '../../support/mirror-receipts.ts';
import { started, swarmRun } from '../../support/mirror-swarm.ts';

const SEEDS = 40;

describe('a member of a semi-synchronous volume', () => {
  it('loses, whatever befalls it, nothing that a synchronous one would keep', () => {
    const marks = new Set<string>();
    const found = wrong((seed) => {
      const run = semiSwarm(seed);
      for (const mark of run.marks) marks.add(mark);
      return run;
    }, 100);
    expect(found).toEqual([]);
    for (const mark of ['given', 'lost', 'flush-waits']) {
      expect(marks.has(`mirror.receipt.${mark}`)).toBe(true);
    }
  });

  it('does so beside other members, checksums and reads from both copies', () => {
    const trio = { ...TRIO_CONFIG, semiSync: true };
    const summed = { ...SEMI_CONFIG, checksums: true, logicalBlock: 4096 as const };
    const balanced = { ...SEMI_CONFIG, balanceReads: true };
    expect(wrong((seed) => manySwarm(seed, [], trio), 20)).toEqual([]);
    expect(wrong((seed) => swarmRun(seed, [], summed), 20)).toEqual([]);
    expect(wrong((seed) => swarmRun(seed, [], balanced), 20)).toEqual([]);
  });

  it('is waited for by a flush until it has written what it received before', () => {
    expect(wrong(flushedMeanwhile, SEEDS)).toEqual([]);
  });

  it('acknowledges a write that must be durable when it is', () => {
    expect(wrong(durableMeanwhile, SEEDS)).toEqual([]);
  });

  it('knows after the death of its core that it lacks what it acknowledged', () => {
    expect(wrong(diesWithReceipts, SEEDS)).toEqual([]);
  });

  it('knows it too when its link is lost while the next core reads its metadata', () => {
    expect(wrong(linkLostAsItAttaches, SEEDS)).toEqual([]);
  });

  it('knows it too when its disk had failed to write that a moment before', () => {
    expect(wrong(failsToWrite, 60)).toEqual([]);
  });

  it('gives no receipt before a note on its disk would tell of the death of its core', () => {
    expect(wrong(notedBefore, SEEDS)).toEqual([]);
  });

  it('takes over when it has written all that it acknowledged, and not before', () => {
    expect(wrong(takesOverBehind, SEEDS)).toEqual([]);
  });

  it('is in no doubt after the death of its core once it leads', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const pair = receiving(seed);
      pair.switchOver();
      pair.runFor(500_000);
      expect(pair.record.primary).toBe(2);
      pair.crashCore(2, 10_000);
      while (!pair.host(2).attached) pair.runFor(1000);
      expect(pair.host(2).doubted).toBe(false);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('is in no doubt once its primary is gone and its disk has everything', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const pair = receiving(seed);
      pair.isolate(2, true);
      pair.powerOff(1);
      pair.runFor(400_000);
      pair.crashCore(2, 10_000);
      pair.isolate(2, false);
      while (!pair.host(2).attached) pair.runFor(1000);
      expect(pair.host(2).doubted).toBe(false);
      pair.powerOn(1);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('is left out, and lacks the write, when its disk refuses what it has acknowledged', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const pair = receiving(seed);
      const disk = heldBack(pair);
      pair.load(true);
      while (disk.count === 0) pair.runFor(100);
      pair.runFor(3_000);
      pair.host(2).broken = true;
      disk.release();
      pair.runFor(600_000);
      expect(pair.record.members.map(({ node }) => node)).toEqual([1]);
      pair.host(2).broken = false;
      pair.crashCore(2, 10_000);
      pair.runFor(500_000);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });
});

describe('a member of a synchronous volume', () => {
  it('gives no receipts, and its disk has no note of any', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const marks = [...swarmRun(seed).marks].filter((mark) => mark.startsWith('mirror.receipt'));
      expect(marks).toEqual([]);
    }
  });
});

describe('a target of a semi-synchronous copy', () => {
  it('is asked for no receipt before it is a member', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const pair = started(seed, [], SEMI_CONFIG);
      let early = 0;
      pair.powerOff(2);
      pair.runFor(1_500_000);
      pair.powerOn(2);
      pair.onDecision = (h, op, _slot, sequence, _length, status) => {
        if (op !== Decision.PeerAck || status !== 0 || pair.record.members.length > 1) return;
        const { headers } = h.memory;
        if ([...h.writing].some((slot) => headers.sequence(slot) === sequence)) early += 1;
      };
      pair.runFor(500_000);
      expect(early).toBe(0);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });
});
