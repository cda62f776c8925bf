import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Naming, type NamingBugs, namedMax } from '../../../engine/mirror/naming.ts';

const NO_BUGS: NamingBugs = { namingForgets: false, namingCrowded: false, windowShort: false };

/** What happens between two pages: extents that become hot, and such that go cold, by their age. */
interface Turn {
  readonly heat: number;
  readonly cool: readonly number[];
}

interface Setup {
  readonly perPage: number;
  readonly pages: number;
  readonly turns: readonly Turn[];
}

const setup: fc.Arbitrary<Setup> = fc
  .record({ perPage: fc.integer({ min: 4, max: 9 }), pages: fc.integer({ min: 4, max: 9 }) })
  .chain(({ perPage, pages }) => {
    const most = namedMax(perPage, pages);
    const cool = fc.array(fc.nat(most - 1), { maxLength: most, size: 'max' });
    const turn = fc.record({ heat: fc.nat(most), cool });
    const turns = fc.array(turn, { minLength: 1, maxLength: 40, size: 'max' });
    return fc.record({ perPage: fc.constant(perPage), pages: fc.constant(pages), turns });
  });

/** What a hot set that is named page by page breaks of its promises; null when it keeps them. */
function broken({ perPage, pages, turns }: Setup, bugs: Partial<NamingBugs> = {}): string | null {
  const most = namedMax(perPage, pages);
  const naming = new Naming(most, perPage, { ...NO_BUGS, ...bugs });
  const extents = new Uint32Array(most);
  const free = Array.from({ length: most }, (_, place) => place);
  /** The place of each extent, and the page that it was promised. */
  const hot = new Map<number, { place: number; by: number }>();
  const ring: (readonly number[])[] = [];
  const into = new Uint32Array(perPage);
  let next = 0;
  // The first page that is written has sequence 1; at the end everything is promised that ever was.
  for (let seq = 1; seq <= turns.length + pages; seq += 1) {
    const { heat, cool } = turns[seq - 1] ?? { heat: 0, cool: [] };
    for (const age of cool) {
      const entry = [...hot.entries()][age];
      if (entry === undefined) continue;
      const [extent, { place }] = entry;
      naming.remove(place);
      hot.delete(extent);
      free.push(place);
    }
    for (let n = Math.min(heat, free.length); n > 0; n -= 1) {
      const place = free.pop() as number;
      next += 1;
      extents[place] = next;
      hot.set(next, { place, by: seq - 1 + naming.add(place) });
    }
    if (hot.size <= perPage) {
      naming.all(seq);
      ring.push([...hot.keys()]);
    } else ring.push([...into.subarray(0, naming.some(seq, extents, into))]);
    const window = naming.window(seq);
    if (window < 1 || window >= pages) return `page ${seq} needs ${window} of ${pages}`;
    const named = new Set(ring.slice(-window).flat());
    for (const [extent, { by }] of hot) {
      if (by <= seq && !named.has(extent)) return `page ${seq} has forgotten extent ${extent}`;
    }
    if ((ring.at(-1)?.length ?? 0) < Math.min(hot.size, perPage)) return `page ${seq} has room`;
  }
  return null;
}

describe('the pages of a journal', () => {
  it('name with those that they need all that is hot, and each extent when it was promised', () => {
    fc.assert(
      fc.property(setup, (run) => {
        expect(broken(run)).toBe(null);
      }),
      { numRuns: 2000 },
    );
  });

  it('need as few of those before them as can be, in the long run', () => {
    const naming = new Naming(4096, 896, NO_BUGS);
    const extents = new Uint32Array(4096);
    const into = new Uint32Array(896);
    for (let place = 0; place < 4096; place += 1) naming.add(place);
    for (let seq = 1; seq <= 20; seq += 1) {
      expect(naming.some(seq, extents, into)).toBe(896);
      // Each page, as one write at a time would have it: one goes cold, another becomes hot.
      naming.remove(seq);
      expect(naming.add(seq)).toBeLessThanOrEqual(10);
    }
    expect(naming.window(20)).toBe(5);
  });

  it('need none but themselves as soon as one has room for all', () => {
    const naming = new Naming(10, 4, NO_BUGS);
    for (let place = 0; place < 10; place += 1) naming.add(place);
    for (const seq of [1, 2, 3, 4]) naming.some(seq, new Uint32Array(10), new Uint32Array(4));
    expect(naming.window(4)).toBe(3);
    for (let place = 0; place < 6; place += 1) naming.remove(place);
    naming.all(5);
    expect(naming.window(5)).toBe(1);
    expect(naming.window(7)).toBe(3);
  });

  it('can be as many as the ring has room for, whatever becomes hot and cold', () => {
    expect(namedMax(896, 4)).toBe(1344);
    expect(namedMax(896, 32)).toBe(13_888);
    expect(namedMax(5, 4)).toBe(6);
  });
});

describe('a planted bug of naming', () => {
  for (const bug of ['namingForgets', 'namingCrowded', 'windowShort'] as const) {
    it(`is found: ${bug}`, () => {
      const runs = fc.sample(setup, { numRuns: 200, seed: 7 });
      expect(runs.some((run) => broken(run, { [bug]: true }) !== null)).toBe(true);
    });
  }
});
