import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import {
  decodeJournal,
  encodeJournal,
  HOT_MAX,
  type RingBugs,
  RingReader,
  type RingVerdict,
  SECTOR_BYTES,
} from '../../../engine/mirror/journal.ts';
import { type Claims, deviceBytes } from '../../../engine/mirror/page.ts';

const DEVICE = deviceBytes('0123456789abcdef'.repeat(2));
const PAGES = 4;
const FIRST = 1;
const SECTORS = PAGE_BYTES / SECTOR_BYTES;
const NO_BUGS: RingBugs = { journalTornGuessed: false, saltIgnored: false, gapPassed: false };

function write(
  seq: number,
  hot: readonly number[],
  superblock = 1,
  device = DEVICE,
  window = 1,
): Uint8Array {
  const bytes = new Uint8Array(PAGE_BYTES);
  const claims: Claims = { superblock, journal: 0, mapWrites: seq };
  const page = FIRST + (seq % PAGES);
  encodeJournal(device, page, seq, claims, Uint32Array.from(hot), hot.length, window, bytes);
  return bytes;
}

/** A ring in which `newest` was completed last; each page names its own sequence as hot. */
function ring(newest: number): Uint8Array[] {
  const pages: Uint8Array[] = [];
  for (let seq = newest - PAGES + 1; seq <= newest; seq += 1) {
    pages[seq % PAGES] = write(seq, [seq]);
  }
  return pages;
}

function judge(pages: readonly (Uint8Array | null)[], least = 0, bugs = NO_BUGS): RingVerdict {
  const reader = new RingReader(DEVICE, FIRST, PAGES, bugs);
  // The order of arrival is no matter of concern.
  for (const at of [2, 0, 3, 1]) reader.add(at, pages[at] ?? null);
  return reader.judge(least);
}

/** What a crash leaves of `fresh` written over `old`: the sectors of `mask` are new. */
function torn(old: Uint8Array, fresh: Uint8Array, mask: number): Uint8Array {
  const bytes = old.slice();
  for (let s = 0; s < SECTORS; s += 1) {
    if (((mask >>> s) & 1) === 0) continue;
    bytes.set(fresh.subarray(s * SECTOR_BYTES, (s + 1) * SECTOR_BYTES), s * SECTOR_BYTES);
  }
  return bytes;
}

const newest = fc.integer({ min: PAGES, max: 1000 });
const mask = fc.integer({ min: 1, max: 254 });

describe('a journal page', () => {
  it('gives back the hot set that was written, up to its limit', () => {
    const extents = fc.array(fc.nat(0xffffffff), { maxLength: HOT_MAX, size: 'max' });
    fc.assert(
      fc.property(extents, fc.maxSafeNat(), (hot, seq) => {
        const bytes = write(seq, hot, 9);
        const claims = { superblock: 9, journal: 0, mapWrites: seq };
        const read = decodeJournal(DEVICE, FIRST + (seq % PAGES), bytes);
        expect(read).toEqual({ seq, extents: hot, window: 1, claims });
      }),
      { numRuns: 30 },
    );
  });

  it('is not read unless every sector is of one write', () => {
    fc.assert(
      fc.property(newest, mask, (seq, m) => {
        const bytes = torn(write(seq, [1]), write(seq + PAGES, [2]), m);
        expect(decodeJournal(DEVICE, FIRST + (seq % PAGES), bytes)).toBe(null);
      }),
    );
  });
});

