import { describe, expect, it } from 'vitest';
import { PAGE_BYTES, Status } from '../../../engine/data/abi.ts';
import type { DataReport } from '../../../engine/data/messages.ts';
import {
  decodeSuperblock,
  formatMetadata,
  metadataLayout,
} from '../../../engine/mirror/metadata.ts';
import { PATH_LOST } from '../../../engine/mirror/path.ts';
import { rottenJournal, watched } from '../../support/mirror-cases.ts';
import { PAIR_CONFIG, type Pair } from '../../support/mirror-pair.ts';
import { started } from '../../support/mirror-swarm.ts';

const layout = metadataLayout(PAIR_CONFIG);

/** A pair whose host 2 restarts with its metadata pages changed by `damage`. */
function restarted(damage: (meta: Map<number, Uint8Array>) => void): Pair {
  const pair = started(5);
  pair.runFor(200_000);
  pair.powerOff(2);
  pair.runFor(100_000);
  damage(pair.hosts[1].meta);
  pair.powerOn(2);
  pair.runFor(50_000);
  return pair;
}

const spoil = (meta: Map<number, Uint8Array>, page: number): void => {
  const bytes = (meta.get(page) as Uint8Array).slice();
  bytes.fill(0xee, 512, 1024);
  meta.set(page, bytes);
};

describe('the store', () => {
  it('attaches from the other slot when one superblock is torn', () => {
    for (const page of [layout.slotA, layout.slotB]) {
      const pair = restarted((meta) => spoil(meta, page));
      expect(pair.marks.has('mirror.meta.one-slot')).toBe(true);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('never guesses when neither slot can be read', () => {
    const pair = restarted((meta) => {
      spoil(meta, layout.slotA);
      spoil(meta, layout.slotB);
    });
    expect(pair.hosts[1].disk).toBe('Failed');
    expect(pair.log.some((line) => line.includes('refused 2 unreadable'))).toBe(true);
  });

  it('says of a replica that does not answer that it may come back, and so it does', () => {
    const { slotA, slotB } = layout;
    const cases: readonly (readonly ['writes' | readonly (readonly [number, number])[], string])[] =
      [
        // EIO in both places says nothing of what is there.
        [[slotA, slotB].map((page) => [page, Status.Io]), 'path'],
        [[[slotB, PATH_LOST]], 'path'],
        [[[layout.journal, PATH_LOST]], 'path'],
        // So does the first write, which is where Linux tells of those that nobody heard of.
        ['writes', 'path'],
        // The medium has lost both: nobody brings them back.
        [[slotA, slotB].map((page) => [page, Status.Medium]), 'disk'],
        [[[slotA, Status.Io]], 'well'],
      ];
    for (const [errors, expected] of cases) {
      const pair = started(5);
      const host = pair.hosts[1];
      pair.runFor(200_000);
      pair.powerOff(2);
      pair.runFor(100_000);
      if (errors === 'writes') host.metaBroken = true;
      else for (const [page, status] of errors) host.metaErrors.set(page, status);
      const seen = watched(pair);
      pair.powerOn(2);
      pair.runFor(50_000);
      const said = seen.filter(({ node, report }) => node === 2 && report.kind === 'state');
      const last = said[said.length - 1]?.report as Extract<DataReport, { kind: 'state' }>;
      const lost = last.pathLost === true ? 'path' : 'disk';
      expect([errors, last.disk === 'Failed' ? lost : 'well']).toEqual([errors, expected]);
      host.metaErrors.clear();
      host.metaBroken = false;
      pair.crashCore(2, 5_000);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('refuses the replica of another volume or host, and says which', () => {
    const cases = [
      [{ ...PAIR_CONFIG, uuid: 'f'.repeat(32) }, 2, 'other-volume'],
      [{ ...PAIR_CONFIG, sizeBytes: 16 * 1024 * 1024 }, 2, 'size'],
      [PAIR_CONFIG, 1, 'other-node'],
    ] as const;
    for (const [config, node, reason] of cases) {
      const pair = restarted((meta) => {
        const pages = formatMetadata(config, node, 9, 'UpToDate');
        for (const { page, bytes } of pages) if (page < layout.pages) meta.set(page, bytes);
      });
      expect(pair.hosts[1].disk).toBe('Failed');
      expect(pair.log.some((line) => line.includes(`refused 2 ${reason}`))).toBe(true);
    }
  });

  it('takes every block of a damaged map page for dirty, and heals', () => {
    const pair = restarted((meta) => spoil(meta, layout.map));
    expect(pair.marks.has('mirror.meta.bad-map-page')).toBe(true);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('takes the whole volume for dirty when the journal lost more than a torn block', () => {
    const pair = restarted((meta) => {
      for (let i = 0; i < layout.journalPages; i += 1) spoil(meta, layout.journal + i);
    });
    expect(pair.marks.has('mirror.meta.journal-lost')).toBe(true);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('still takes the whole volume for dirty after the restart that follows', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const { pair, dirty } = rottenJournal(seed);
      expect(pair.marks.has('mirror.meta.journal-lost')).toBe(true);
      expect(dirty).toEqual([2048, 2048]);
      expect(pair.violations).toEqual([]);
    }
  });

  it('writes the slot of the lower sequence, so that the newest is never at risk', () => {
    const pair = started(6);
    pair.runFor(200_000);
    pair.cut();
    pair.runFor(300_000);
    pair.heal();
    pair.settle();
    for (const h of pair.hosts) {
      const seqs = [layout.slotA, layout.slotB].map((page) => {
        const bytes = h.meta.get(page) as Uint8Array;
        expect(bytes).toHaveLength(PAGE_BYTES);
        const read = decodeSuperblock(PAIR_CONFIG, h.node, page, bytes);
        return read.ok ? read.block.seq : -9;
      }) as [number, number];
      expect(Math.abs(seqs[0] - seqs[1])).toBe(1);
      expect(Math.max(...seqs)).toBeGreaterThan(3);
    }
  });
});
