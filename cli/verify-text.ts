/** What a verification found, in words. */
import type { VerifyReport } from '../engine/data/messages.ts';

/** Runs of blocks that are named; more are in the JSON. */
const NAMED_MAX = 24;

/** Several lines, without a line feed at the end. `primary` is the node whose copy clients use. */
export function verdictText(report: VerifyReport, primary: string, repair: boolean): string {
  const { volume, state, reason, checked, differing, repaired, unreadable, cursor } = report;
  const lines: string[] = [];
  const compared = `${volume}: ${count(checked, 'block')} of 4 KiB compared`;
  if (checked === 0) lines.push(`${volume}: nothing was compared.`);
  else if (differing === 0) lines.push(`${compared}, all equal.`);
  else
    lines.push(
      `${compared}, ${differing} ${differing === 1 ? 'differs' : 'differ'}: ${named(report)}.`,
    );
  if (repaired > 0)
    lines.push(`${count(repaired, 'block')} written anew from the copy of ${primary}.`);
  else if (differing > 0 && !repair) {
    lines.push(
      `Two copies do not tell which one is right. Clients read the one of ${primary}; --repair`,
      'writes it over the other.',
    );
  }
  const left = differing - repaired;
  if (repair && left > 0) lines.push(`${count(left, 'block')} left to the next resync.`);
  if (unreadable > 0) {
    lines.push(`${count(unreadable, 'block')} could not be read; the timeline names them.`);
  }
  if (state === 'stopped') {
    lines.push(`Stopped (${reason}) before block ${cursor}; go on with --from ${cursor}.`);
  }
  return lines.join('\n');
}

function named({ runs, differing }: VerifyReport): string {
  const shown = runs.slice(0, NAMED_MAX).map(({ block, blocks }) => {
    return blocks === 1 ? String(block) : `${block}–${block + blocks - 1}`;
  });
  const told = runs.slice(0, NAMED_MAX).reduce((sum, { blocks }) => sum + blocks, 0);
  return shown.join(', ') + (told < differing ? `, and ${differing - told} more` : '');
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}
