/** A split brain in words: what each side has, whom each policy would choose, and what is lost. */
import Table from 'cli-table3';
import type { BranchFate } from '../engine/cluster/branch-fate.ts';
import type { ClusterStatus, SplitStatus } from '../engine/cluster/interface.ts';
import type { Range } from '../engine/cluster/split-brain.ts';
import type { Discard } from '../engine/data/messages.ts';
import { term } from '../viewer/src/catalogue/catalogue.ts';
import { language } from './language.ts';

export type SplitVolume = ClusterStatus['volumes'][number];

const BLOCKS_PER_MIB = 256;

/** One line for `status`, '' where there is nothing to say. */
export function splitLine(volume: SplitVolume, name: (node: number) => string): string {
  const { split, discard } = volume;
  if (discard !== undefined) return orderText(volume, discard, name);
  if (split === undefined) return '';
  const what =
    split.verdict === 'unrelated'
      ? 'STRANGERS: its replicas have nothing in common, and stay apart'
      : 'SPLIT BRAIN: its replicas went on apart, and stay so';
  return `Volume ${volume.volume}: ${what}. What each has, and how to end it: understudy resolve`;
}

/** Several lines, without a line feed at the end. */
export function splitText(
  volume: SplitVolume,
  split: SplitStatus,
  name: (node: number) => string,
): string {
  const words = (code: string): string => term(language(), code);
  const { discard: _, ...apart } = volume;
  const lines = [splitLine(apart, name)];
  const sides = new Table({
    head: ['node', 'disk', 'generation', 'role', 'primary since', 'blocks changed since', 'dirty'],
    style: { head: [], border: [], compact: true },
  });
  for (const side of split.sides) {
    const { began } = side;
    const first = began?.active === true ? ', and before the two parted' : '';
    sides.push([
      name(side.node),
      side.disk,
      String(side.generation),
      side.owner ? 'primary' : '',
      began === null ? 'not known' : `epoch ${began.epoch}${first}`,
      rangeText(side.changed),
      side.dirty < 0 ? '' : String(side.dirty),
    ]);
  }
  lines.push(sides.toString());
  lines.push(`Policy: ${split.policy}.`);
  lines.push(
    split.ancestor === 0
      ? 'They have no generation in common.'
      : `They parted after generation ${split.ancestor}.`,
  );
  if (split.choices.length > 0) {
    const choices = new Table({
      head: ['policy', 'gives up', 'because'],
      style: { head: [], border: [], compact: true },
    });
    for (const { policy, victim, reason } of split.choices) {
      if (policy === 'manual') continue;
      choices.push([policy, victim === 0 ? 'nobody' : name(victim), words(reason)]);
    }
    lines.push(choices.toString());
  }
  if (split.sides.length < 2) lines.push('The other side is not heard.');
  return lines.join('\n');
}

/** What an order to keep `keep` would come to. */
export function lossText(split: SplitStatus, keep: number, name: (node: number) => string): string {
  const given = split.sides.find(({ node }) => node !== keep);
  if (given === undefined) return '';
  const [lost, kept] = [name(given.node), name(keep)];
  const lines = [
    `Keeping ${kept} gives up everything that ${lost} alone has: ` +
      `${rangeText(given.changed)} changed since the two parted.`,
  ];
  if (given.owner) {
    lines.push(
      `${lost} is the primary: what runs there is stopped, and started on ${kept} over the older`,
      'or other data. If anything is written there until then, the order ends, all is as before:',
      'stop the group first (understudy stop-group), or say --even-if-written to give that up too.',
    );
  }
  lines.push(`Then all of ${kept} is copied to ${lost}. ${fateText(given.fate, lost)}`);
  return lines.join('\n');
}

/** Whether what a side has will be there afterwards, and what helps where it will not. */
function fateText(fate: BranchFate | undefined, lost: string): string {
  const first = `What is needed of ${lost} is copied off first.`;
  if (fate === undefined) return first;
  const why = fate.reason === '' ? '' : term(language(), fate.reason);
  switch (fate.kept) {
    case 'yes':
      return (
        `All that ${lost} has is kept in its side area meanwhile, and then until it is dropped: ` +
        'understudy branch.'
      );
    case 'perhaps':
      return (
        `What ${lost} has is kept in its side area only if it has room: ${why}. With undo: ` +
        `required the copy waits where it has none, else nothing is kept then. ${first}`
      );
    case 'later':
      return (
        `The copy to ${lost} waits: ${why}. When that is dropped (understudy branch drop), what ` +
        `${lost} has takes its place.`
      );
    default:
      return `Nothing of ${lost} is kept: ${why}. ${first}`;
  }
}

/** An order that stands, and how it is taken back. */
export function orderText(
  { volume }: SplitVolume,
  { node, order, by, confirmed, atMost, taker }: Discard,
  name: (node: number) => string,
): string {
  if (taker !== undefined) {
    const what = `${name(taker)} goes on by accepted loss (order ${order})`;
    const lost = `what ${name(node)} alone has is given up`;
    return `Volume ${volume}: ${what}; ${lost}${confirmed ? ', and being overwritten' : ''}.`;
  }
  const who = by === 'operator' ? 'a person' : `the policy ${by}`;
  const few = atMost < 0 ? '' : `, as long as no more than ${atMost} blocks of it are dirty`;
  const next = confirmed
    ? 'It was looked at again, and is being overwritten.'
    : `Nothing is overwritten yet. To take it back: understudy resolve --take-back ${order} --yes`;
  const what = `order ${order}, by ${who}, gives up what ${name(node)} has${few}`;
  return `Volume ${volume}: ${what}. ${next}`;
}

/** "exactly 5 blocks", "at least 3", "3 to 257", "not known". */
export function rangeText({ atLeast, atMost }: Range): string {
  const size = (blocks: number): string => {
    const mib = blocks / BLOCKS_PER_MIB;
    return blocks < BLOCKS_PER_MIB
      ? `${blocks} blocks`
      : `${blocks} blocks (${mib.toFixed(0)} MiB)`;
  };
  if (atMost === null)
    return atLeast === 0 ? 'an unknown number of blocks' : `at least ${size(atLeast)}`;
  if (atMost === atLeast) return `exactly ${size(atLeast)}`;
  return `${atLeast} to ${size(atMost)}`;
}
