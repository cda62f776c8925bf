import { describe, expect, it } from 'vitest';
import {
  type Agreed,
  agreedWith,
  begunOf,
  type ConfigChange,
  doneOf,
  NOTHING_AGREED,
} from '../../../engine/cluster/changes.ts';
import type { Entry } from '../../../engine/cluster/entries.ts';
import { unitsOf } from '../../../engine/cluster/groups.ts';
import type { Links } from '../../../engine/cluster/heartbeat.ts';
import type { Want } from '../../../engine/cluster/messages.ts';
import type { Candidate } from '../../../engine/cluster/placement.ts';
import type { Proposals } from '../../../engine/cluster/proposals.ts';
import { Upkeep } from '../../../engine/cluster/upkeep.ts';
import type { Views } from '../../../engine/cluster/views.ts';
import type { DiskState } from '../../../engine/data/messages.ts';
import {
  CONFIG,
  candidateOf,
  contextOf,
  factsOf,
  OWNED,
  onlyGroup,
  onlyRecord,
} from '../../support/control-fixtures.ts';
import { ControlNet, S } from '../../support/control-net.ts';

function formed(seed: number): ControlNet {
  const net = new ControlNet({ seed });
  net.await(() => net.whole(), 20 * S);
  net.pass(S);
  return net;
}

describe('upkeep', () => {
  it('renews the generation when the in-sync set shrinks, and keeps it when it grows', () => {
    const net = formed(1);
    const before = net.record(1);
    net.cutData();
    net.pass(2 * S);
    const alone = net.record(1);
    expect(alone?.members.map((m) => m.node)).toEqual([1]);
    expect(alone?.generation).not.toBe(before?.generation);
    net.heal();
    expect(net.await(() => net.whole(), 10 * S)).toBe(true);
    expect(net.record(1)?.generation).toBe(alone?.generation);
    expect(net.record(1)?.epoch).toBeGreaterThan(alone?.epoch ?? 0);
  });

  it('brings a removal to the new leader when the leader changes while it is pending', () => {
    for (let seed = 2; seed < 12; seed++) {
      const net = formed(seed);
      net.killCore(net.leader() === 1 ? 3 : net.leader());
      net.cutData();
      net.pass(6 * S);
      for (const node of [1, 2, 3]) net.startCore(node);
      net.pass(3 * S);
      expect(net.record(net.runningOn())?.members.map((m) => m.node)).toEqual([net.runningOn()]);
      net.heal();
      expect(net.await(() => net.whole(), 20 * S)).toBe(true);
      expect(net.violations).toEqual([]);
    }
  });

  it('admits a replica in the life that was copied to, or not at all', () => {
    const net = formed(3);
    net.powerOff(2);
    net.pass(3 * S);
    net.powerOn(2);
    expect(net.await(() => net.whole(), 10 * S)).toBe(true);
    const member = net.record(1)?.members.find((m) => m.node === 2);
    expect(member?.boot).toBe(net.host(2).boot);
  });

  it('lets a node renew again about which the voters attested in vain', () => {
    const net = formed(4);
    net.powerOff(2);
    net.pass(4 * S);
    net.powerOn(2);
    net.cutData();
    net.pass(2 * S);
    net.isolate(1);
    net.pass(8 * S);
    expect(net.ofKind('lease.attested').length).toBeGreaterThanOrEqual(2);
    net.heal();
    expect(net.await(() => net.whole(), 20 * S)).toBe(true);
    expect(net.ofKind('lease.settled').length).toBeGreaterThan(0);
    expect(net.violations).toEqual([]);
  });

  it('writes down every boot it hears of', () => {
    const net = formed(5);
    net.powerOff(3);
    net.powerOn(3);
    net.pass(4 * S);
    const known = net.ofKind('boot.known').map((event) => event.d['boot']);
    expect(known).toContain(net.host(3).boot);
  });
});

