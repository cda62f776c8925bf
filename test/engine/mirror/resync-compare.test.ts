import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decision, Event, Status } from '../../../engine/data/abi.ts';
import type { MirrorConfig } from '../../../engine/mirror/config.ts';
import { watched } from '../../support/mirror-cases.ts';
import { done, slotsOut } from '../../support/mirror-errors.ts';
import { INPUT } from '../../support/mirror-hosts.ts';
import { TRIO_CONFIG } from '../../support/mirror-many.ts';
import { manySwarm } from '../../support/mirror-many-cases.ts';
import { PAIR_CONFIG } from '../../support/mirror-pair.ts';
import {
  asyncDarkAsCompared,
  asyncSkipSwarm,
  counted,
  darkAsCompared,
  mostlyEqual,
  readsHang,
  readsSlowly,
  SKIP_ASYNC,
  SKIP_CONFIG,
  sameBytesAgain,
  shadowsAtSource,
  skipSwarm,
  vouched,
} from '../../support/mirror-skip.ts';
import {
  comparedTooLate,
  filledSlowly,
  mismatchAtSource,
  oldMemberBack,
} from '../../support/mirror-skip-cases.ts';
import { SUMS_CONFIG } from '../../support/mirror-sums.ts';
import { comparedAndSwappedBack, filledThenBack } from '../../support/mirror-swapped.ts';
import { swarmRun } from '../../support/mirror-swarm.ts';
import { corrupt } from '../../support/mirror-verify.ts';

const BLOCK = 4096;
const SINGLE: MirrorConfig = { ...SKIP_CONFIG, resyncChunk: BLOCK };

/** What `seen` tells of this kind. */
function told(seen: ReturnType<typeof watched>, kind: string): Readonly<Record<string, unknown>>[] {
  return seen.flatMap(({ report }) =>
    report.kind === 'event' && report.event.kind === kind ? [report.event.d] : [],
  );
}

