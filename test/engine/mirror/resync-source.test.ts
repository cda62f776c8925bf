import { describe, expect, it } from 'vitest';
import { Pair } from '../../support/mirror-pair.ts';
import { started } from '../../support/mirror-swarm.ts';

describe('the source of a resync', () => {
  it('copies while the application goes on, and the copy is equal', () => {
    for (const seed of [11, 12, 13]) {
      const pair = started(seed);
      pair.runFor(100_000);
      pair.cut();
      pair.runFor(700_000);
      pair.heal();
      pair.runFor(500_000);
      expect(pair.record.members).toHaveLength(2);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('begins again from what is left when it is interrupted at any moment', () => {
    for (let n = 0; n < 12; n += 1) {
      const pair = started(20 + n);
      pair.cut();
      pair.runFor(400_000);
      pair.heal();
      pair.runFor(20_000 + n * 9_000);
      pair.cut();
      pair.runFor(50_000);
      pair.heal();
      pair.settle();
      expect([n, ...pair.violations]).toEqual([n]);
    }
  });

  it('fills a replacement that has never had data', () => {
    const pair = new Pair({ seed: 30, fresh: [2] });
    pair.load(true);
    pair.runFor(400_000);
    pair.settle();
    expect(pair.violations).toEqual([]);
    expect(pair.hosts[1].disk).toBe('UpToDate');
  });

  it('never lets old data overwrite new: a copy holds its range', () => {
    let seen = 0;
    for (let seed = 40; seed < 60 && seen === 0; seed += 1) {
      const pair = started(seed, ['resync-race']);
      pair.cut();
      pair.runFor(400_000);
      pair.heal();
      pair.runFor(300_000);
      pair.settle();
      seen += pair.violations.length;
    }
    expect(seen).toBeGreaterThan(0);
  });
});