describe('a wish for another in-sync set', () => {
  const record = onlyRecord(OWNED);
  const [mine, other] = record.members;
  const unit = unitsOf(CONFIG)[0];
  if (unit === undefined || mine === undefined || other === undefined) throw new Error('no unit');

  /** The members proposed when node 1 wishes for `wished`, null when nothing is. */
  function proposed(
    members: typeof record.members,
    wished: typeof record.members,
    disks: readonly [DiskState, DiskState],
    reason: Want['reason'] = 'peer-lost',
    proxies = false,
    more: { readonly device?: number; readonly agreed?: Agreed; readonly bug?: boolean } = {},
  ): readonly number[] | null {
    const want: Want = { epoch: record.epoch, members: wished, reason, cause: '' };
    const candidate = (node: number): Candidate => {
      const facts = factsOf(node, disks[node - 1]);
      const volumes = facts.volumes.map((volume) => ({
        ...volume,
        ...(proxies ? { proxies } : {}),
        ...(node === 2 && more.device !== undefined ? { device: more.device } : {}),
        want: node === 1 ? want : null,
      }));
      return candidateOf(node, { facts: { ...facts, volumes } });
    };
    const entries: Entry[] = [];
    const { agreed } = more;
    const state = agreed === undefined ? OWNED : { ...OWNED, agreed };
    const upkeep = new Upkeep(
      contextOf(3, more.bug === true ? ['other-disk-counts'] : []).context,
      {} as Links,
      { candidate } as unknown as Views,
      { propose: (entry: Entry) => entries.push(entry) } as unknown as Proposals,
      () => state,
    );
    if (unit === undefined) return null;
    upkeep.wants(unit, onlyGroup(OWNED), { ...record, members });
    const [entry] = entries;
    return entry?.kind === 'volume' ? entry.record.members.map(({ node }) => node) : null;
  }

  // A host that lost its folder has an earlier disk open, and what was heard of it before is of the
  // other one: that it has the change in use by which that one counts.
  it('admits the disk that was copied to, if that is the one that its node says it has', () => {
    const admitted = (
      disk: number | undefined,
      device: number | undefined,
      bug = false,
      agreed: Agreed = NOTHING_AGREED,
    ) => {
      const copied = disk === undefined ? other : { ...other, disk };
      const told = device === undefined ? {} : { device };
      const more = { ...told, agreed, bug };
      const both = [mine, copied];
      return proposed([mine], both, ['UpToDate', 'UpToDate'], 'resync-done', false, more);
    };
    expect(admitted(7, 7)).toEqual([1, 2]);
    for (const [disk, device] of [
      [7, 8],
      [7, undefined],
      [undefined, 7],
      [0, 0],
    ] as const) {
      expect([disk, device, admitted(disk, device)]).toEqual([disk, device, null]);
      expect(admitted(disk, device, true)).toEqual([1, 2]);
    }
    // Nobody is admitted who holds no replica by what is agreed on.
    const gone = { kind: 'remove-replica', volume: record.volume, node: 2 } as const;
    const left = doneOf(begunOf(agreedWith(NOTHING_AGREED, gone)));
    expect(admitted(7, 7, false, left)).toBe(null);
    // Nor is it proposed what the log would refuse: again and again, with each heartbeat.
    const own = { kind: 'replace-replica', volume: record.volume, node: 2, path: '/n', meta: '' };
    const open = agreedWith(NOTHING_AGREED, own as ConfigChange);
    expect(admitted(7, 7, false, begunOf(open))).toBe(null);
    expect(admitted(7, 7, false, doneOf(begunOf(open)))).toBe(null);
    // Where nothing was ever changed online nobody says it.
    expect(proposed([mine], [mine, other], ['UpToDate', 'UpToDate'], 'resync-done')).toEqual([
      1, 2,
    ]);
  });

  it('leaves nobody out for a primary whose disk has failed', () => {
    expect(proposed([mine, other], [mine], ['UpToDate', 'UpToDate'])).toEqual([1]);
    expect(proposed([mine, other], [mine], ['Failed', 'UpToDate'])).toBe(null);
  });

  it('leaves a primary out by its own wish, when its disk has failed and it goes on', () => {
    const wish = (wished: typeof record.members, disk: DiskState, proxies: boolean) =>
      proposed([mine, other], wished, [disk, 'UpToDate'], 'disk-failed', proxies);
    expect(wish([other], 'Failed', true)).toEqual([2]);
    // It has ended meanwhile, or it is another wish than that.
    expect(wish([other], 'Failed', false)).toBe(null);
    expect(wish([mine, other], 'Failed', true)).toBe(null);
    expect(wish([], 'Failed', true)).toBe(null);
    // Somebody else is not taken in on that occasion, nor the same host in another life.
    expect(wish([{ ...other, boot: 99 }], 'Failed', true)).toEqual([2]);
    expect(wish([other, { node: 3, boot: 13 }], 'Failed', true)).toBe(null);
    expect(proposed([mine, other], [other], ['UpToDate', 'UpToDate'])).toBe(null);
  });

  it('admits nobody whose disk has failed', () => {
    expect(proposed([mine], [mine, other], ['UpToDate', 'Consistent'])).toEqual([1, 2]);
    expect(proposed([mine], [mine, other], ['UpToDate', 'Failed'])).toBe(null);
  });
});
