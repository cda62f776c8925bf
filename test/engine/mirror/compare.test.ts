import { describe, expect, it } from 'vitest';
import type { Discard, DiskState } from '../../../engine/data/messages.ts';
import {
  type CompareCanary,
  type CompareReason,
  compareReplicas,
  decisionHash,
  type ReplicaView,
  type Verdict,
} from '../../../engine/mirror/compare.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';

const DISKS: readonly DiskState[] = [
  'Failed',
  'Inconsistent',
  'Outdated',
  'Consistent',
  'UpToDate',
];
/** Lineages that can meet: fresh, equal, child, grandchild, sibling, stranger. */
const LINES: readonly (readonly number[])[] = [[0], [5], [6, 5], [7, 6, 5], [8, 5], [9]];
const MIRRORED: { readonly [V in Verdict]: Verdict } = {
  none: 'none',
  source: 'target',
  target: 'source',
  'split-brain': 'split-brain',
  unrelated: 'unrelated',
  refuse: 'refuse',
};

function* views(node: number): Generator<ReplicaView> {
  for (const disk of DISKS) {
    for (const line of LINES) {
      for (const dirty of [0, 3]) {
        for (const rebooted of [false, true]) {
          for (const primary of [false, true]) {
            const [generation, ...parents] = line as readonly [number, ...number[]];
            yield {
              uuid: 'a'.repeat(32),
              sizeBytes: 4096,
              logicalBlock: 512,
              node,
              boot: node,
              epoch: 1,
              generation,
              parents,
              disk,
              dirty,
              rebooted,
              primary,
            };
          }
        }
      }
    }
  }
}

const all1 = [...views(1)];
const all2 = [...views(2)];

/** Every pair of views, each judged from both sides. */
function everyPair(check: (a: ReplicaView, b: ReplicaView, verdict: Verdict) => void): void {
  for (const a of all1) for (const b of all2) check(a, b, compareReplicas(a, b).verdict);
}

