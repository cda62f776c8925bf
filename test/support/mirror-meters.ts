/** What the data actor says that requests take, held against what the pair harness sees. */
import type { Meters } from '../../engine/data/messages.ts';
import { Pair } from './mirror-pair.ts';

const MS = 1000;

/** What host 1 says of the seconds of a run under load, and what was seen of it meanwhile. */
export interface Metered {
  readonly pair: Pair;
  readonly said: Meters[];
  readonly completed: number;
}

/** A few seconds of load, at first with the peer's answers held back by `clog` microseconds. */
export function metered(seed: number, canaries: readonly string[] = [], clog = 0): Metered {
  const pair = new Pair({ seed, canaries });
  const said: Meters[] = [];
  const report = pair.report.bind(pair);
  pair.report = (h, r) => {
    if (r.kind === 'meters' && h.node === 1) said.push(r.meters);
    report(h, r);
  };
  pair.runFor(300 * MS);
  pair.load(true);
  pair.runFor(500 * MS);
  if (clog > 0) pair.clog(1, clog);
  pair.runFor(2_500 * MS);
  pair.load(false);
  pair.runFor(3_000 * MS);
  pair.settle();
  return { pair, said, completed: pair.completedBy(1) };
}

/** A peer that answers late is what the mirror adds, and is said to be. */
export function addedByPeer(seed: number, canaries: readonly string[] = []): Pair {
  const { pair, said } = metered(seed, canaries, 150 * MS);
  const added = said.reduce((sum, { addedMicros }) => sum + addedMicros, 0);
  if (added < 150 * MS) pair.violations.push(`only ${added} µs were the mirror's`);
  return pair;
}
