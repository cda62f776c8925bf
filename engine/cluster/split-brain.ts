/**
 * Whose branch is given up where both replicas went on apart: pure, and blind to who asks. A number
 * that nobody knows decides nothing: then there is no victim, and a person has to look.
 */
import type { SplitPolicy } from '../core/config.ts';
import type { Epoch, Generation, NodeId } from '../core/units.ts';
import type { Branch } from '../data/messages.ts';
import type { Flags } from './canaries.ts';

/** What a count is known to be; null where nothing bounds it from above. */
export interface Range {
  readonly atLeast: number;
  readonly atMost: number | null;
}

/** How a generation began, as the log stamped it. */
export interface Began {
  readonly epoch: Epoch;
  /** Its primary was the primary before as well. */
  readonly active: boolean;
  /** The generation that the log had before. */
  readonly after: Generation;
  /** Blocks that its primary wrote alone in it, and then copied to the other: at least so many. */
  readonly changed: number;
}

/** One side of a split brain. */
export interface Side {
  readonly node: NodeId;
  /** Primary of the committed record. */
  readonly owner: boolean;
  /** Its data are an image of some moment: neither half copied nor failed. */
  readonly usable: boolean;
  /** How its branch began; null where the log does not know of it. */
  readonly began: Began | null;
  /** Blocks of 4 KiB written since the two parted. */
  readonly changed: Range;
}

export type ChoiceReason =
  | 'no-policy'
  | 'younger'
  | 'older'
  | 'activation-unknown'
  | 'unchanged'
  | 'both-unchanged'
  | 'both-changed'
  | 'fewer-blocks'
  | 'equal-by-node'
  | 'changes-unknown'
  | 'local'
  | 'remote'
  | 'no-owner'
  | 'no-image-to-keep';

export interface Choice {
  /** Whose branch is given up; 0 for no decision. */
  readonly victim: NodeId;
  readonly reason: ChoiceReason;
  /** It holds while no more blocks of the victim are dirty; -1 where counts decided nothing. */
  readonly atMost: number;
}

/** Guards that planted bugs switch off. */
export type SplitBugs = Pick<Flags, 'split-guessed' | 'split-by-order' | 'split-half-kept'>;

const NO_BUGS: SplitBugs = {
  'split-guessed': false,
  'split-by-order': false,
  'split-half-kept': false,
};

/** The same whichever side comes first. */
export function chooseVictim(
  policy: SplitPolicy,
  a: Side,
  b: Side,
  bugs: SplitBugs = NO_BUGS,
): Choice {
  const [first, second] = bugs['split-by-order'] || a.node < b.node ? [a, b] : [b, a];
  const choice = byPolicy(policy, first, second, bugs['split-guessed']);
  const kept = choice.victim === first.node ? second : first;
  // Giving up an image for half of one would leave none.
  if (choice.victim !== 0 && !kept.usable && !bugs['split-half-kept']) {
    return none('no-image-to-keep');
  }
  return choice;
}

function byPolicy(policy: SplitPolicy, a: Side, b: Side, guess: boolean): Choice {
  switch (policy) {
    case 'manual':
      return none('no-policy');
    case 'discard-younger-primary': {
      const younger = youngerOf(a, b, guess);
      return younger === null ? none('activation-unknown') : victim(younger, 'younger');
    }
    case 'discard-older-primary': {
      const younger = youngerOf(a, b, guess);
      if (younger === null) return none('activation-unknown');
      return victim(younger === a ? b : a, 'older');
    }
    case 'discard-unchanged':
      return unchangedOf(known(a, guess), known(b, guess));
    case 'discard-fewer-changes':
      return fewerOf(known(a, guess), known(b, guess));
    case 'discard-local':
    case 'discard-remote': {
      if (a.owner === b.owner) return none('no-owner');
      const local = policy === 'discard-local';
      return victim(a.owner === local ? a : b, local ? 'local' : 'remote');
    }
  }
}

/** Who became primary after the two parted; null where that is not known. */
function youngerOf(a: Side, b: Side, guess: boolean): Side | null {
  if (a.began === null || b.began === null) return guess ? b : null;
  if (a.began.active !== b.began.active) return a.began.active ? b : a;
  if (a.began.epoch === b.began.epoch) return null;
  return a.began.epoch > b.began.epoch ? a : b;
}

function unchangedOf(a: Side, b: Side): Choice {
  const sameA = a.changed.atMost === 0;
  const sameB = b.changed.atMost === 0;
  // Equal as far as counts tell; who serves goes on.
  if (sameA && sameB) return victim(b.owner && !a.owner ? a : b, 'both-unchanged', 0);
  if (sameA || sameB) return victim(sameA ? a : b, 'unchanged', 0);
  const both = a.changed.atLeast > 0 && b.changed.atLeast > 0;
  return none(both ? 'both-changed' : 'changes-unknown');
}

function fewerOf(a: Side, b: Side): Choice {
  const blocks = lessOf(a.changed, b.changed);
  if (blocks === 'unknown') return none('changes-unknown');
  if (blocks === 'equal') {
    return victim(a.node > b.node ? a : b, 'equal-by-node', a.changed.atLeast);
  }
  const [fewer, more] = blocks === 'first' ? [a, b] : [b, a];
  return victim(fewer, 'fewer-blocks', more.changed.atLeast - 1);
}

