import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import { PAGE_WORDS } from '../../../engine/mirror/block-map.ts';
import type { MirrorConfig } from '../../../engine/mirror/config.ts';
import { Feature } from '../../../engine/mirror/features.ts';
import { APART, NO_DISK } from '../../../engine/mirror/generation.ts';
import { decodeJournal, encodeJournal } from '../../../engine/mirror/journal.ts';
import {
  chooseSuperblock,
  DiskFlag,
  decodeMapPage,
  decodeSuperblock,
  encodeMapPage,
  encodeSuperblock,
  formatMetadata,
  metadataLayout,
  metadataPages,
  PARENTS_MAX,
  PARENTS_READ,
  type Superblock,
} from '../../../engine/mirror/metadata.ts';
import { type Claims, deviceBytes, noClaims } from '../../../engine/mirror/page.ts';
import { type Relayout, relayout, relayoutOutlook } from '../../../engine/mirror/relayout.ts';
import {
  decodeTable,
  encodeTable,
  spareLayout,
  usedBy,
} from '../../../engine/mirror/spare-table.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';
import { PAIR_CONFIG } from '../../support/mirror-pair.ts';

const SELF = 1;
const planted = (bug: string) => canarySwitches(new Set([bug]));
const DEVICE = '0123456789abcdef'.repeat(2);
const device = deviceBytes(DEVICE);
const HOT = [3, 1];

function configOf(nodes: readonly number[], layout = 0): MirrorConfig {
  // Small distances, so that the maps' pages move the second slot and all that is behind it.
  const plain = { ...PAIR_CONFIG, nodes, slotDistance: 1, journalPages: 8 };
  return layout === 0 ? plain : { ...plain, layout };
}

/** A metadata area as `config` has it, by page. */
class Area {
  readonly pages = new Map<number, Uint8Array>();
  readonly read = (page: number): Uint8Array | null => this.pages.get(page) ?? null;

  put(pages: readonly { readonly page: number; readonly bytes: Uint8Array }[]): void {
    for (const { page, bytes } of pages) this.pages.set(page, bytes.slice());
  }
}

interface Story {
  /** What is dirty towards each partner, in their order. */
  readonly words: readonly Uint32Array[];
  readonly block?: Partial<Superblock>;
  readonly claims?: Partial<Claims>;
}

/** An area that was in use: written maps, a hot set, a lineage. */
function areaOf(config: MirrorConfig, { words, block, claims }: Story): Area {
  const area = new Area();
  area.put(formatMetadata(config, SELF, 5, 'UpToDate', DEVICE));
  const layout = metadataLayout(config);
  const bytes = new Uint8Array(PAGE_BYTES);
  for (const [at, dirty] of words.entries()) {
    encodeMapPage(device, layout.map + at, at, 7 + at, noClaims(), dirty, bytes);
    area.put([{ page: layout.map + at, bytes }]);
  }
  const seq = layout.journalPages + 1;
  const at = layout.journal + (seq % layout.journalPages);
  encodeJournal(device, at, seq, noClaims(), Uint32Array.from(HOT), HOT.length, 1, bytes);
  area.put([{ page: at, bytes }]);
  const partners = config.nodes.filter((node) => node !== SELF);
  const own = slotOf(config, area);
  const lived: Superblock = {
    ...own,
    boot: 77,
    epoch: 9,
    generation: 6,
    parents: [5, 4],
    peerGeneration: 4,
    padded: 3,
    peerDisk: 899,
    others: partners
      .slice(1)
      .map((node) => ({ node, shared: 40 + node, padded: node, disk: 900 + node })),
    ...block,
  };
  const told = { superblock: 0, journal: seq, mapWrites: 0, ...claims };
  for (const [i, page] of [layout.slotA, layout.slotB].entries()) {
    encodeSuperblock(config, page, { ...lived, seq: lived.seq + i }, told, bytes);
    area.put([{ page, bytes }]);
  }
  return area;
}

