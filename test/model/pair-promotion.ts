/** Which replica of the pair model may become primary: by its own data, and by the arbiter. */
import { Disk, type PairState } from './pair-state.ts';
import type { Rule } from './rules.ts';

/** Whether the replica is up, and an image of some moment. */
export function isWhole(s: PairState, i: number, dropped: ReadonlySet<Rule>): boolean {
  const { up, disk } = s.replicas[i] as PairState['replicas'][0];
  // RULE-10: a resync target is not promoted.
  const target = s.source === 1 - i && !dropped.has('RULE-10');
  return up === 1 && disk !== Disk.Inconsistent && !target;
}

/** Whether the arbiter would let it lead without its peer. */
export function mayLeadAlone(s: PairState, i: number, dropped: ReadonlySet<Rule>): boolean {
  // RULE-01: act alone only with the arbiter's consent.
  if (dropped.has('RULE-01') || s.owner === i) return true;
  if (s.owner >= 0) return false;
  // RULE-06: a rebooted replica is not promoted while the other may be alive.
  const [me, peer] = i === 0 ? s.replicas : [s.replicas[1], s.replicas[0]];
  return me.disk === Disk.UpToDate || !peer.up || dropped.has('RULE-06');
}
