/** What a primary makes of two replicas that were compared, under the committed record. */
import type { Comparison } from './compare.ts';
import { Outcome } from './messages.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';

/**
 * What is to become of the link to `partner` by `comparison`: one of {@link Outcome}. A copy to an
 * asynchronous replica makes way here for one to a replica that is to be a member.
 */
export function outcomeOf(
  { verdict }: Comparison,
  partner: Partner,
  { state, source, canary }: Pick<Parts, 'state' | 'source' | 'canary'>,
): number {
  const { record } = state;
  if (verdict !== 'none' && verdict !== 'source') return Outcome.Refused;
  // RULE-03: a serving primary that lost its link leaves the peer out first, however equal.
  const fresh = !state.lead || canary.rule03;
  if (record === null) return Outcome.Wait;
  if (verdict === 'none' && fresh && partner.isIn(record)) return Outcome.Sync;
  if (!state.lead || record.members.some(({ node }) => node === partner.node)) return Outcome.Wait;
  source.makeWay(partner);
  return !partner.isOpen && source.isFreeFor(partner) ? Outcome.Copy : Outcome.Wait;
}