describe('a copy that compares before it sends', () => {
  it('sends what differs and nothing else, and says how much it was', () => {
    for (const seed of [1, 2, 3]) {
      const pair = mostlyEqual(seed, SINGLE, 4);
      const seen = watched(pair);
      const traffic = counted(pair);
      pair.heal();
      pair.settle();
      expect(pair.violations).toEqual([]);
      expect(told(seen, 'mirror.resync.end')).toMatchObject([{ copied: 4 * BLOCK }]);
      expect(traffic.sent).toBe(4 * BLOCK);
      const [found] = told(seen, 'mirror.resync.compared');
      const { compared, equal } = found as { compared: number; equal: number };
      expect([compared, compared - equal]).toEqual([traffic.asked, 4 * BLOCK]);
      // The four, and what no barrier had covered when the link was lost.
      expect(equal).toBeGreaterThan(0);
      expect(pair.hosts.map(slotsOut)).toEqual([0, 0]);
    }
  });

  it('sends all of it where nobody wants it compared, or the target does not know how', () => {
    for (const skipEqual of ['off', undefined] as const) {
      const { skipEqual: _, ...plain } = SINGLE;
      const config = skipEqual === undefined ? plain : { ...plain, skipEqual };
      const pair = mostlyEqual(4, config, 4);
      const traffic = counted(pair);
      pair.heal();
      pair.settle();
      expect([pair.violations, traffic.asked]).toEqual([[], 0]);
      expect(traffic.sent).toBeGreaterThan(4 * BLOCK);
    }
    // An earlier program ends its hello before its features, and the disks behind them.
    const pair = mostlyEqual(4, SINGLE, 4);
    const traffic = counted(pair);
    const give = pair.give.bind(pair);
    pair.give = (to, input) => {
      const isHello = input.op === Event.PeerMessage && input.page?.[1] === 0;
      if (to === pair.host(1) && isHello) {
        const page = (input.page as Uint8Array).slice(0, input.length - 9);
        give(to, { ...input, page, length: page.length });
      } else give(to, input);
    };
    pair.heal();
    pair.settle();
    expect([pair.violations, traffic.asked]).toEqual([[], 0]);
    expect(traffic.sent).toBeGreaterThan(4 * BLOCK);
  });

  it('makes the target equal to its source, whatever is written and lost meanwhile', () => {
    const settings = fc.constantFrom('on', 'auto') as fc.Arbitrary<'on' | 'auto'>;
    const chunks = fc.constantFrom(BLOCK, 4 * BLOCK);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 25 }),
        settings,
        chunks,
        (seed, skipEqual, resyncChunk) => {
          const pair = swarmRun(seed, [], { ...PAIR_CONFIG, skipEqual, resyncChunk });
          expect([seed, ...pair.violations]).toEqual([seed]);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('breaks no law when its target loses power in the middle', () => {
    for (const run of [darkAsCompared, asyncDarkAsCompared]) {
      let equal = 0;
      for (let seed = 1; seed <= 8; seed += 1) {
        const pair = run(seed);
        expect([seed, ...pair.violations]).toEqual([seed]);
        if (pair.marks.has('mirror.resync.equal')) equal += 1;
      }
      expect(equal).toBeGreaterThan(6);
    }
  });

  it('keeps an asynchronous replica an image, and clears only what is stable on both', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const pair = asyncSkipSwarm(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      expect(pair.config).toBe(SKIP_ASYNC);
    }
  });

  it('gives the target what its disk does not, and what contradicts its checksum', () => {
    const sums = { ...SUMS_CONFIG, skipEqual: 'on', resyncChunk: BLOCK } as const;
    for (const config of [SINGLE, sums]) {
      const pair = mostlyEqual(5, config, 4);
      // Equal, but for what becomes of them now.
      const dirty = [0, 1, 2].map((n) => 3 * n);
      if (config.checksums) corrupt(pair, 2, dirty);
      else for (const block of dirty) pair.host(2).unreadable.add(8 * block);
      const traffic = counted(pair);
      pair.heal();
      pair.settle();
      expect([pair.violations, pair.host(2).unreadable.size]).toEqual([[], 0]);
      expect(traffic.sent).toBeGreaterThanOrEqual(4 * BLOCK);
      for (const block of dirty) {
        expect(done(pair, pair.record.primary, Event.ReqRead, 8 * block, 8)).toBe(0);
        expect(pair.host(2).cache[8 * block]).toBe(pair.host(1).cache[8 * block]);
      }
    }
  });

  it('makes checksums where the target had lost them, as a copy would have', () => {
    let marks = 0;
    for (let seed = 1; seed <= 4; seed += 1) {
      const pair = vouched(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      if (pair.marks.has('mirror.resync.vouched')) marks += 1;
    }
    expect(marks).toBe(4);
  });

  it('is refused by a target whose disk may show what it does not hold', () => {
    for (const canaries of [[], ['skip-in-doubt']]) {
      const pair = mostlyEqual(6, SINGLE, 4, canaries);
      const two = pair.host(2);
      const { record } = pair;
      const command = { kind: 'record', record, cause: 'c', doubted: true } as const;
      pair.give(two, { ...INPUT, op: Event.Control, command });
      const traffic = counted(pair);
      pair.heal();
      pair.settle();
      expect([pair.violations, traffic.sent > 4 * BLOCK]).toEqual([[], canaries.length === 0]);
      expect(pair.marks.has('mirror.resync.equal')).toBe(canaries.length > 0);
    }
  });

  it('is all of it sent where the disk of its source has failed, and written there anew', () => {
    for (const canaries of [[], ['skip-source-in-doubt']]) {
      const pair = mostlyEqual(6, SINGLE, 4, canaries);
      const command = { kind: 'record', record: pair.record, cause: 'c', doubted: true } as const;
      pair.give(pair.host(1), { ...INPUT, op: Event.Control, command });
      const traffic = counted(pair);
      pair.heal();
      pair.settle();
      expect(pair.violations).toEqual([]);
      const believed = canaries.length > 0;
      expect([traffic.asked > 0, traffic.sent > 4 * BLOCK]).toEqual([believed, !believed]);
      expect(pair.marks.has('mirror.resync.proves')).toBe(true);
    }
  });

  it('leaves no source without what only its memory showed', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const pair = shadowsAtSource(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
      expect(pair.marks.has('mirror.resync.proves')).toBe(true);
    }
  });

  it('breaks no law among three, of whom one is lost in the middle', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const many = manySwarm(seed, [], { ...TRIO_CONFIG, skipEqual: 'on' });
      expect([seed, ...many.violations]).toEqual([seed]);
    }
  });

  it('hides from no third replica what it lacks, though the bytes were there before', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const many = sameBytesAgain(seed);
      expect([seed, ...many.violations]).toEqual([seed]);
      expect(many.marks.has('mirror.resync.equal')).toBe(true);
    }
  });

  it('clears no map that a disk of before would fit', () => {
    let equal = 0;
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = comparedAndSwappedBack(seed);
      const many = filledThenBack(seed, [], { ...TRIO_CONFIG, skipEqual: 'on' });
      expect([seed, ...pair.violations, ...many.violations]).toEqual([seed]);
      if (pair.marks.has('mirror.resync.equal')) equal += 1;
      const early = comparedAndSwappedBack(seed, ['apart-unsaid']).violations;
      if (seed <= 4) expect([seed, early.length > 0]).toEqual([seed, true]);
    }
    expect(equal).toBeGreaterThan(2);
  });

  it('gives up a target whose disk answers no read, as any disk that hangs', () => {
    for (const seed of [1, 2]) {
      let over = false;
      const pair = readsHang(seed, () => over);
      pair.heal();
      pair.runFor(pair.config.diskTimeout + 1_000_000);
      expect(pair.hosts.map(({ disk }) => disk)).toEqual(['UpToDate', 'Failed']);
      expect(done(pair, 1, Event.ReqWrite, 0, 8)).toBe(0);
      over = true;
      pair.crashCore(2, 5_000);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('asks no second time for what a target was too slow to read', () => {
    for (let seed = 1; seed <= 3; seed += 1) {
      const pair = readsSlowly(seed);
      expect([seed, ...pair.violations]).toEqual([seed]);
    }
  });

  it('asks a target nothing more that was too slow to answer, until a copy has ended', () => {
    const without = filledSlowly({ skipEqual: 'off' }, 200, 4);
    // The first window, and the link that is lost for it, once.
    expect(filledSlowly({ skipEqual: 'on' }, 200, 4)).toBeLessThan(without + 10_000_000);
  });

  it('counts nothing as copied that was found equal when the target was gone', () => {
    const broken = (canaries: readonly string[] = []): number => {
      const seeds = [1, 2, 3, 4, 5, 6];
      return seeds.filter((seed) => comparedTooLate(seed, canaries).violations.length > 0).length;
    };
    expect(broken()).toBe(0);
    expect(broken(['skip-settles-late'])).toBeGreaterThan(0);
  });

  it('sends no block as good that contradicts its checksum here', () => {
    for (const chunk of [4096, 16_384]) {
      expect(mismatchAtSource('off', chunk)).not.toBe(Status.Ok);
      expect(mismatchAtSource('on', chunk)).not.toBe(Status.Ok);
      expect(mismatchAtSource('on', chunk, ['skip-sends-mismatch'])).toBe(Status.Ok);
    }
  });

  it('leaves nothing unnoted towards who is left out, whatever came to be equal again', () => {
    for (const seed of [1, 2, 3, 4]) {
      for (const how of ['off', 'on'] as const) {
        const { many, held } = oldMemberBack(seed, how);
        expect([seed, how, ...many.violations]).toEqual([seed, how]);
        expect(held[0]).toBe(held[1]);
      }
      const { many } = oldMemberBack(seed, 'on', ['skip-unnoted']);
      expect(many.violations).not.toEqual([]);
    }
  });

  it('asks for nothing twice, and answers no ask of a copy that is none', () => {
    const pair = mostlyEqual(7, SINGLE, 4);
    const asked = new Map<number, number>();
    pair.onDecision = (h, op, _slot, offset) => {
      if (h.node === 1 && op === Decision.PeerRead) asked.set(offset, (asked.get(offset) ?? 0) + 1);
    };
    pair.heal();
    pair.settle();
    expect(pair.violations).toEqual([]);
    expect([...asked.values()].every((count) => count === 1)).toBe(true);
    expect(skipSwarm(1).violations).toEqual([]);
  });
});