describe('comparison of two replicas', () => {
  it('is mirrored: a source here is a target there, and the hashes agree', () => {
    let wrong = 0;
    let n = 0;
    for (const a of all1) {
      for (const b of all2) {
        const here = compareReplicas(a, b);
        const there = compareReplicas(b, a);
        if (MIRRORED[here.verdict] !== there.verdict || here.reason !== there.reason) wrong += 1;
        n += 1;
        if (n % 37 !== 0) continue;
        if (decisionHash(a, b, here, 4) !== decisionHash(b, a, there, 4)) wrong += 1;
      }
    }
    expect(wrong).toBe(0);
  });

  it('never copies from a replica that is half copied, fresh or without a disk', () => {
    let wrong = 0;
    everyPair((a, b, verdict) => {
      const source = verdict === 'source' ? a : verdict === 'target' ? b : null;
      if (source === null) return;
      const bad = source.disk === 'Inconsistent' || source.disk === 'Failed';
      if (bad || source.generation === 0) wrong += 1;
    });
    expect(wrong).toBe(0);
  });

  it('never copies over data that the source has never seen', () => {
    let wrong = 0;
    everyPair((a, b, verdict) => {
      const pair = verdict === 'source' ? [a, b] : verdict === 'target' ? [b, a] : null;
      if (pair === null) return;
      const [source, target] = pair as [ReplicaView, ReplicaView];
      const known = [0, source.generation, ...source.parents].includes(target.generation);
      if (!known) wrong += 1;
    });
    expect(wrong).toBe(0);
  });

  it('calls replicas equal only when no block is dirty on either side (RULE-03)', () => {
    let wrong = 0;
    everyPair((a, b, verdict) => {
      if (verdict === 'none' && (a.dirty + b.dirty > 0 || a.generation !== b.generation))
        wrong += 1;
    });
    expect(wrong).toBe(0);
  });

  it('prefers among equals who did not lose power, however much changed (RULE-09)', () => {
    const wrong = (canary?: CompareCanary): number => {
      let count = 0;
      for (const a of all1) {
        for (const b of all2) {
          if (a.generation !== b.generation || a.disk !== b.disk || a.rebooted === b.rebooted) {
            continue;
          }
          const { verdict } = compareReplicas(a, b, canary);
          if (verdict === 'source' && a.rebooted) count += 1;
          if (verdict === 'target' && b.rebooted) count += 1;
        }
      }
      return count;
    };
    expect(wrong()).toBe(0);
    for (const id of ['fewer-changes-lose', 'survivor-yields']) {
      expect(wrong(canarySwitches(new Set([id])))).toBeGreaterThan(0);
    }
  });

  it('tells split brain from unrelated data and from another volume', () => {
    const at = (line: readonly number[], node: number, more: object = {}): ReplicaView => ({
      ...(all1[all1.length - 1] as ReplicaView),
      node,
      generation: line[0] as number,
      parents: line.slice(1),
      ...more,
    });
    expect(compareReplicas(at([6, 5], 1), at([8, 5], 2)).verdict).toBe('split-brain');
    expect(compareReplicas(at([6, 5], 1), at([9], 2)).verdict).toBe('unrelated');
    const other = compareReplicas(at([5], 1), at([5], 2, { uuid: 'b'.repeat(32) }));
    expect(other).toEqual({ verdict: 'refuse', reason: 'other-volume' });
    expect(compareReplicas(at([5], 1), at([5], 2, { sizeBytes: 8192 })).reason).toBe('other-size');
    expect(compareReplicas(at([5], 1), at([5], 2, { logicalBlock: 4096 })).reason).toBe(
      'other-block',
    );
  });

  it('gives a branch up only by an order that names exactly it and what is kept, mirrored', () => {
    let [wrong, resolved] = [0, 0];
    const sound = { rule03: false, survivorYields: false };
    const orders: Discard[] = [];
    for (const node of [1, 2, 3]) {
      for (const generation of [5, 6, 7, 8, 9]) {
        for (const keeps of [5, 6, 7, 8, 9]) {
          const atMost = (generation + keeps) % 3 === 0 ? -1 : keeps % 2;
          const confirmed = (node + generation + keeps) % 5 > 0;
          const named = { node, generation, keeps, order: 1, by: 'operator' } as const;
          orders.push({ ...named, atMost, confirmed });
        }
      }
    }
    let n = 0;
    for (const a of all1) {
      for (const b of all2) {
        const plain = compareReplicas(a, b).verdict;
        n += 1;
        const order = orders[n % orders.length] as Discard;
        const here = compareReplicas(a, b, sound, order);
        const there = compareReplicas(b, a, sound, order);
        if (MIRRORED[here.verdict] !== there.verdict || here.reason !== there.reason) wrong += 1;
        // An order changes nothing but what is to become of two branches, or of strangers.
        const apart = plain === 'split-brain' || plain === 'unrelated';
        if (!apart && here.verdict !== plain) wrong += 1;
        if (here.reason !== 'resolved') continue;
        resolved += 1;
        const [victim, kept] = order.node === 1 ? [a, b] : [b, a];
        const line = [kept.generation, ...kept.parents];
        if (victim.generation !== order.generation || !line.includes(order.keeps)) wrong += 1;
        if (kept.disk === 'Inconsistent') wrong += 1;
        if (!order.confirmed) wrong += 1;
        if (here.verdict !== (victim === a ? 'target' : 'source')) wrong += 1;
      }
    }
    expect(wrong).toBe(0);
    expect(resolved).toBeGreaterThan(100);
  });
});

/** One replica as a row of the table has it: its lineage, youngest first, and what differs. */
type Told = readonly [line: readonly number[], more?: Partial<ReplicaView>];
/** A row of the table of what two replicas conclude, and what self concludes by it. */
type Row = readonly [row: string, self: Told, peer: Told, verdict: Verdict, reason: CompareReason];

