import { describe, expect, it } from 'vitest';
import { TRIO_CONFIG } from '../../support/mirror-many.ts';
import {
  admittedUnderLoad,
  awayInOrder,
  copiedOnward,
  followerDark,
  halfCopiesMeet,
  leftOutThenDark,
  manySwarm,
  shrunkThenDark,
  survivorsDiffer,
  twoComeBack,
} from '../../support/mirror-many-cases.ts';
import {
  adoptedAmongThree,
  copiesAllAfter,
  farThenBack,
  filledThenBack,
} from '../../support/mirror-swapped.ts';

const FOUR = { ...TRIO_CONFIG, nodes: [1, 2, 3, 4] };

describe('three replicas', () => {
  it('lose nothing acknowledged or flushed, know every difference, and heal', () => {
    let takeOvers = 0;
    for (let seed = 1; seed <= 30; seed += 1) {
      const many = manySwarm(seed);
      expect([seed, ...many.violations]).toEqual([seed]);
      takeOvers += many.takeOvers;
    }
    // Whoever leads next was a follower before: that is what this is about.
    expect(takeOvers).toBeGreaterThan(20);
  });

  const cases = {
    'which the primary leaves with different tails, cut off from each other (#2, #32)':
      survivorsDiffer,
    'one of which was left out before the other heard of it (RULE-18)': leftOutThenDark,
    'one of which has what those who stayed lose with their power (RULE-19)': shrunkThenDark,
    'one of which is copied to, and then copies to the third (#5, #22)': copiedOnward,
    'two of which were half copied to when they meet (#16)': halfCopiesMeet,
    'two of which come back at a time: no copy is forgotten for another (#33)': twoComeBack,
    'one of which is away in good order while the others write (#1)': awayInOrder,
    'one of which is admitted while writes go on (#15)': admittedUnderLoad,
    'one of which loses power as a follower': followerDark,
    'one of which is filled, and comes back as it was before that': filledThenBack,
    'one of which comes back with a disk whose finished copy came to nothing': adoptedAmongThree,
    'one of which is far, heard by the primary alone, and back with an earlier disk': farThenBack,
  } as const;
  for (const [which, schedule] of Object.entries(cases)) {
    it(`break no law: ${which}`, () => {
      for (let seed = 1; seed <= 8; seed += 1) {
        expect([seed, ...schedule(seed).violations]).toEqual([seed]);
      }
    });
  }
});

describe('a follower that comes to lead', () => {
  it('copies no more than what may differ, for it was told which disks the others have', () => {
    const all = (canaries: readonly string[] = []): number => {
      return [1, 2, 3, 4, 5, 6].filter((seed) => copiesAllAfter(seed, canaries)).length;
    };
    expect([all(), all(['disks-untold'])]).toEqual([0, 6]);
  });
});

describe('four replicas', () => {
  it('lose nothing acknowledged or flushed, know every difference, and heal', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      expect([seed, ...manySwarm(seed, [], FOUR).violations]).toEqual([seed]);
    }
  });
});
