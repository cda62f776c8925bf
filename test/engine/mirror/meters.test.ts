import { describe, expect, it } from 'vitest';
import type { Meters } from '../../../engine/data/messages.ts';
import { addedByPeer, metered } from '../../support/mirror-meters.ts';

function sum(said: readonly Meters[], of: (meters: Meters) => number): number {
  return said.reduce((all, each) => all + of(each), 0);
}

describe('what requests take', () => {
  it('is told each second for every request that succeeded, and ends with an empty second', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const { pair, said, completed } = metered(seed);
      expect(pair.violations).toEqual([]);
      expect(sum(said, ({ reads, writes, flushes }) => reads + writes + flushes)).toBe(completed);
      for (const { micros } of said) expect(micros).toBeGreaterThanOrEqual(1_000_000);
      const { micros: _, ...last } = said.at(-1) as Meters;
      expect(Object.values(last).every((value) => value === 0)).toBe(true);
      expect(said.length).toBeLessThan(7);
    }
  });

  it('is no less than what the mirror adds, and than what the slowest of a hundred take', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      for (const each of metered(seed).said) {
        const { writes, writeMicros, addedMicros, writeMost, bytesWritten } = each;
        expect(addedMicros).toBeLessThanOrEqual(writeMicros);
        expect([bytesWritten > 0, writeMost > 0]).toEqual([writes > 0, writes > 0]);
        // More than one in a hundred took at least half of the bound.
        const slow = writes === 0 ? 0 : Math.floor(writes / 100) + 1;
        expect(slow * (writeMost / 2)).toBeLessThanOrEqual(writeMicros);
      }
    }
  });

  it('counts as the mirror’s what a late peer costs', () => {
    for (let seed = 1; seed <= 4; seed += 1) expect(addedByPeer(seed).violations).toEqual([]);
  });

  it('counts what is sent to the peer, without zeroes', () => {
    const { said } = metered(3);
    const sent = sum(said, ({ bytesSent }) => bytesSent);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(sum(said, ({ bytesWritten }) => bytesWritten));
  });
});