const HALF = { disk: 'Inconsistent' } as const;
const OUT = { disk: 'Outdated' } as const;
const LOST = { rebooted: true } as const;
const SOME = { dirty: 3 } as const;
const LEADS = { primary: true } as const;
const PRIMARY = 'equal-dirty-primary';
const SURVIVOR = 'equal-dirty-survivor';
const NODE = 'equal-dirty-node';
const ROWS: readonly Row[] = [
  ['2: neither was ever begun', [[0]], [[0]], 'refuse', 'both-fresh'],
  ['3: only self is fresh', [[0]], [[5]], 'target', 'fresh'],
  ['3: only the peer is fresh', [[5]], [[0]], 'source', 'fresh'],
  ['4: only the peer saw that the copy ended', [[5], HALF], [[5]], 'target', 'inconsistent'],
  ['4: only self saw that the copy ended', [[5]], [[5], HALF], 'source', 'inconsistent'],
  ['5: equal, and nothing is dirty', [[5]], [[5]], 'none', 'equal'],
  ['5: equal, with dirt here', [[5], SOME], [[5]], 'source', 'equal-dirty-node'],
  ['5: equal, with dirt there only', [[5]], [[5], SOME], 'source', 'equal-dirty-node'],
  ['5: equal, the primary of the record', [[5]], [[5], { ...SOME, ...LEADS }], 'target', PRIMARY],
  ['6: a primary crashed', [[5], { ...LOST, ...SOME, ...LEADS }], [[5]], 'target', SURVIVOR],
  ['7: the record left self behind', [[5], OUT], [[5], SOME], 'target', 'outdated'],
  ['7: the record left the peer behind', [[5], SOME], [[5], OUT], 'source', 'outdated'],
  ['8: the peer crashed', [[5]], [[5], { ...LOST, ...SOME, ...LEADS }], 'source', SURVIVOR],
  ['9: all power was lost', [[5], LOST], [[5], { ...LOST, ...LEADS, ...SOME }], 'target', PRIMARY],
  ['9: the same, and none leads', [[5], LOST], [[5], { ...LOST, ...SOME }], 'source', NODE],
  ['10: both up to date, both dirty', [[5], SOME], [[5], { dirty: 9 }], 'source', NODE],
  ['11: the peer went on from self', [[5]], [[6, 5]], 'target', 'descendant'],
  ['12: the same by another generation', [[5, 4]], [[7, 6, 5, 4]], 'target', 'descendant'],
  ['13: self went on from the peer', [[6, 5], SOME], [[5], SOME], 'source', 'descendant'],
  ['14: the same by another generation', [[7, 6, 5]], [[5]], 'source', 'descendant'],
  ['15: self is an ancestor by far', [[5]], [[9, 8, 7, 6, 5]], 'target', 'descendant'],
  ['15: an outdated descendant', [[6, 5], OUT], [[5], LOST], 'source', 'descendant'],
  ['16: both went on from one', [[6, 5], SOME], [[8, 5], SOME], 'split-brain', 'common-ancestor'],
  ['17: by far', [[7, 6, 5, 4]], [[9, 4]], 'split-brain', 'common-ancestor'],
  ['18: nothing in common', [[9]], [[6, 5]], 'unrelated', 'nothing-common'],
];

