import { describe, expect, it } from 'vitest';
import { slotCount } from '../../../engine/data/abi.ts';
import { DataMemory } from '../../../engine/data/memory.ts';
import type { ReplicaView } from '../../../engine/mirror/compare.ts';
import { diskTag, NO_DISK } from '../../../engine/mirror/generation.ts';
import { Mode } from '../../../engine/mirror/mode.ts';
import { type Partner, Partners } from '../../../engine/mirror/partner.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { Slots } from '../../../engine/mirror/request.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';
import { Turn } from '../../../engine/mirror/turn.ts';
import { LAYOUT } from '../../support/mirror-hosts.ts';
import { PAIR_CONFIG } from '../../support/mirror-pair.ts';

const [OWN, HERS] = ['1'.repeat(32), '2'.repeat(32)];

function blockOf() {
  const other = { node: 3, shared: 5, padded: -1, disk: 0 };
  const lineage = { generation: 6, parents: [5], peerGeneration: 5, peerDisk: 0 };
  return { device: OWN, ...lineage, padded: -1, others: [other] };
}

/** Two partners of node 1, whose links this test sets as it likes. */
function partners(canaries: readonly string[] = []): {
  all: Partners;
  two: Partner;
  three: Partner;
} {
  const turn = new Turn(new DataMemory(LAYOUT), { inbox: [], outbox: [] }, 1, 1, 'v', () => {});
  const canary = canarySwitches(new Set(canaries));
  const slots = new Slots(slotCount(LAYOUT));
  const parts = {
    turn,
    config: PAIR_CONFIG,
    canary,
    slots,
    state: { node: 1 },
    store: { block: blockOf() },
  } as unknown as Parts;
  const all = new Partners(parts, [2, 3]);
  return { all, two: all.at(2) as Partner, three: all.at(3) as Partner };
}

describe('partners', () => {
  it('are found by their node and by the link that is theirs now', () => {
    const { all, two, three } = partners();
    two.link.id = 7;
    three.link.id = 8;
    expect([all.on(7), all.on(8), all.on(9)]).toEqual([two, three, null]);
    expect([all.first, all.at(4)]).toEqual([two, null]);
  });

  it('are missed when one that must have every write cannot be sent any', () => {
    const { all, two, three } = partners();
    expect([all.required, all.missed, all.mirrored]).toEqual([false, false, false]);
    two.required = true;
    three.required = true;
    two.link.mode = Mode.Sync;
    expect([all.missed, all.mirrored, all.inStep]).toEqual([true, true, two]);
    three.required = false;
    expect([all.required, all.missed]).toEqual([true, false]);
    all.release();
    expect(all.required).toBe(false);
  });

  it('keep what may differ apart: what is marked or cleared for one is not for the other', () => {
    const { all, two, three } = partners();
    two.map.mark(5);
    three.map.mark(5);
    two.map.clear(5);
    expect([two.map.dirty, three.map.dirty, all.dirty]).toEqual([0, 1, 1]);
  });

  it('fit where each has a map of the disk that the other one has, and no other', () => {
    const fits = (about: number, device: number, theirs: number, bugs: readonly string[] = []) => {
      const { two, three } = partners(bugs);
      const view = { generation: 5, parents: [], device, about: theirs } as unknown as ReplicaView;
      for (const each of [two, three]) each.isNow(5, about);
      expect(two.fits(view)).toBe(three.fits(view));
      return two.fits(view);
    };
    const [own, hers] = [diskTag(OWN), diskTag(HERS)];
    expect(fits(hers, hers, own)).toBe(true);
    expect([fits(own, hers, own), fits(hers, hers, hers)]).toEqual([false, false]);
    expect([fits(NO_DISK, hers, own), fits(hers, hers, NO_DISK)]).toEqual([false, false]);
    // Programs that note no disks go by generations.
    expect([fits(0, hers, own), fits(hers, hers, 0), fits(hers, 0, 0)]).toEqual([true, true, true]);
    const bug = ['disk-unchecked'];
    expect([fits(own, hers, own, bug), fits(hers, hers, hers, bug)]).toEqual([true, true]);
  });

  it('note the disk that said it is there in that boot', () => {
    const { two } = partners();
    Object.assign(two.link, { id: 7, peerBoot: 21, peerDisk: 9 });
    expect([two.diskIn(21), two.diskIn(22)]).toEqual([9, NO_DISK]);
    two.link.id = 0;
    expect(two.diskIn(21)).toBe(NO_DISK);
    two.isNow(6, 9);
    expect([two.known, two.isOf(9), two.isOf(8)]).toEqual([{ shared: 6, about: 9 }, true, false]);
  });

  it('lose their link when they leave, and may have another when they stay after all', () => {
    const { two, three } = partners();
    const said: string[] = [];
    two.link.drop = (reason: string): void => void said.push(`drop ${reason}`);
    two.link.again = (): void => void said.push('again');
    for (const leaving of [true, true, false, false]) two.part(leaving);
    expect(said).toEqual(['drop leaves', 'again']);
    expect([two.leaving, three.leaving]).toEqual([false, false]);
  });

  it('are in a record with the disk, and in the boot, that it names', () => {
    const isIn = (boot: number, disk?: number, bugs: readonly string[] = []): boolean => {
      const { two } = partners(bugs);
      Object.assign(two.link, { peerBoot: 21, peerDisk: 9 });
      const member = disk === undefined ? { node: 2, boot } : { node: 2, boot, disk };
      return two.isIn({ volume: 'v', epoch: 3, primary: 1, generation: 5, members: [member] });
    };
    expect([isIn(21), isIn(21, 9), isIn(21, 8), isIn(22, 9)]).toEqual([true, true, false, false]);
    expect(isIn(21, 8, ['other-disk-admitted'])).toBe(true);
  });

  // What completes with the one on the link would be on no member, if the log admits the other one.
  it('are open as long as the log may admit another disk than the one on the link', () => {
    const isOpen = (wished: number, required: boolean, bugs: readonly string[] = []): boolean => {
      const { two } = partners(bugs);
      Object.assign(two.link, { peerDisk: 9 });
      Object.assign(two, { wished, required });
      return two.isOpen;
    };
    expect([isOpen(8, true), isOpen(9, true), isOpen(8, false)]).toEqual([true, false, false]);
    expect(isOpen(8, true, ['other-disk-admitted'])).toBe(false);
  });

  it('have one leader at most: whose writes are taken', () => {
    const { all, three } = partners();
    expect(all.leader).toBe(null);
    three.link.mode = Mode.Target;
    expect(all.leader).toBe(three);
  });
});
