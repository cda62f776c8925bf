/** A branch that was given up and is kept, in words. */
import type { ClusterStatus } from '../engine/cluster/interface.ts';
import type { KeptBranch, LostBranch } from '../engine/data/messages.ts';
import { term } from '../viewer/src/catalogue/catalogue.ts';
import { language } from './language.ts';

const MIB = 1048576;
const TRY = 'branch export tells whether it can be read now, understudy branch drop frees its room';
const HOLDS = '; a copy to this replica waits until it is dropped: understudy branch drop';

/** One line for `status`, '' where no copy waits for a branch to be dropped. */
export function holdingText(
  volume: string,
  branches: ClusterStatus['volumes'][number]['keptBranches'],
  name: (node: number) => string,
): string {
  const holding = (branches ?? []).filter(({ holds }) => holds);
  const lines = holding.map(({ node }) => {
    const where = name(node);
    return (
      `Volume ${volume}: WAITS FOR A PERSON: no copy to ${where} begins, for its side area has a ` +
      `branch that was given up, and a way back is required. Until it is dropped ${where} is no ` +
      `copy. On ${where}: understudy branch export keeps it in a file, understudy branch drop ` +
      'lets the copy begin'
    );
  });
  return lines.join('\n');
}

/** Part of a sentence. */
export function branchText(branch: KeptBranch): string {
  return `${whatText(branch)}${branch.holds === true ? HOLDS : ''}`;
}

/** The same of one that could not be kept. */
export function lostText({ generation, keeps, order, by, reason }: LostBranch): string {
  const what = `generation ${generation}, given up for ${keeps} (order ${order}, by ${byText(by)})`;
  const why = term(language(), reason);
  return `${what}, could not be kept whole, and nothing of it is: ${why}`;
}

function byText(by: KeptBranch['by']): string {
  return by === 'operator' ? 'a person' : `the policy ${by}`;
}

function whatText({ state, generation, keeps, order, by, usedBytes }: KeptBranch): string {
  if (keeps === 0) return `its log could not be read at the start of the node; ${TRY}`;
  const what = `generation ${generation}, given up for ${keeps} (order ${order}, by ${byText(by)})`;
  const room = `${(usedBytes / MIB).toFixed(1)} MiB of the side area`;
  return state === 'whole' ? `${what}, ${room}` : `${what}, damaged: ${TRY}`;
}
