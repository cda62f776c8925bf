/**
 * Where a group may run: a pure function of configuration, committed state and what the nodes
 * said of themselves. It says why not, so that a person can help.
 */
import type { BootId, NodeId } from '../core/units.ts';
import { type Discard, isDiskOf, type Member, type VolumeRecord } from '../data/messages.ts';
import type { Flags } from './canaries.ts';
import type { Blocked, GroupState } from './entries.ts';
import type { Unit } from './groups.ts';
import type { FactsMessage, VolumeFacts } from './messages.ts';

/** A node as the leader knows it. */
export interface Candidate {
  readonly node: NodeId;
  readonly reachable: boolean;
  readonly boot: BootId;
  readonly life: number;
  readonly facts: FactsMessage | null;
}

/** 'member': it has every acknowledged write. 'rebooted': it has every flushed one. */
export type Standing = 'member' | 'rebooted';

export type Verdict =
  | { readonly ok: true; readonly standing: Standing }
  | { readonly ok: false; readonly reason: string; readonly remedy: string };

export type Placement =
  | { readonly ok: true; readonly taker: Candidate; readonly standing: Standing }
  | ({ readonly ok: false } & Blocked);

function no(reason: string, remedy: string): Verdict {
  return { ok: false, reason, remedy };
}

/** Who is known to have every acknowledged write. */
export function effectiveMembers(group: GroupState, record: VolumeRecord): readonly Member[] {
  return group.base.length > 0 ? group.base : record.members;
}

/** What a leader knows of the members beside the candidate's own words. */
export interface Others {
  /** The committed boot of a node, 0 for none. */
  boot(node: NodeId): BootId;
  /** Whether a node that is heard says that its disk failed in this boot. */
  doubted(node: NodeId, volume: string): boolean;
  /** Whether it says that it may lack only what an earlier core of it had received. */
  lacking(node: NodeId, volume: string): boolean;
}

/** Whether the node may take the volume now. */
export function judge(
  unit: Unit,
  members: readonly Member[],
  candidate: Candidate,
  others: Others,
  flags: Flags,
  discard: Discard | undefined = undefined,
): Verdict {
  const { facts, node } = candidate;
  if (!candidate.reachable || facts === null) return no('unreachable', 'bring-node-back');
  const volume = facts.volumes.find((v) => v.volume === unit.volume.name);
  if (volume === undefined || !volume.attached) return no('not-attached', 'wait-or-check-disk');
  if (volume.disk === 'Diskless' || volume.disk === 'Failed') {
    return no('replica-failed', 'replace-disk');
  }
  if (flags['outdated-promoted']) return { ok: true, standing: 'member' };
  // By order: that branch is given up, and the other one kept, whoever was in sync with whom.
  if (node === discard?.node) return no('branch-given-up', 'bring-kept-back');
  // What was to be kept may have gone with its disk: then it is no better than the other branch.
  if (discard !== undefined && volume.keeps !== true && !flags['kept-unjudged']) {
    if (volume.keeps === undefined) return no('order-unheard', 'wait-or-check-disk');
    return no('kept-data-gone', 'put-kept-back');
  }
  const member = members.find((m) => m.node === node && isOn(m, volume, flags));
  // By accepted loss one node alone may go on without whoever was in sync, and from there on it is.
  const taker = discard?.taker;
  const once = node === taker && members.some((m) => m.node === discard?.node);
  if (taker !== undefined && !once && member === undefined && !flags['any-taker']) {
    return no('not-in-sync', 'bring-member-back');
  }
  const whole = volume.disk !== 'Inconsistent' || flags['half-copy-taken'];
  if (once && isUnsure(unit, volume, node, flags)) return no('replica-doubted', 'reboot-host');
  if (member === undefined && discard !== undefined && whole) {
    return { ok: true, standing: 'rebooted' };
  }
  if (member === undefined) return no('not-in-sync', 'bring-member-back');
  // RULE-10: a half-copied replica is no replica, whatever it was once.
  if (volume.disk === 'Inconsistent') return no('replica-inconsistent', 'bring-member-back');
  const lost = volume.doubted && !flags['failure-forgotten'];
  if (member.boot === candidate.boot && !lost) return { ok: true, standing: 'member' };
  // RULE-06: what it lost by the power cut, or with its disk's cache, the other may still have, if
  // that one lives and its disk has kept its word.
  // A core takes less with it than a loss of power does, and often nothing.
  const lacks = volume.lacking === true && member.boot === candidate.boot;
  const { name } = unit.volume;
  const alone = members.every((m) => {
    if (m.node === node) return true;
    const boot = others.boot(m.node);
    if ((boot !== 0 && boot !== m.boot) || others.doubted(m.node, name)) return true;
    return others.lacking(m.node, name) && (lacks || flags['lacking-like-power']);
  });
  if (alone || flags['RULE-06'] || flags['RULE-09']) return { ok: true, standing: 'rebooted' };
  // A person has accepted that the other one may have more, and that once: not what it is filled
  // with since.
  const accepted = once && (discard?.confirmed !== true || flags['taken-again']);
  if (accepted) return { ok: true, standing: 'rebooted' };
  return no('rebooted-member', 'bring-peer-back');
}

