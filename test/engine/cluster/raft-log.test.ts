import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RaftLog } from '../../../engine/cluster/raft-log.ts';

const entry = (term: number) => ({ term, entry: { kind: 'noop', event: '' } as const });

describe('the log of a voter', () => {
  it('knows the term of every entry it holds and of the one before, and of no other', () => {
    const log = new RaftLog(5, 2, [entry(2), entry(3)]);
    expect([4, 5, 6, 7, 8].map((i) => log.termAt(i))).toEqual([-1, 2, 2, 3, -1]);
    expect(log.last).toBe(7);
    expect(log.lastTerm).toBe(3);
  });

  it('hands out copies that later changes do not reach', () => {
    const log = new RaftLog(0, 0, []);
    log.append(entry(1));
    const copy = log.copy();
    log.truncate(1);
    log.append(entry(2));
    expect(copy).toEqual([entry(1)]);
    expect(log.termAt(1)).toBe(2);
  });

  it('says the same of what it keeps after a compaction', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }), fc.nat(), (terms, at) => {
        const log = new RaftLog(0, 0, []);
        for (const term of terms) log.append(entry(term + 1));
        const index = 1 + (at % terms.length);
        const before = terms.map((_, i) => log.termAt(i + 1));
        log.compact(index);
        expect(log.snapIndex).toBe(index);
        for (let i = index; i <= terms.length; i++) expect(log.termAt(i)).toBe(before[i - 1]);
        expect(log.last).toBe(terms.length);
        expect(log.from(index + 1, 100).length).toBe(terms.length - index);
      }),
    );
  });

  it('refuses to show a committed entry that it does not have', () => {
    expect(() => new RaftLog(3, 1, []).at(3)).toThrow();
  });
});
