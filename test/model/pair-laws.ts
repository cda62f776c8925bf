/**
 * The laws that a state of the pair model can break, and what LAW-heals asks of it. They look at
 * replicas that serve now or could be promoted now, for these are what an application would see.
 */
import { isWhole, mayLeadAlone } from './pair-promotion.ts';
import { Disk, type PairState } from './pair-state.ts';
import type { Rule } from './rules.ts';

/** The first law that the state breaks, or null. */
export function pairViolation(s: PairState, dropped: ReadonlySet<Rule>): string | null {
  if (s.splitBrain) return 'split brain';
  const serving = [serves(s, 0), serves(s, 1)];
  if (serving[0] && serving[1]) return 'two writable primaries';
  // While somebody has had the newest write all along, nothing acknowledged may be missing.
  const promised = s.holders === 0 ? s.flushed : s.acknowledged;
  for (const i of [0, 1]) {
    const couldLead = isWhole(s, i, dropped) && mayLeadAlone(s, i, dropped);
    if (!serving[i] && !couldLead) continue;
    const { cached, stable } = s.replicas[i] as PairState['replicas'][0];
    if (cached < promised) {
      return promised === s.flushed ? 'flushed write lost' : 'acknowledged write lost';
    }
    if (stable < s.flushed) return 'flushed write in a volatile cache alone';
  }
  const [a, b] = s.replicas;
  const inStep = s.connected && s.source < 0 && s.write === 0;
  const bothGood = a.disk === Disk.UpToDate && b.disk === Disk.UpToDate;
  return inStep && bothGood && a.cached !== b.cached ? 'silent divergence' : null;
}

/** Whether an application could write through this replica now. */
export function serves(s: PairState, i: number): boolean {
  const me = s.replicas[i] as PairState['replicas'][0];
  const peer = s.replicas[1 - i] as PairState['replicas'][0];
  if (!me.up || !me.primary || me.disk !== Disk.UpToDate) return false;
  return me.alone === 1 || (s.connected === 1 && peer.disk === Disk.UpToDate);
}

/** Both replicas are as good as each other, and in step. */
export function fullyRedundant(s: PairState): boolean {
  const good = s.replicas.every((r) => r.up === 1 && r.disk === Disk.UpToDate);
  return good && s.connected === 1 && s.source < 0;
}
