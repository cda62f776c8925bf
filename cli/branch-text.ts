/** A branch that was given up and is kept, in words. */
import type { KeptBranch } from '../engine/data/messages.ts';

const MIB = 1048576;
const TRY = 'branch export tells whether it can be read now, understudy branch drop frees its room';

/** Part of a sentence. */
export function branchText({ state, generation, keeps, order, by, usedBytes }: KeptBranch): string {
  if (keeps === 0) return `its log could not be read at the start of the node; ${TRY}`;
  const who = by === 'operator' ? 'a person' : `the policy ${by}`;
  const what = `generation ${generation}, given up for ${keeps} (order ${order}, by ${who})`;
  const room = `${(usedBytes / MIB).toFixed(1)} MiB of the side area`;
  return state === 'whole' ? `${what}, ${room}` : `${what}, damaged: ${TRY}`;
}
