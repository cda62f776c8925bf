/**
 * LAW-heals: some time after the last fault is over, every replica is UpToDate and equal to its
 * peer, and every group runs, or is blocked with a reason that names a person's remedy.
 */
import type { ReplicaTruth, VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

/** What the world knows of a group at the end. */
export interface GroupTruth {
  readonly name: string;
  readonly volume: number;
  /** Hosts where the application runs. */
  readonly running: readonly number[];
  /** Whether any host's status says that only a person can go on. */
  readonly blocked: boolean;
}

/** Checks one group and its volume at the quiet end of a run. */
export function checkHealed(truth: VolumeTruth, group: GroupTruth | null, verdict: Verdict): void {
  if (group?.blocked) return;
  const volume = truth.config.name;
  if (group !== null && group.running.length !== 1) {
    verdict.find('LAW-heals', 0, 'heals.not-running', {
      group: group.name,
      running: group.running.length,
    });
  }
  for (const replica of truth.replicas) {
    if (replica.state === 'UpToDate') continue;
    const { state, link } = replica;
    verdict.find('LAW-heals', replica.node, 'heals.not-up-to-date', { volume, state, link });
  }
  const members = truth.record?.members.length ?? 0;
  if (members !== truth.replicas.length) {
    verdict.find('LAW-heals', 0, 'heals.not-in-sync', { volume, members });
    return;
  }
  const at = firstDifference(truth.replicas);
  if (at >= 0) verdict.find('LAW-heals', 0, 'heals.replicas-differ', { volume, sector: at });
}

function firstDifference(replicas: readonly ReplicaTruth[]): number {
  const [a, b] = replicas;
  if (a === undefined || b === undefined) return -1;
  const left = a.disk.view;
  const right = b.disk.view;
  for (let at = 0; at < left.length; at += 1) if (left[at] !== right[at]) return at;
  return -1;
}