/**
 * Whether what a replica that was left out shows may be in memory alone, since its disk failed in
 * this boot: the next loss of power would take what goes on from there. What only a core took with
 * it (`lacking`) is no such thing, and an asynchronous one has said what is stable, at its points.
 */
export function isUnsure(unit: Unit, facts: VolumeFacts, node: NodeId, flags: Flags): boolean {
  if (!facts.doubted || facts.lacking === true || flags['doubted-taken']) return false;
  return unit.volume.replicas.find((each) => each.node === node)?.mode !== 'async';
}

/**
 * Whether what the node has open is the disk that was admitted, as far as anybody knows: a host may
 * have another one of the same replica open in the same boot, of whatever time that is.
 */
export function isOn(
  member: Member,
  { device = 0 }: Pick<VolumeFacts, 'device'>,
  flags: Flags,
): boolean {
  return isDiskOf(member, device) || flags['other-disk-counts'];
}

/** Later reasons tell a person more than earlier ones. */
const WEIGHT = [
  'unreachable',
  'not-attached',
  'not-in-sync',
  'replica-inconsistent',
  'replica-failed',
  'replica-doubted',
  'rebooted-member',
  'branch-given-up',
  'order-unheard',
  'branch-unchecked',
  'kept-data-gone',
  'application-failed',
];

/** The best taker: the last owner, then the order of the group; members before rebooted ones. */
export function place(
  unit: Unit,
  group: GroupState,
  record: VolumeRecord,
  candidates: readonly Candidate[],
  others: Others,
  flags: Flags,
): Placement {
  const first = group.target !== 0 ? group.target : group.last;
  const order = [...unit.nodes].sort((a, b) => Number(b === first) - Number(a === first));
  let why: Blocked = { reason: 'no-in-sync-replica', remedy: 'bring-member-back' };
  let weight = -1;
  let second: Placement | null = null;
  for (const node of order) {
    const candidate = candidates.find((c) => c.node === node);
    if (candidate === undefined) continue;
    const members = effectiveMembers(group, record);
    let verdict = judge(unit, members, candidate, others, flags, record.discard);
    if (verdict.ok && group.failed.includes(node))
      verdict = no('application-failed', 'start-group');
    if (verdict.ok) {
      const found: Placement = { ok: true, taker: candidate, standing: verdict.standing };
      // RULE-09: whoever did not lose power leads, and is copied from.
      if ((verdict.standing === 'member') !== flags['RULE-09']) return found;
      second ??= found;
      continue;
    }
    const heavier = WEIGHT.indexOf(verdict.reason);
    if (heavier > weight) {
      weight = heavier;
      why = { reason: verdict.reason, remedy: verdict.remedy };
    }
  }
  return second ?? { ok: false, ...why };
}
