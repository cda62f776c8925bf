/** What a verification found, in words. */
import { BLOCK_BYTES } from '../engine/core/units.ts';
import type { VerifyDisagreement, VerifyFinding, VerifyReport } from '../engine/data/messages.ts';
import { term } from '../viewer/src/catalogue/catalogue.ts';
import { language } from './language.ts';

/** Runs of blocks that are named; more are in the JSON. */
const NAMED_MAX = 24;
/** Hexadecimal digits of a digest that are shown: enough to see that two differ. */
const DIGITS = 8;

/** Whose words they are. */
export interface VerdictContext {
  /** The node whose copy clients use. */
  readonly primary: string;
  /** Names of nodes by number. */
  readonly names: Readonly<Record<string, string>>;
  /** The parts of the volume, in order, where it has some. */
  readonly parts?: readonly { readonly part: string; readonly sizeBytes: number }[];
}

/** Several lines, without a line feed at the end. */
export function verdictText(report: VerifyReport, context: VerdictContext): string {
  return [...counted(report), ...named(report, context), ...advice(report, context)].join('\n');
}

/** Whether there is nothing that anybody has to see to. */
export function isSound(report: VerifyReport): boolean {
  const { state, unreadable, repaired, differing, disagreements } = report;
  const told = unreadable > 0 || disagreements.length > 0;
  return state === 'done' && !told && repaired >= differing;
}

function counted(report: VerifyReport): string[] {
  const { volume, level, checked, differing, unreadable, disagreements } = report;
  if (level === 'quick') {
    const { length } = disagreements;
    if (length > 0) return [`${volume}: the metadata of the replicas disagree.`];
    const what = report.state === 'done' ? 'agree' : 'were not compared';
    return [`${volume}: the metadata of the replicas ${what}; no data were read.`];
  }
  const compared = `${volume}: ${count(checked, 'block')} of 4 KiB compared`;
  const lines: string[] = [];
  if (checked === 0) lines.push(`${volume}: nothing was compared.`);
  else if (differing === 0) lines.push(`${compared}, all equal.`);
  else lines.push(`${compared}, ${differing} ${differing === 1 ? 'differs' : 'differ'}.`);
  if (unreadable > 0) lines.push(`${count(unreadable, 'block')} could not be read.`);
  return lines;
}

/** Each run: where it is, who has what, who is right and why. */
function named({ findings, disagreements, ...report }: VerifyReport, of: VerdictContext): string[] {
  const shown = findings.slice(0, NAMED_MAX);
  const lines = [
    ...disagreements.map((each) => disagreement(each, of)),
    ...shown.map((each) => finding(each, of)),
  ];
  const told = shown.reduce((sum, { what, blocks }) => sum + (what === 'dirty' ? 0 : blocks), 0);
  const more = report.differing + report.unreadable - told;
  if (more > 0) lines.push(`  and ${count(more, 'block')} more`);
  return lines;
}

/** Bytes [from, end) as a person finds them on a disk: within the part that has them all. */
function bytesText(from: number, end: number, { parts = [] }: VerdictContext): string {
  let begin = 0;
  for (const { part, sizeBytes } of parts) {
    if (from >= begin && end <= begin + sizeBytes) {
      return `bytes ${from - begin}–${end - 1 - begin} of ${part}`;
    }
    begin += sizeBytes;
  }
  return `bytes ${from}–${end - 1}`;
}

function finding(run: VerifyFinding, context: VerdictContext): string {
  const { block, blocks, what, right, why, repaired, copies } = run;
  const { names } = context;
  const last = block + blocks - 1;
  const where = blocks === 1 ? `block ${block}` : `blocks ${block}–${last}`;
  const holds = copies.map((copy) => `${nameOf(copy.node, names)} ${held(copy.holds)}`);
  const judged =
    right === 0 ? `nobody knows who is right` : `${nameOf(right, names)} has the right one`;
  const parts = [
    `  ${bytesText(block * BLOCK_BYTES, (last + 1) * BLOCK_BYTES, context)} (${where})`,
    ...(what === 'dirty' ? ['may differ'] : holds),
    `${judged}: ${term(language(), why)}`,
    ...(repaired > 0 ? [`${repaired} written anew`] : []),
  ];
  return parts.join('; ');
}

function held(holds: string): string {
  if (holds === 'unreadable') return 'does not give it';
  return holds === '' ? 'has something else' : `has ${holds.slice(0, DIGITS)}…`;
}

function disagreement({ what, says }: VerifyDisagreement, { names }: VerdictContext): string {
  const said = says.map(({ node, value }) => `${nameOf(node, names)} ${value}`);
  return `  ${term(language(), `verify.${what}`)}: ${said.join(', ')}`;
}

function advice(report: VerifyReport, { primary }: VerdictContext): string[] {
  const { volume, level, repair, differing, repaired, state, reason, cursor } = report;
  const lines: string[] = [];
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
  if (state === 'stopped') {
    const how = level === 'quick' ? '' : ` before block ${cursor}; go on with --resume`;
    lines.push(`${volume}: stopped (${term(language(), reason)})${how}.`);
  }
  return lines;
}

function nameOf(node: number, names: VerdictContext['names']): string {
  return names[String(node)] ?? `node ${node}`;
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}
