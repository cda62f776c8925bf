/**
 * Split brain as the cluster sees it: what both replicas say of their branches, what that comes to,
 * and the entry that orders one of them to be given up, by policy or by a person. Only what both
 * sides say of each other counts.
 */
import { SPLIT_POLICIES } from '../core/config.ts';
import { invariant } from '../core/invariant.ts';
import type { Epoch, Generation, NodeId } from '../core/units.ts';
import type { Branch, Discard, DiskState, VolumeRecord } from '../data/messages.ts';
import type { Context } from './context.ts';
import type { Blocked, CommandRef, GroupState } from './entries.ts';
import type { Unit } from './groups.ts';
import type { ResolveCommand, SplitStatus } from './interface.ts';
import type { Proposals } from './proposals.ts';
import { ancestorOf, chooseVictim, type Half, type Side, sidesOf } from './split-brain.ts';
import { begunOf, type ClusterState } from './state.ts';
import type { Views } from './views.ts';

interface Heard extends Half {
  readonly disk: DiskState;
}

export class Resolution {
  readonly #context: Context;
  readonly #views: Views;
  readonly #proposals: Proposals;
  readonly #state: () => ClusterState;

  constructor(context: Context, views: Views, proposals: Proposals, state: () => ClusterState) {
    this.#context = context;
    this.#views = views;
    this.#proposals = proposals;
    this.#state = state;
  }

  /** What the policy wants becomes an entry; so does the end of an order that means other data. */
  plan(unit: Unit, group: GroupState, record: VolumeRecord): boolean {
    const pair = this.#pair(unit, record);
    if (pair === null || !settled(group, record)) return false;
    const { discard } = record;
    if (discard !== undefined) {
      if (means(discard, pair)) return false;
      this.#context.reached('branch-order-void');
      this.#drop(record, discard, 'void', null, '');
      return true;
    }
    const policy = unit.volume.splitBrain ?? 'none';
    if (policy === 'none' || pair[0].branch.verdict === 'unrelated') return false;
    const [a, b] = this.#sides(record, pair);
    const { victim, reason } = chooseVictim(policy, a, b, this.#context.flags);
    if (victim === 0) return false;
    this.#order(record, pair, victim, reason, null, '');
    return true;
  }

  /** A person's order; null when it became an entry, or has to wait for another one. */
  take(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    { keep, keeps, discards, adopt }: ResolveCommand,
    ref: CommandRef,
    cause: string,
  ): Blocked | 'wait' | null {
    if (this.#proposals.busy('volume', record.volume)) return 'wait';
    const { discard } = record;
    if (discard?.node === keep) {
      const { facts } = this.#views.candidate(keep);
      const { disk } = facts?.volumes.find((v) => v.volume === record.volume) ?? {};
      if (disk === 'Inconsistent') return no('already-overwritten', 'wait-for-resync');
      if (keeps !== discard.generation) return no('other-data', 'look-again');
      this.#drop(record, discard, 'operator', ref, cause);
      return null;
    }
    if (discard !== undefined) return no('already-ordered', 'see-status');
    const pair = this.#pair(unit, record);
    if (pair === null) return no('no-split-brain', 'see-status');
    // A group that is stopped has no primary, and nothing to settle.
    const idle = record.primary === 0 && group.owner === 0;
    if (!idle && !settled(group, record)) return 'wait';
    const kept = pair.find((side) => side.node === keep);
    const given = pair.find((side) => side.node !== keep);
    if (kept === undefined || given === undefined) return no('no-replica-there', 'see-status');
    if (!kept.usable) return no('no-image-to-keep', 'keep-the-other');
    if (kept.branch.generation !== keeps || given.branch.generation !== discards) {
      return no('other-data', 'look-again');
    }
    if (kept.branch.verdict === 'unrelated' && !adopt) return no('unrelated-data', 'say-adopt');
    this.#order(record, pair, given.node, 'operator', ref, cause);
    return null;
  }

  /** What this node knows of it, for people. */
  describe(unit: Unit, record: VolumeRecord): SplitStatus | null {
    const heard = this.#heard(unit, record);
    const [first] = heard;
    if (first === undefined) return null;
    const policy = unit.volume.splitBrain ?? 'none';
    const { verdict } = first.branch;
    const about = ({ disk, branch }: Heard) => ({ disk, generation: branch.generation });
    const pair = mutual(heard);
    if (pair === null) {
      const changed = { atLeast: 0, atMost: null };
      const sides = heard.map((half) => {
        const { node, owner, usable } = half;
        return { node, owner, usable, began: null, changed, ...about(half) };
      });
      return { verdict, policy, sides, ancestor: 0, choices: [] };
    }
    const [a, b] = this.#sides(record, pair);
    const ancestor = ancestorOf(pair[0].branch, pair[1].branch);
    const choices =
      verdict === 'unrelated'
        ? []
        : SPLIT_POLICIES.map((each) => ({ policy: each, ...chooseVictim(each, a, b) }));
    const sides = [
      { ...a, ...about(pair[0]) },
      { ...b, ...about(pair[1]) },
    ];
    return { verdict, policy, sides, ancestor, choices };
  }

  #pair(unit: Unit, record: VolumeRecord): readonly [Heard, Heard] | null {
    return mutual(this.#heard(unit, record));
  }

  #heard(unit: Unit, record: VolumeRecord): readonly Heard[] {
    const heard: Heard[] = [];
    // Whose branch is given up among more than two, a person decides by a new disk.
    if (unit.volume.replicas.length > 2) return heard;
    for (const { node } of unit.volume.replicas) {
      const { facts, life, reachable } = this.#views.candidate(node);
      if (!reachable || facts === null || facts.life !== life) continue;
      const local = facts.volumes.find((v) => v.volume === record.volume);
      if (local?.branch === undefined || !local.attached) continue;
      const { disk, branch } = local;
      const usable = disk !== 'Inconsistent' && disk !== 'Failed' && disk !== 'Diskless';
      heard.push({ node, owner: node === record.primary, usable, disk, branch });
    }
    return heard;
  }

  #sides(record: VolumeRecord, [a, b]: readonly [Heard, Heard]): readonly [Side, Side] {
    const state = this.#state();
    return sidesOf(a, b, (generation) => begunOf(state, record.volume, generation));
  }

