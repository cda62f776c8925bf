/** What a link is used for, once both sides agree, and the word that control has for it. */
import type { LinkState } from '../data/messages.ts';

export const Mode = {
  None: 0,
  /** This primary mirrors to a member. */
  Sync: 1,
  /** This primary copies to a target, and mirrors new writes to it. */
  Copy: 2,
  /** The target is equal; it is proposed as a member. */
  Adding: 3,
  /** This member follows the primary. */
  Follow: 4,
  /** This target is being copied to. */
  Target: 5,
  /** This primary sends writes on, in order, to an asynchronous replica. */
  Ship: 6,
  /** This asynchronous replica takes them. */
  Take: 7,
} as const;

const STATES: readonly LinkState[] = [
  'Connecting',
  'Connected',
  'SyncSource',
  'SyncSource',
  'Connected',
  'SyncTarget',
  'Connected',
  'Connected',
];

export function linkStateOf(mode: number): LinkState {
  return STATES[mode] as LinkState;
}
