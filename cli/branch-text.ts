/** A branch that was given up and is kept, in words. */
import type { KeptBranch } from '../engine/data/messages.ts';

const MIB = 1048576;

/** Part of a sentence. */
export function branchText({ state, generation, keeps, order, by, usedBytes }: KeptBranch): string {
  if (keeps === 0) return 'its log can not be read any more; understudy branch drop frees its room';
  const who = by === 'operator' ? 'a person' : `the policy ${by}`;
  const what = `generation ${generation}, given up for ${keeps} (order ${order}, by ${who})`;
  const room = `${(usedBytes / MIB).toFixed(1)} MiB of the side area`;
  return state === 'whole' ? `${what}, ${room}` : `${what}, damaged: not all of it can be read`;
}
