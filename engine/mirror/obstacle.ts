/** Whether this host may act as the primary of a record that names it: see {@link obstacleOf}. */
import type { Epoch } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import type { Parts } from './parts.ts';

/** What this life of the data actor found when it attached. */
export interface Session {
  /** Highest epoch that was durable here: what an earlier session acted in. */
  readonly epoch: Epoch;
  /** The host lost power since the session before. */
  readonly rebooted: boolean;
  /** Among several: it leads, or was about to, and goes on with those who are in step with it. */
  readonly goesOn?: boolean;
}

/** Why this host must not act as the record's primary, '' when it may. */
export function obstacleOf(
  record: VolumeRecord,
  parts: Pick<Parts, 'state' | 'store' | 'canary'>,
  session: Session,
): string {
  const { state, store, canary } = parts;
  if (!state.isMember(record, canary.rebootUnnoticed)) {
    return record.members.some((m) => m.node === state.node) ? 'other-boot' : 'not-member';
  }
  const { length } = record.members;
  // Outdated only for a record whose taker never served, if the log names this life, and it alone.
  const half = state.disk === 'Inconsistent' && canary.halfCopyTaken;
  const named = (state.disk === 'Outdated' || half) && length === 1;
  if (state.disk !== 'UpToDate' && state.disk !== 'Consistent' && !named) return 'disk';
  if (length > 1 && store.doubted) return 'disk';
  if (length > 1 && session.goesOn !== true && !hasData(record, parts)) return 'generation';
  const { generation, parents } = store.block;
  const { discard } = record;
  // The branch that was to be kept is another one than this.
  if (discard !== undefined && discard.node !== state.node && !canary.discardAny) {
    if (generation !== discard.keeps && !parents.includes(discard.keeps)) return 'generation';
  }
  // An epoch of an earlier session: what that session proposed may still be committed.
  const earlier = record.epoch <= session.epoch && !state.lead;
  return earlier && !(session.rebooted && canary.rebootUnnoticed) ? 'earlier-session' : '';
}

/** Whether the data here is that of the record, as far as generations tell. */
export function hasData(
  { generation }: VolumeRecord,
  { store, canary }: Pick<Parts, 'store' | 'canary'>,
): boolean {
  // A replica that has been put back to an earlier image is of an earlier generation.
  return generation === 0 || generation === store.block.generation || canary.oldGenerationTrusted;
}
