/** A split brain in words: what each side has, whom each policy would choose, and what is lost. */
import Table from 'cli-table3';
import type { ClusterStatus, SplitStatus } from '../engine/cluster/interface.ts';
import type { Range } from '../engine/cluster/split-brain.ts';
import { term } from '../viewer/src/catalogue/catalogue.ts';
import { language } from './language.ts';

export type SplitVolume = ClusterStatus['volumes'][number];

const BLOCKS_PER_MIB = 256;

/** One line for `status`, '' where there is nothing to say. */
export function splitLine(volume: SplitVolume, name: (node: number) => string): string {
  const { split, discard } = volume;
  if (discard !== undefined) {
    const what = `what ${name(discard.node)} has is to be overwritten by order`;
    return `Volume ${volume.volume}: ${what}. To see more: understudy resolve`;
  }
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
  const lines = [splitLine(volume, name)];
  const sides = new Table({
    head: ['node', 'disk', 'generation', 'role', 'primary since', 'blocks changed since'],
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
    ]);
  }
  lines.push(sides.toString());
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

/** How a split brain is ended, and what is lost by it: by hand, towards the side that leads. */
export function endText(
  split: SplitStatus,
  config: string,
  name: (node: number) => string,
): string {
  const given = split.sides.find(({ owner }) => !owner);
  const kept = split.sides.find(({ owner }) => owner);
  if (given === undefined || kept === undefined) return 'Nothing is changed.';
  const [lost, leads] = [name(given.node), name(kept.node)];
  return [
    `Nothing is changed. To give up everything that ${lost} alone has: ` +
      `${rangeText(given.changed)} changed since the two parted, stop it, then`,
    `  understudy replica new ${config} --name ${lost} --overwrite`,
    `and start it again: all of ${leads} is copied to it. What ${leads} has cannot be given up so;`,
    `what is needed of ${lost} is copied off its replica first.`,
  ].join('\n');
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