function lessOf(a: Range, b: Range): 'first' | 'second' | 'equal' | 'unknown' {
  if (a.atMost !== null && a.atMost < b.atLeast) return 'first';
  if (b.atMost !== null && b.atMost < a.atLeast) return 'second';
  const exact = a.atMost === a.atLeast && b.atMost === b.atLeast;
  return exact ? 'equal' : 'unknown';
}

function victim(side: Side, reason: ChoiceReason, atMost = -1): Choice {
  return { victim: side.node, reason, atMost };
}

function none(reason: ChoiceReason): Choice {
  return { victim: 0, reason, atMost: -1 };
}

/** Whether `given` has fewer changes than `kept`, or as many, as it had when it was chosen. */
export function isFewer(given: Side, kept: Side): boolean {
  const { atMost } = given.changed;
  if (atMost === null) return false;
  const exact = given.changed.atLeast === atMost && kept.changed.atLeast === atMost;
  return atMost < kept.changed.atLeast || (exact && given.node > kept.node);
}

/** With the planted bug, the least that may be so counts as what is. */
function known(side: Side, guess: boolean): Side {
  if (!guess) return side;
  const exactly = ({ atLeast }: Range): Range => ({ atLeast, atMost: atLeast });
  return { ...side, changed: exactly(side.changed) };
}

/** What one replica said, and who it is. */
export interface Half {
  readonly node: NodeId;
  readonly owner: boolean;
  readonly usable: boolean;
  readonly branch: Branch;
}

/** The last generation that both had; 0 for none, or where one side has nothing of its own. */
export function ancestorOf(a: Branch, b: Branch): Generation {
  const [left, right] = [lineOf(a), lineOf(b)];
  let found = 0;
  let depth = Number.POSITIVE_INFINITY;
  for (let i = 1; i < left.length; i += 1) {
    const generation = left[i] as Generation;
    const j = right.indexOf(generation);
    // Void ones may stand in another order on either side.
    if (j < 1 || i + j > depth || (i + j === depth && generation > found)) continue;
    depth = i + j;
    found = generation;
  }
  return found;
}

/**
 * Both sides in numbers. `began` tells how a generation began, null where the log has none.
 *
 * The log knows one line of generations. Where it has a side's branch follow the common ancestor,
 * that side left it at its end. The other one then is a disk put back to some moment of the
 * ancestor: it has nothing of it that the first one lacks, so that its map has all its changes. Of
 * the first one the map has those since the ancestor's end only: at least so many.
 */
export function sidesOf(
  a: Half,
  b: Half,
  began: (generation: Generation) => Began | null,
): readonly [Side, Side] {
  const ancestor = ancestorOf(a.branch, b.branch);
  const [left, right] = [startOf(a.branch, ancestor), startOf(b.branch, ancestor)].map((own) =>
    own === 0 ? null : began(own),
  ) as [Began | null, Began | null];
  const whole = (start: Began | null): boolean => start !== null && start.after === ancestor;
  const sides: readonly [Side, Side] = [
    sideOf(a, ancestor, left, whole(right) && !whole(left)),
    sideOf(b, ancestor, right, whole(left) && !whole(right)),
  ];
  return [withCopied(sides[0], a, ancestor, began), withCopied(sides[1], b, ancestor, began)];
}

/** With what the log knows to have been written alone, and copied to the other since. */
function withCopied(
  side: Side,
  { branch }: Half,
  ancestor: Generation,
  began: (generation: Generation) => Began | null,
): Side {
  const line = lineOf(branch);
  let { atLeast } = side.changed;
  for (const generation of line.slice(0, Math.max(0, line.indexOf(ancestor)))) {
    atLeast = Math.max(atLeast, began(generation)?.changed ?? 0);
  }
  const { atMost } = side.changed;
  if (atMost !== null && atMost < atLeast) return side;
  return { ...side, changed: { atLeast, atMost } };
}

/** `put` when this is the side that was put back. */
function sideOf(self: Half, ancestor: Generation, start: Began | null, put: boolean): Side {
  const { node, owner, usable, branch } = self;
  const side = { node, owner, usable, began: start };
  const line = lineOf(branch);
  const [since, until] = [line.indexOf(branch.shared), line.indexOf(ancestor)];
  // A map that began before the ancestor has changes that both sides have.
  if (ancestor === 0 || since < 0 || since > until) return { ...side, changed: UNKNOWN };
  const atLeast = Math.max(0, branch.dirty - branch.padded);
  // One that began after it lacks what was copied to the peer since.
  const all = put && since === until;
  return { ...side, changed: { atLeast, atMost: all ? branch.dirty : null } };
}

const UNKNOWN: Range = { atLeast: 0, atMost: null };

/** The first generation after the ancestor; 0 for none. */
function startOf(branch: Branch, ancestor: Generation): Generation {
  const line = lineOf(branch);
  return ancestor === 0 ? 0 : (line[line.indexOf(ancestor) - 1] ?? 0);
}

function lineOf({ generation, parents }: Branch): readonly Generation[] {
  return [generation, ...parents];
}