  #order(
    record: VolumeRecord,
    pair: readonly [Heard, Heard],
    victim: NodeId,
    reason: string,
    command: CommandRef | null,
    cause: string,
  ): void {
    const [given, kept] = pair[0].node === victim ? pair : [pair[1], pair[0]];
    invariant(given.node === victim, 'a branch that is given up is one of the two');
    this.#context.reached('branch-discarded');
    const { generation } = given.branch;
    const discard: Discard = { node: victim, generation, keeps: kept.branch.generation };
    // A disk from elsewhere may have seen epochs that this log has not: it follows no older one.
    const epoch = Math.max(record.epoch, given.branch.epoch, kept.branch.epoch) + 1;
    const { volume } = record;
    const { keeps } = discard;
    const d = { volume, node: victim, generation, keeps, reason };
    const event = this.#context.event('volume.discard', d, cause);
    this.#propose({ ...record, epoch, discard }, record.epoch, event, command);
  }

  #drop(
    record: VolumeRecord,
    { node, generation }: Discard,
    reason: string,
    command: CommandRef | null,
    cause: string,
  ): void {
    const { discard: _, ...plain } = record;
    const d = { volume: record.volume, node, generation, reason };
    const event = this.#context.event('volume.discard.off', d, cause);
    this.#propose({ ...plain, epoch: record.epoch + 1 }, record.epoch, event, command);
  }

  #propose(record: VolumeRecord, from: Epoch, event: string, command: CommandRef | null): void {
    const entry = { kind: 'volume', event, from, record, reason: 'split-brain' } as const;
    this.#proposals.propose(command === null ? entry : { ...entry, command });
  }
}

/** Whether nothing else is being settled: the primary alone is in sync, and has what it leads. */
function settled(group: GroupState, record: VolumeRecord): boolean {
  if (record.primary === 0 || group.base.length > 0) return false;
  return record.members.every((m) => m.node === record.primary);
}

/** Both sides, where each speaks of the other as it is. */
function mutual(heard: readonly Heard[]): readonly [Heard, Heard] | null {
  const [a, b] = heard;
  if (a === undefined || b === undefined) return null;
  const met = a.branch.peer === b.branch.generation && b.branch.peer === a.branch.generation;
  return met ? [a, b] : null;
}

/** Whether the order means what the two have now. */
function means(discard: Discard, pair: readonly [Heard, Heard]): boolean {
  const [given, kept] = pair[0].node === discard.node ? pair : [pair[1], pair[0]];
  return given.branch.generation === discard.generation && has(kept.branch, discard.keeps);
}

function has({ generation, parents }: Branch, wanted: Generation): boolean {
  return generation === wanted || parents.includes(wanted);
}

function no(reason: string, remedy: string): Blocked {
  return { reason, remedy };
}
