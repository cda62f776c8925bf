/** What going on from a replica that is behind would cost, in words. */

export interface MemberHeard {
  readonly node: number;
  /** Whether the node that was asked hears it. */
  readonly heard: boolean;
}

/** Several lines, without a line feed at the end. */
export function lossOfText(
  volume: string,
  to: number,
  members: readonly MemberHeard[],
  name: (node: number) => string,
): string {
  const taker = name(to);
  const others = members.filter(({ node }) => node !== to);
  const heard = others.filter((each) => each.heard).map(({ node }) => name(node));
  const all = others.map(({ node }) => name(node)).join(', ');
  const lines =
    others.length < members.length
      ? ofRebooted(volume, taker, all === '' ? 'nobody' : all)
      : [
          `Volume ${volume}: everything is on ${all === '' ? 'nobody that is known' : all}.`,
          `Going on from ${taker} gives up what was written after the last state that ${taker}`,
          `has. How much that is nobody knows while they are not heard; when they come back, it`,
          `is overwritten.`,
        ];
  if (heard.length > 0) {
    lines.push(`${heard.join(' and ')} can be heard: it will be refused. See understudy switch.`);
  } else lines.push(`Nothing is changed. To order it: the same command with --accept-loss`);
  return lines.join('\n');
}

/** Of one that is in sync: it waits only where it lost its power. */
function ofRebooted(volume: string, taker: string, others: string): string[] {
  return [
    `Volume ${volume}: ${taker} and ${others} are in sync. If ${taker} has lost its power since,`,
    `what was acknowledged and not flushed may be on ${others} alone: going on from ${taker}`,
    `gives that up, and overwrites it later. Everything that was flushed is on ${taker}.`,
  ];
}