describe('a journal ring', () => {
  it('says the newest hot set when nothing is wrong, and loses nothing', () => {
    fc.assert(
      fc.property(newest, (seq) => {
        expect(judge(ring(seq))).toMatchObject({
          ...{ seq, extents: [seq], base: seq, lost: false, torn: false, rotten: false },
          claims: { superblock: 1, mapWrites: seq },
        });
      }),
    );
  });

  it('drops a torn write, whichever sectors of it were written', () => {
    for (let m = 1; m < 255; m += 1) {
      const pages = ring(9);
      const next = 10 % PAGES;
      pages[next] = torn(pages[next] as Uint8Array, write(10, [10]), m);
      const verdict = { seq: 9, extents: [9], base: 9, lost: false, torn: true, rotten: false };
      expect(judge(pages)).toMatchObject(verdict);
    }
  });

  it('drops what torn writes of two lives left, though no sector is of the lap before', () => {
    for (let m = 1; m < 255; m += 1) {
      const pages = ring(9);
      pages[10 % PAGES] = torn(write(10, [10], 5), write(10, [10], 6), m);
      expect(judge(pages)).toMatchObject({ seq: 9, lost: false, torn: true });
    }
  });

  it('takes a newest page that rotted for lost, never for torn', () => {
    fc.assert(
      fc.property(newest, fc.nat(PAGE_BYTES * 8 - 1), (seq, bit) => {
        const pages = ring(seq);
        const at = seq % PAGES;
        const bytes = pages[at] as Uint8Array;
        bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
        const { lost, rotten, base, seq: known } = judge(pages);
        expect({ lost, rotten, known }).toEqual({ lost: true, rotten: true, known: seq - 1 });
        expect(base).toBe(seq);
      }),
      { numRuns: 300 },
    );
  });

  it('takes zeroes, rubbish and an unreadable page at the newest place for lost', () => {
    for (const left of [new Uint8Array(PAGE_BYTES), new Uint8Array(PAGE_BYTES).fill(0xa5), null]) {
      const pages: (Uint8Array | null)[] = ring(9);
      pages[9 % PAGES] = left;
      expect(judge(pages)).toMatchObject({ seq: 8, lost: true, rotten: true });
    }
  });

  it('knows that a rotten page with a sector of the lap before was never complete', () => {
    const pages = ring(9);
    const next = 10 % PAGES;
    const bytes = torn(pages[next] as Uint8Array, write(10, [10]), 0b0111_1111);
    bytes.fill(0xee, 0, 3 * SECTOR_BYTES);
    pages[next] = bytes;
    expect(judge(pages)).toMatchObject({ seq: 9, lost: false, rotten: true });
  });

  it('loses nothing by a rotten page before the newest, and says that it is there', () => {
    for (const back of [1, 2]) {
      const pages: (Uint8Array | null)[] = ring(9);
      pages[(9 - back) % PAGES] = null;
      expect(judge(pages)).toMatchObject({ seq: 9, lost: false, torn: false, rotten: true });
    }
  });

  it('takes a page of another place or another replica for rotten', () => {
    const other = deviceBytes('f'.repeat(32));
    for (const stranger of [write(9, [9], 1, other), write(8, [8]), write(10, [10])]) {
      const pages = ring(9);
      pages[9 % PAGES] = stranger;
      expect(judge(pages)).toMatchObject({ seq: 8, lost: true });
    }
    const pages = ring(9);
    pages[9 % PAGES] = write(5, [5], 1, other);
    expect(judge(pages, 0, { ...NO_BUGS, saltIgnored: true }).lost).toBe(false);
  });

  it('is lost when it is older than what is known to have been complete', () => {
    const pages = ring(9);
    pages[9 % PAGES] = write(5, [5]);
    // Nothing in the ring itself tells a write that the disk lost.
    expect(judge(pages)).toMatchObject({ seq: 8, lost: false });
    expect(judge(pages, 9)).toMatchObject({ seq: 8, lost: true, base: 9 });
  });

  it('is lost when a sector is newer than any write after the newest page', () => {
    const pages: (Uint8Array | null)[] = ring(9);
    pages[10 % PAGES] = null;
    pages[11 % PAGES] = torn(pages[11 % PAGES] as Uint8Array, write(11, [11]), 1);
    expect(judge(pages)).toMatchObject({ seq: 9, lost: true, base: 11 });
  });
});

/** A ring whose newest page, `newest`, needs the one before it; each names its own sequence. */
function lap(newest: number, window = 2): Uint8Array[] {
  const pages: Uint8Array[] = [];
  for (let seq = newest - PAGES + 1; seq <= newest; seq += 1) {
    pages[seq % PAGES] = write(seq, [seq, 1000], 1, DEVICE, window);
  }
  return pages;
}

describe('a journal whose hot set is longer than a page', () => {
  it('says what the newest page and those that it needs name, each extent once', () => {
    for (const [window, extents] of [
      [1, [9, 1000]],
      [2, [8, 1000, 9]],
      [3, [7, 1000, 8, 9]],
    ] as const) {
      const verdict = { seq: 9, extents, window, lost: false, torn: false, rotten: false };
      expect(judge(lap(9, window))).toMatchObject(verdict);
    }
  });

  it('keeps it when the next page is torn, whichever sectors of it were written', () => {
    for (let m = 1; m < 255; m += 1) {
      // Of a ring of four, three may be needed: the fourth is the one that is written.
      const pages = lap(9, 3);
      const next = 10 % PAGES;
      pages[next] = torn(pages[next] as Uint8Array, write(10, [10], 1, DEVICE, 3), m);
      const verdict = { seq: 9, extents: [7, 1000, 8, 9], lost: false, torn: true, rotten: false };
      expect(judge(pages)).toMatchObject(verdict);
    }
  });

  it('is lost with any page that the newest needs, however that is spoilt, and says so', () => {
    fc.assert(
      fc.property(newest, fc.constantFrom(1, 2), fc.nat(PAGE_BYTES * 8 - 1), (seq, back, bit) => {
        const pages = lap(seq, 3);
        const bytes = pages[(seq - back) % PAGES] as Uint8Array;
        bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
        expect(judge(pages)).toMatchObject({ seq, lost: true, torn: false, rotten: true });
        expect(judge(pages).base).toBe(seq);
        expect(judge(pages, 0, { ...NO_BUGS, gapPassed: true }).lost).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('is lost with a page that the disk never wrote, though what stands there is whole', () => {
    for (const back of [1, 2]) {
      const pages = lap(9, 3);
      pages[(9 - back) % PAGES] = write(9 - back - PAGES, [1], 1, DEVICE, 3);
      expect(judge(pages)).toMatchObject({ seq: 9, lost: true, rotten: false });
    }
  });

  it('is lost with a page that was torn and yet followed: no crash leaves that', () => {
    for (let m = 1; m < 255; m += 1) {
      const pages = lap(9, 2);
      const old = write(8 - PAGES, [4], 1, DEVICE, 2);
      pages[8 % PAGES] = torn(old, pages[8 % PAGES] as Uint8Array, m);
      expect(judge(pages)).toMatchObject({ seq: 9, lost: true, torn: false, rotten: true });
    }
  });

  it('loses nothing with a page that the newest does not need', () => {
    const pages: (Uint8Array | null)[] = lap(9, 2);
    pages[7 % PAGES] = null;
    expect(judge(pages)).toMatchObject({ seq: 9, extents: [8, 1000, 9], lost: false });
  });

  it('is lost when a page says that it needs more than the ring has', () => {
    for (const window of [PAGES + 1, 2 ** 32]) {
      expect(judge(lap(9, window))).toMatchObject({ seq: 9, lost: true, base: 9 });
    }
  });
});
