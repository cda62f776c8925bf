/**
 * LAW-heals: some time after the last fault is over, every replica is UpToDate and equal to every
 * other, and every group runs. None may be blocked, but where a faulty disk made a replica forget
 * what it knew about itself, and a person must choose (docs/decisions/0013), or where most voters
 * have lost the log (0004). What a person can end by doing what status says (drop a branch that
 * holds a copy up, 0036) is done by one while there is time left: it excuses nothing.
 */
import type { ConfigStatus } from '../../../engine/cluster/interface.ts';
import type { NodeId } from '../../../engine/core/units.ts';
import {
  isSelfForgotten,
  Orphan,
  type ReplicaTruth,
  type VolumeTruth,
  volumeNow,
} from './truth.ts';
import type { Verdict } from './verdict.ts';

/** What the world knows of a group at the end. */
export interface GroupTruth {
  readonly name: string;
  readonly volume: number;
  /** Hosts where the application runs. */
  readonly running: readonly number[];
  /** The group's state by the status of the host where it runs, '' when it runs nowhere. */
  readonly state: string;
  /** Why, by the status of any host, the group cannot go on; told with the verdict. */
  readonly blocked: readonly string[];
  /** Whether so many nodes lost what they knew of the cluster that no majority need be left. */
  readonly logLost: boolean;
  /** Hosts that have not taken the agreed configuration into use. */
  readonly behind: readonly number[];
}

/** What a host says of the agreed configuration, if there is one, and the host is on. */
type Told = { readonly node: NodeId } & Partial<ConfigStatus>;

/**
 * Hosts that have not taken it into use, and nobody says why. A person is told of a replica that
 * has come to lead, and is to go, and of one that nobody can lay out anew.
 */
export function nodesBehind(hosts: readonly Told[]): readonly NodeId[] {
  if (hosts.some(({ waits }) => waits?.reason === 'moved-blocks')) return [];
  const behind = hosts.filter(({ agreed = 0, inUse = 0, waits }) => {
    return waits?.reason !== 'replica-leads' && inUse < agreed;
  });
  return behind.map(({ node }) => node);
}

/** Reasons for a block that no disk is to blame for. */
const APPLICATION: ReadonlySet<string> = new Set(['application-failed', 'stop-failed']);

/**
 * Checks one group and its volume at the quiet end of a run. True when it waits for a person, as it
 * may, and says so: then nobody need be served either.
 */
export function checkHealed(truth: VolumeTruth, group: GroupTruth, verdict: Verdict): boolean {
  // Whatever else is so: replicas that both call themselves up to date are equal.
  const { replicas } = volumeNow(truth);
  const held = truth.replicas.filter(({ node }) => replicas.some((each) => each.node === node));
  const upToDate = held.filter(({ state }) => state === 'UpToDate');
  const at = firstDifference(truth, upToDate);
  if (at >= 0) {
    const d = { volume: truth.config.name, sector: at };
    verdict.find('LAW-heals', 0, 'heals.replicas-differ', d);
  }
  const volume = truth.config.name;
  const forgotten = isSelfForgotten(truth) && !group.blocked.some((why) => APPLICATION.has(why));
  const lost = group.logLost && group.blocked.includes('log-lost');
  if (lost || (forgotten && group.blocked.length > 0)) {
    // Only a person can go on: that, and why, has to be said, and is.
    const blocked = group.blocked.join(' ');
    verdict.witness('LAW-heals', 0, 'heals.blocked', { group: group.name, blocked });
    return true;
  }
  if (group.running.length !== 1) {
    verdict.find('LAW-heals', 0, 'heals.not-running', {
      group: group.name,
      running: group.running.length,
      blocked: group.blocked.join(' '),
    });
  } else if (group.state !== 'online') {
    // It runs, and the log never learnt it: nobody would notice its next failure.
    verdict.find('LAW-heals', 0, 'heals.not-online', { group: group.name, state: group.state });
  }
  // One that took over by accepted loss is like any other until it serves no more.
  const shipped = replicas.filter(({ mode, node }) => {
    return mode === 'async' && node !== truth.record?.primary;
  });
  for (const replica of held) {
    if (shipped.some(({ node }) => node === replica.node)) {
      checkCaughtUp(truth, replica, verdict);
      continue;
    }
    if (replica.state === 'UpToDate') {
      // What is left dirty nobody copies: it would make the wrong one win some day.
      const { dirty } = replica;
      if (dirty > 0) verdict.find('LAW-heals', replica.node, 'heals.dirty', { volume, dirty });
      continue;
    }
    const { state, link } = replica;
    verdict.find('LAW-heals', replica.node, 'heals.not-up-to-date', { volume, state, link });
  }
  const members = truth.record?.members.length ?? 0;
  if (members !== held.length - shipped.length) {
    verdict.find('LAW-heals', 0, 'heals.not-in-sync', { volume, members });
  }
  for (const node of group.behind) {
    verdict.find('LAW-heals', node, 'heals.config-behind', { volume });
  }
  return false;
}

/** An asynchronous replica has everything, and is an image, some time after the last write. */
function checkCaughtUp(truth: VolumeTruth, replica: ReplicaTruth, verdict: Verdict): void {
  const { config, replicas, record } = truth;
  const volume = config.name;
  const { state, link, node } = replica;
  if (state !== 'Consistent') {
    verdict.find('LAW-heals', node, 'heals.not-up-to-date', { volume, state, link });
    return;
  }
  const primary = replicas.find((each) => each.node === record?.primary);
  if (primary === undefined) return;
  const sector = firstDifference(truth, [primary, replica]);
  if (sector >= 0) verdict.find('LAW-heals', node, 'heals.replicas-differ', { volume, sector });
}

function firstDifference(truth: VolumeTruth, replicas: readonly ReplicaTruth[]): number {
  const { spoils, orphaned } = truth;
  const [a] = replicas;
  if (a === undefined) return -1;
  const left = a.disk.view;
  for (const { disk } of replicas.slice(1)) {
    const right = disk.view;
    for (let at = 0; at < left.length; at += 1) {
      if (left[at] === right[at] || orphaned[at] === Orphan.Everywhere) continue;
      if (spoils.ought(left[at] as number) !== spoils.ought(right[at] as number)) return at;
    }
  }
  return -1;
}