function slotOf(config: MirrorConfig, area: Area): Superblock {
  const { slotA, slotB } = metadataLayout(config);
  const slot = (page: number) => {
    return decodeSuperblock(config, SELF, page, area.read(page) ?? new Uint8Array(0));
  };
  const chosen = chooseSuperblock(slot(slotA), slot(slotB));
  if (!chosen.ok) throw new Error(chosen.fault);
  return chosen.block;
}

function mapOf(config: MirrorConfig, area: Area, node: number): Uint32Array {
  const { map } = metadataLayout(config);
  const index = config.nodes.filter((each) => each !== SELF).indexOf(node);
  const words = new Uint32Array(PAGE_WORDS);
  const page = area.read(map + index) as Uint8Array;
  if (decodeMapPage(device, map + index, index, page, words) === null) throw new Error('map');
  return words;
}

type Change = { readonly from: MirrorConfig; readonly to: MirrorConfig };
type Bugs = Parameters<typeof relayout>[4];

function isWhole(config: MirrorConfig, area: Area): boolean {
  try {
    slotOf(config, area);
    return true;
  } catch {
    return false;
  }
}

/** What an attach would make of it: a page that cannot be read names everything. */
function dirtyOf(config: MirrorConfig, area: Area, node: number): Uint32Array {
  try {
    return mapOf(config, area, node);
  } catch {
    return ALL;
  }
}

/** In the order in which they are written. */
function pagesOf(done: Relayout): readonly { page: number; bytes: Uint8Array }[] {
  if (done.kind !== 'convert') throw new Error(done.kind);
  return [...done.voided, ...done.marked, ...done.pages];
}

function converted(done: Relayout, area: Area): Area {
  if (done.kind !== 'convert') throw new Error(done.kind);
  area.put(pagesOf(done));
  return area;
}

const bits = (seed: number): Uint32Array => {
  return Uint32Array.from({ length: PAGE_WORDS }, (_, i) => Math.imul(seed + i, 0x9e3779b1) >>> 0);
};
const ALL = new Uint32Array(PAGE_WORDS).fill(0xffffffff);

/** Two sets of two to four holders, which may have nobody but this one in common. */
const holders = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 2, max: 6 }), { minLength: 1, maxLength: 3 }),
    fc.uniqueArray(fc.integer({ min: 2, max: 6 }), { minLength: 1, maxLength: 3 }),
  )
  .map(([before, after]) => {
    const sorted = (nodes: number[]) => [SELF, ...nodes].sort((a, b) => a - b);
    return { from: configOf(sorted(before)), to: configOf(sorted(after), 4) };
  });

