/** Verifications in the pair harness. */
import { BLOCK_BYTES } from '../../engine/core/units.ts';
import type { VerifyOrder, VerifyReport } from '../../engine/data/messages.ts';
import { until, watched } from './mirror-cases.ts';
import { BLOCK_SECTORS } from './mirror-errors.ts';
import type { Pair } from './mirror-pair.ts';
import { started } from './mirror-swarm.ts';

const MS = 1000;

/** A verification that was ordered, and all it has said. */
export interface Ordered {
  readonly reports: VerifyReport[];
  /** What it said last. */
  last(): VerifyReport | undefined;
  ended(): boolean;
}

/** Has `node` verify its volume. */
export function order(pair: Pair, node: number, change: Partial<VerifyOrder> = {}): Ordered {
  const reports: VerifyReport[] = [];
  const asked = { id: 1, from: 0, repair: false, bytesPerSecond: 0, ...change };
  const report = pair.report.bind(pair);
  pair.report = (h, r) => {
    if (r.kind === 'verify' && r.id === asked.id) reports.push(r);
    report(h, r);
  };
  pair.command(pair.host(node), { kind: 'verify', order: asked, cause: '' });
  const last = (): VerifyReport | undefined => reports.at(-1);
  const ended = (): boolean => last()?.state === 'done' || last()?.state === 'stopped';
  return { reports, last, ended };
}

/** The same, until it has ended; what it said last. */
export function verified(
  pair: Pair,
  node: number,
  change: Partial<VerifyOrder> = {},
  limit = 10_000 * MS,
): VerifyReport {
  const ordered = order(pair, node, change);
  const ended = until(pair, () => ordered.ended(), limit);
  const last = ordered.last();
  if (!ended || last === undefined) throw new Error('the verification does not end');
  return last;
}

/** Blocks of host `node` become something that nobody wrote there, durably. */
export function corrupt(pair: Pair, node: number, blocks: readonly number[]): void {
  const h = pair.host(node);
  for (const block of blocks) {
    const sector = block * BLOCK_SECTORS + (block % BLOCK_SECTORS);
    h.cache[sector] = 0xbad0000 + block;
    h.stable[sector] = 0xbad0000 + block;
  }
}

/** Blocks of the volume in which the replicas differ. */
export function different(pair: Pair): number[] {
  const [a, b] = pair.hosts;
  const found = new Set<number>();
  for (let s = 0; s < a.sectors; s += 1) {
    if (a.cache[s] !== b.cache[s]) found.add(Math.floor(s / BLOCK_SECTORS));
  }
  return [...found];
}

/** Single blocks of a report's runs. */
export function blocksOf({ runs }: VerifyReport): number[] {
  return runs.flatMap(({ block, blocks }) => Array.from({ length: blocks }, (_, i) => block + i));
}

/** Random blocks of the volume, each once, in order. */
export function someBlocks(pair: Pair, count: number): number[] {
  const all = pair.config.sizeBytes / BLOCK_BYTES;
  const found = new Set<number>();
  while (found.size < count) found.add(pair.rng.below(all));
  return [...found].sort((a, b) => a - b);
}

/** Sound replicas are compared under load: whoever finds a difference was wrong. */
export function verifiedUnderLoad(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.load(true, 8);
  pair.runFor(100 * MS);
  const seen = watched(pair);
  for (let pass = 1; pass <= 3; pass += 1) {
    const { differing, checked, blocks } = verified(pair, 1, { id: pass });
    if (differing > 0) pair.violations.push(`${differing} blocks differ in sound replicas`);
    if (checked < blocks) pair.violations.push(`${checked} of ${blocks} blocks were looked at`);
  }
  if (seen.some(({ report: r }) => r.kind === 'state' && r.link !== 'Connected')) {
    pair.violations.push('a verification cost the link');
  }
  pair.settle();
  return pair;
}
