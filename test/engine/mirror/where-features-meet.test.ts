/** Laws that broke where two features met that did not know of each other, each with its story. */
import { describe, expect, it } from 'vitest';
import {
  failsBeforeItsSums,
  refusedByTheLast,
  rottenAtSource,
  tableNeverDurable,
  unreadAtSource,
} from '../../support/mirror-meet.ts';

type Schedule = (seed: number) => { readonly violations: readonly string[] };

function expectNothing(schedule: Schedule, seeds: number): void {
  for (let seed = 1; seed <= seeds; seed += 1) {
    expect([seed, ...schedule(seed).violations]).toEqual([seed]);
  }
}

describe('a copy among several', () => {
  it('takes from another member what has rotten at its source, and loses nothing', () => {
    expectNothing(rottenAtSource, 3);
  });

  it('ends where its source cannot read what another member has', () => {
    expectNothing(unreadAtSource, 3);
  });
});

describe('a write that the last copy refuses', () => {
  it('leaves a target that took it known to differ', () => expectNothing(refusedByTheLast, 6));
});

describe('a block that moves because its write is refused', () => {
  it('ends its write where the disk fails before the table of moved blocks is durable', () => {
    expectNothing(tableNeverDurable, 3);
  });
});

describe('a read that fails while its checksums are being read', () => {
  it('ends, and so does a write behind it', () => expectNothing(failsBeforeItsSums, 12));
});