describe('metadata that are laid out for other holders', () => {
  it('keep what is known of those that stay, and know nothing of who is new', () => {
    fc.assert(
      fc.property(holders, fc.nat(1000), ({ from, to }, seed) => {
        const words = from.nodes.slice(1).map((node) => bits(seed + node));
        const area = areaOf(from, { words });
        const before = slotOf(from, area);
        converted(relayout(from, to, SELF, area.read), area);
        const after = slotOf(to, area);
        const { generation, parents, epoch, boot, flags } = after;
        expect({ generation, parents, epoch, boot, flags }).toEqual({
          generation: before.generation,
          parents: before.parents,
          epoch: before.epoch,
          boot: before.boot,
          flags: before.flags,
        });
        expect(after.layout).toBe(4);
        const told = (block: Superblock, config: MirrorConfig, node: number) => {
          const index = config.nodes.filter((each) => each !== SELF).indexOf(node);
          const { peerGeneration: shared, padded, peerDisk: disk } = block;
          if (index < 0) return { shared: APART, padded: -1, disk: NO_DISK };
          if (index === 0) return { shared, padded, disk };
          const other = block.others[index - 1];
          return { shared: other?.shared, padded: other?.padded, disk: other?.disk };
        };
        for (const node of to.nodes.filter((each) => each !== SELF)) {
          expect(told(after, to, node)).toEqual(told(before, from, node));
          const stays = from.nodes.includes(node);
          expect(mapOf(to, area, node)).toEqual(stays ? bits(seed + node) : ALL);
        }
      }),
    );
  });

  it('have room beside the names of the holders for what programs of before remembered', () => {
    const [pair, four] = [configOf([1, 2]), configOf([1, 2, 3, 4], 4)];
    // The oldest one is what the other replica may still have.
    const parents = Array.from({ length: PARENTS_READ }, (_, i) => 100 + i);
    const block = { parents, peerGeneration: 131 };
    const area = areaOf(pair, { words: [bits(1)], block });
    converted(relayout(pair, four, SELF, area.read), area);
    const after = slotOf(four, area).parents;
    expect([after.length, after.at(0), after.at(-1)]).toEqual([PARENTS_MAX, 100, 131]);
  });

  it('keep the hot set, and claim no more of each other than is there', () => {
    fc.assert(
      fc.property(holders, ({ from, to }) => {
        const words = from.nodes.slice(1).map((node) => bits(node));
        const area = areaOf(from, { words, claims: { mapWrites: 8 } });
        converted(relayout(from, to, SELF, area.read), area);
        const layout = metadataLayout(to);
        const pages = Array.from({ length: layout.journalPages }, (_, i) => {
          return decodeJournal(
            device,
            layout.journal + i,
            area.read(layout.journal + i) as Uint8Array,
          );
        });
        const newest = Math.max(...pages.map((page) => page?.seq ?? -1));
        expect(pages.find((page) => page?.seq === newest)?.extents).toEqual(HOT);
        let sum = 0;
        for (let at = 0; at < layout.mapPages; at += 1) {
          const page = area.read(layout.map + at) as Uint8Array;
          const read = decodeMapPage(
            device,
            layout.map + at,
            at,
            page,
            new Uint32Array(PAGE_WORDS),
          );
          sum += read?.seq ?? 0;
          expect((read?.claims.superblock ?? 0) <= slotOf(to, area).seq).toBe(true);
        }
        for (const at of [layout.slotA, layout.slotB]) {
          const read = decodeSuperblock(to, SELF, at, area.read(at) as Uint8Array);
          expect(read.ok && read.claims.mapWrites === sum && read.claims.journal <= newest).toBe(
            true,
          );
        }
      }),
    );
  });

  it('are as long as a new area would be, and have an empty table of spare blocks', () => {
    fc.assert(
      fc.property(holders, ({ from, to }) => {
        const area = areaOf(from, { words: [] });
        const done = relayout(from, to, SELF, area.read);
        expect(done.kind === 'convert' && done.area === metadataPages(to)).toBe(true);
        const outlook = relayoutOutlook(from, to, SELF, area.read);
        expect(outlook).toEqual({ kind: 'possible', area: metadataPages(to) });
        converted(done, area);
        const spare = spareLayout(to, metadataLayout(to).pages);
        for (const copy of [spare.copyA, spare.copyB]) {
          const table = decodeTable(device, copy, 0, area.read(copy) as Uint8Array);
          expect(table?.entries).toBe(null);
        }
        expect(slotOf(to, area).remaps).toBe(spare.tablePages);
      }),
    );
  });

  const [from, to] = [configOf([1, 2, 3]), configOf([1, 2, 3, 4], 2)];

  it('count what cannot be read as dirty, and everything where a write was lost', () => {
    const words = [bits(1), bits(2)];
    const torn = areaOf(from, { words });
    torn.pages.delete(metadataLayout(from).map + 1);
    converted(relayout(from, to, SELF, torn.read), torn);
    expect(mapOf(to, torn, 2)).toEqual(bits(1));
    expect(mapOf(to, torn, 3)).toEqual(ALL);
    // 7 and 8 writes of the two pages are found.
    const stale = areaOf(from, { words, claims: { mapWrites: 16 } });
    converted(relayout(from, to, SELF, stale.read), stale);
    expect(mapOf(to, stale, 2)).toEqual(ALL);
    const lost = areaOf(from, { words, claims: { journal: 11 } });
    converted(relayout(from, to, SELF, lost.read), lost);
    expect(mapOf(to, lost, 3)).toEqual(ALL);
    // With the guard off, this is what would be forgotten.
    const bug = areaOf(from, { words });
    converted(relayout(from, to, SELF, bug.read, planted('relayout-clean')), bug);
    expect(mapOf(to, bug, 2)).toEqual(new Uint32Array(PAGE_WORDS));
  });

  it('are left alone where they are laid out so, or belong to another', () => {
    const area = areaOf(to, { words: [], block: { layout: 2 } });
    expect(relayout(from, to, SELF, area.read)).toEqual({ kind: 'none' });
    expect(relayout(from, to, 2, area.read)).toEqual({ kind: 'none' });
    expect(relayout(from, to, SELF, () => null)).toEqual({
      kind: 'none',
    });
  });

  it('are not laid out anew for holders that are as many, but others, without being told', () => {
    // A pair names its partner nowhere on disk: only the agreement tells the two apart.
    const [pair, other] = [configOf([1, 2]), configOf([1, 3], 2)];
    const area = areaOf(pair, { words: [bits(5)] });
    converted(relayout(pair, other, SELF, area.read), area);
    expect(mapOf(other, area, 3)).toEqual(ALL);
    expect(slotOf(other, area).peerGeneration).toBe(APART);
  });

  it('are known again by whom they name, whichever agreement that was by', () => {
    const [pair, other] = [configOf([1, 2]), configOf([1, 3], 2)];
    const area = areaOf(pair, { words: [bits(5)] });
    converted(relayout(pair, other, SELF, area.read), area);
    // A cluster that was formed anew counts from the beginning.
    const kind = (config: MirrorConfig): string => relayout(pair, config, SELF, area.read).kind;
    expect(slotOf(configOf([1, 3]), area).layout).toBe(2);
    expect(slotOf(configOf([1, 3], 7), area).layout).toBe(7);
    expect(() => slotOf(configOf([1, 2]), area)).toThrow('layout');
    expect(() => slotOf(configOf([1, 4], 2), area)).toThrow('layout');
    expect(kind(configOf([1, 3]))).toBe('none');
  });

  it('tell themselves whom they were made for, whatever is believed of that', () => {
    fc.assert(
      fc.property(holders, holders, ({ from, to }, { to: next }) => {
        const area = areaOf(from, { words: [] });
        converted(relayout(from, to, SELF, area.read), area);
        const maps = to.nodes.map((node) => (node === SELF ? null : mapOf(to, area, node)));
        const { features } = slotOf(to, area);
        // A program of before must not take it for a replica whose holders never changed.
        expect(features.incompatible & Feature.Agreed).toBe(Feature.Agreed);
        const done = relayout(from, { ...next, layout: 9 }, SELF, area.read);
        const same = to.nodes.join() === next.nodes.join();
        expect(done.kind).toBe(same ? 'none' : 'convert');
        if (same) return;
        converted(done, area);
        for (const [index, node] of to.nodes.entries()) {
          if (node === SELF || !next.nodes.includes(node)) continue;
          expect(mapOf(next, area, node)).toEqual(maps[index]);
        }
      }),
    );
  });

  // With the folder of its host the plan is lost as well, and the area stays as it was left.
  describe('where laying out ended at any page, and is not gone on with', () => {
    const cutAt = (chance: number, { from, to }: Change, seed: number, bugs?: Bugs): boolean => {
      const words = from.nodes.slice(1).map((node) => bits(seed + node));
      const area = areaOf(from, { words });
      const done = relayout(from, to, SELF, area.read, bugs);
      const pages = pagesOf(done);
      area.put(pages.slice(0, chance % (pages.length + 1)));
      const again = relayout(from, to, SELF, area.read);
      if (again.kind === 'convert') area.put(pagesOf(again));
      if (!isWhole(to, area)) return true;
      return to.nodes.every((node) => {
        const known = from.nodes.includes(node) ? bits(seed + node) : ALL;
        const told = node === SELF ? ALL : dirtyOf(to, area, node);
        return told.every((word, i) => (word | (known[i] ?? 0)) >>> 0 === word);
      });
    };

    it('are refused, or forget nothing', () => {
      fc.assert(
        fc.property(holders, fc.nat(1000), fc.nat(), (story, seed, chance) =>
          cutAt(chance, story, seed),
        ),
        { numRuns: 300 },
      );
      // With the guard off, pages of two layouts pass for those of one.
      const story = { from: configOf([1, 2, 3, 4]), to: configOf([1, 3, 4], 4) };
      const bug = planted('relayout-unmarked');
      const cuts = Array.from({ length: 40 }, (_, cut) => cutAt(cut, story, 7, bug));
      expect(cuts).toContain(false);
    });
  });

  it('keep each page of each map, where a volume has several, up to its last block', () => {
    const perPage = PAGE_WORDS * 32;
    const count = fc.integer({ min: perPage + 1, max: 4 * perPage });
    fc.assert(
      fc.property(holders, count, fc.nat(1000), (story, blocks, seed) => {
        const sized = (config: MirrorConfig) => ({ ...config, sizeBytes: blocks * 4096 });
        const [from, to] = [sized(story.from), sized(story.to)];
        const each = Math.ceil(blocks / perPage);
        const partners = from.nodes.filter((node) => node !== SELF);
        const said = (node: number, page: number) => bits(seed + 100 * node + page);
        const words = partners.flatMap((node) =>
          Array.from({ length: each }, (_, page) => said(node, page)),
        );
        const area = areaOf(from, { words });
        converted(relayout(from, to, SELF, area.read), area);
        const { map } = metadataLayout(to);
        for (const [index, node] of to.nodes.filter((id) => id !== SELF).entries()) {
          for (let page = 0; page < each; page += 1) {
            const at = index * each + page;
            const found = new Uint32Array(PAGE_WORDS);
            const bytes = area.read(map + at) as Uint8Array;
            expect(decodeMapPage(device, map + at, at, bytes, found)).not.toBe(null);
            expect(found).toEqual(partners.includes(node) ? said(node, page) : ALL);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('stay as they are while blocks stand in the spare area, or nobody knows whether', () => {
    const spare = spareLayout(from, metadataLayout(from).pages);
    const table = (entries: Float64Array | null): Area => {
      const area = areaOf(from, { words: [], block: { flags: DiskFlag.Doubted } });
      const bytes = new Uint8Array(PAGE_BYTES);
      if (entries === null) bytes.fill(1);
      else encodeTable(device, spare.copyA, 0, 2, noClaims(), entries, bytes);
      area.put([{ page: spare.copyA, bytes }]);
      if (entries === null) area.put([{ page: spare.copyB, bytes }]);
      return area;
    };
    const one = new Float64Array((PAGE_BYTES - 64) / 8);
    one[0] = usedBy(12);
    const moved = { kind: 'refused', reason: 'moved-blocks' };
    expect(relayout(from, to, SELF, table(one).read)).toEqual(moved);
    const lost = { kind: 'refused', reason: 'spare' };
    expect(relayout(from, to, SELF, table(null).read)).toEqual(lost);
  });

  it('are not laid out anew with what the engine does not convert', () => {
    const area = areaOf(from, { words: [] });
    const no = { kind: 'refused', reason: 'not-plain' };
    expect(relayout(from, { ...to, sideBytes: 1 << 20 }, SELF, area.read)).toEqual(no);
  });
});