describe('the table of what two replicas conclude', () => {
  const view = (node: number, [line, more]: Told): ReplicaView => ({
    ...(all1[0] as ReplicaView),
    ...{ node, boot: node, disk: 'UpToDate', dirty: 0, rebooted: false, primary: false },
    ...{ generation: line[0] as number, parents: line.slice(1) },
    ...more,
  });

  for (const [row, self, peer, verdict, reason] of ROWS) {
    it(`is followed in row ${row}: ${verdict}, mirrored`, () => {
      const [a, b] = [view(1, self), view(2, peer)];
      expect(compareReplicas(a, b)).toEqual({ verdict, reason });
      expect(compareReplicas(b, a)).toEqual({ verdict: MIRRORED[verdict], reason });
    });
  }

  it('refuses nothing that it decides: only without disk, beginning, or whole source', () => {
    const wrong: string[] = [];
    for (const a of all1) {
      for (const b of all2) {
        const { verdict, reason } = compareReplicas(a, b);
        const failed = a.disk === 'Failed' || b.disk === 'Failed';
        const fresh = a.generation === 0 && b.generation === 0;
        const half = ({ disk }: ReplicaView): boolean => disk === 'Inconsistent';
        const aLeads = b.generation === 0 || a.parents.includes(b.generation);
        const bLeads = a.generation === 0 || b.parents.includes(a.generation);
        const equal = a.generation === b.generation;
        const noSource =
          (aLeads && half(a)) || (bLeads && half(b)) || (equal && half(a) && half(b));
        const why = failed ? 'no-disk' : fresh ? 'both-fresh' : noSource ? 'no-source' : '';
        if (verdict === 'refuse' ? reason !== why : why !== '') {
          wrong.push(`${verdict} ${reason}`);
        }
        // Where one is the other's ancestor, or they are equal, somebody is copied or nobody need.
        const decided = why === '' && (aLeads || bLeads || equal);
        const ends = verdict === 'source' || verdict === 'target' || verdict === 'none';
        if (decided !== ends && why === '') wrong.push(`${verdict} ${reason}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('after an image took over by accepted loss', () => {
  const [view] = all1;
  if (view === undefined) throw new Error('there are views');
  const plain = { ...view, disk: 'Consistent', dirty: 0, rebooted: false, primary: false } as const;
  /** What took over, and a replica of the image's generation that was written to beyond it. */
  const taker: ReplicaView = { ...plain, node: 2, generation: 9, parents: [5, 4], primary: true };
  const tail: ReplicaView = { ...plain, node: 1, generation: 5, parents: [4], dirty: 3 };
  const order = { node: 1, generation: 5, keeps: 5, order: 7, atMost: -1, taker: 2 } as const;
  const standing: Discard = { ...order, by: 'accept-loss', confirmed: false };
  const verdict = (a: ReplicaView, b: ReplicaView, discard: Discard, bugs?: CompareCanary) => {
    return compareReplicas(a, b, bugs, discard);
  };

  it('what was written beyond it is a branch until the order is confirmed', () => {
    const apart = { verdict: 'split-brain', reason: 'common-ancestor' };
    expect(verdict(taker, tail, standing)).toEqual(apart);
    expect(verdict(tail, taker, standing)).toEqual(apart);
    const confirmed = { ...standing, confirmed: true };
    expect(verdict(taker, tail, confirmed)).toEqual({ verdict: 'source', reason: 'descendant' });
    expect(verdict(tail, taker, confirmed)).toEqual({ verdict: 'target', reason: 'descendant' });
  });

  it('who is named is looked at first; of the others only what was written to is a branch', () => {
    const copied = { verdict: 'source', reason: 'descendant' };
    const apart = { verdict: 'split-brain', reason: 'common-ancestor' };
    expect(verdict(taker, { ...tail, dirty: 0 }, standing)).toEqual(apart);
    const other = { ...tail, node: 3 };
    expect(verdict(taker, other, standing)).toEqual(apart);
    expect(verdict(taker, { ...other, dirty: 0 }, standing)).toEqual(copied);
    expect(verdict(taker, { ...other, generation: 4, parents: [] }, standing)).toEqual(copied);
  });

  it('is overwritten unasked with a planted bug', () => {
    const bugs = canarySwitches(new Set(['tail-unseen']));
    expect(verdict(taker, tail, standing, bugs).verdict).toBe('source');
  });
});
