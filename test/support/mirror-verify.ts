/** Verifications in the pair harness. */
import { BLOCK_BYTES } from '../../engine/core/units.ts';
import { Decision, Event } from '../../engine/data/abi.ts';
import type { VerifyOrder, VerifyReport } from '../../engine/data/messages.ts';
import { formatMetadata } from '../../engine/mirror/metadata.ts';
import { until, watched } from './mirror-cases.ts';
import { BLOCK_SECTORS, blocks, written } from './mirror-errors.ts';
import { LAYOUT } from './mirror-hosts.ts';
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
  const plain = { id: 1, level: 'direct', from: 0, repair: false, bytesPerSecond: 0 } as const;
  const asked: VerifyOrder = { ...plain, ...change };
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

/** Single blocks of a report's runs that differ. */
export function blocksOf({ findings }: VerifyReport): number[] {
  return findings.flatMap(({ block, blocks, what }) => {
    return what === 'differs' ? Array.from({ length: blocks }, (_, i) => block + i) : [];
  });
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
  for (const [pass, level] of (['direct', 'digest'] as const).entries()) {
    const { differing, checked, blocks } = verified(pair, 1, { id: pass + 1, level });
    if (differing > 0) pair.violations.push(`${differing} blocks differ in sound replicas`);
    if (checked < blocks) pair.violations.push(`${checked} of ${blocks} blocks were looked at`);
  }
  if (seen.some(({ report: r }) => r.kind === 'state' && r.link !== 'Connected')) {
    pair.violations.push('a verification cost the link');
  }
  pair.settle();
  return pair;
}

/**
 * The own read of a block that was repaired takes so long that the peer has lost power meanwhile,
 * come back with an empty disk, and is copied to.
 */
export function recheckedLate(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const own = LAYOUT.frontSlots + LAYOUT.peerSlots;
  const h = pair.host(1);
  const all = [...pair.history.sectors.keys()].map((s) => s - (s % BLOCK_SECTORS));
  // Late in the volume, so that the copy has not come there when the read ends.
  const first = Math.max(...all.filter((s) => h.cache[s] !== 0));
  corrupt(pair, 2, [first / BLOCK_SECTORS]);
  let slot = -1;
  let read = false;
  let held: (() => void) | null = null;
  pair.onDecision = (at, op, of) => {
    if (at !== h || of < own) return;
    if (op === Decision.PeerWrite && slot < 0) slot = of;
    if (op === Decision.LocalRead && of === slot) read = true;
  };
  const give = pair.give.bind(pair);
  pair.give = (at, input) => {
    const is = at === h && read && input.op === Event.LocalDone && input.slot === slot;
    if (is && held === null) held = () => give(at, input);
    else give(at, input);
  };
  order(pair, 1, { level: 'digest', repair: true });
  if (!until(pair, () => held !== null)) throw new Error('not read once more');
  pair.powerOff(2);
  const other = pair.host(2);
  for (const { page, bytes } of formatMetadata(pair.config, 2, 100, 'Inconsistent')) {
    other.meta.set(page, bytes);
  }
  other.cache.fill(0);
  other.stable.fill(0);
  until(pair, () => pair.record.members.length === 1);
  pair.powerOn(2);
  let far = false;
  pair.onDecision = (at, op, of, offset) => {
    far ||= at === h && op === Decision.LocalRead && of >= own && of !== slot && offset >= 1 << 20;
  };
  if (!until(pair, () => far, 8_000 * MS)) throw new Error('not copied to');
  (held as (() => void) | null)?.();
  until(pair, () => pair.record.members.length === 2, 8_000 * MS);
  pair.settle();
  if (different(pair).length > 0) pair.violations.push('LAW-cover: what was cleared differs');
  return pair;
}

/** The own disk loses a sector of a block between its comparison and the look after its repair. */
export function unreadAfterRepair(seed: number, canaries: readonly string[] = []): Pair {
  const pair = written(seed, canaries);
  const own = LAYOUT.frontSlots + LAYOUT.peerSlots;
  const [first] = blocks(pair, 1) as [number];
  corrupt(pair, 2, [first / BLOCK_SECTORS]);
  pair.onDecision = (h, op, slot) => {
    if (h.node === 1 && op === Decision.PeerWrite && slot >= own) h.unreadable.add(first);
  };
  order(pair, 1, { level: 'digest', repair: true });
  pair.runFor(2_000 * MS);
  const there = pair.host(2).cache.slice(first, first + BLOCK_SECTORS);
  if (there.includes(0xbadbad)) {
    pair.violations.push('LAW-register: what a failed read left is on the other disk');
  }
  return pair;
}

/** A digest that came over the wire is worth nothing before it was held against the own disk. */
export function digestsHeld(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(100 * MS);
  pair.load(false);
  pair.runFor(1_000 * MS);
  const bad = someBlocks(pair, 9);
  corrupt(pair, 1 + (seed % 2), bad);
  const found = blocksOf(verified(pair, 1, { level: 'digest' }));
  if (found.join() !== bad.join()) pair.violations.push(`found ${found} of ${bad}`);
  return pair;
}

/** What is left of a pass is done by another one: together they find all there is. */
export function interrupted(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(100 * MS);
  pair.load(false);
  pair.runFor(1_000 * MS);
  const bad = someBlocks(pair, 60);
  corrupt(pair, 2, bad);
  const level = seed % 2 === 0 ? 'direct' : 'digest';
  let report: VerifyReport | undefined;
  for (let id = 1; report?.state !== 'done' && id < 200; id += 1) {
    const found = report === undefined ? {} : { found: report };
    const ordered = order(pair, 1, { id, level, from: report?.cursor ?? 0, ...found });
    until(pair, () => ordered.last()?.id === id);
    pair.runFor(pair.rng.between(1, 40) * MS);
    pair.command(pair.host(1), { kind: 'verify', order: null, cause: '' });
    until(pair, () => ordered.ended());
    report = ordered.last();
  }
  const found = report === undefined ? [] : blocksOf(report);
  const once = [...new Set(found)].sort((a, b) => a - b);
  if (once.join() !== bad.join()) pair.violations.push(`found ${once} of ${bad}`);
  return pair;
}

/** How much of the time a chunk is in hand while clients never rest. */
export function roomForClients(
  seed: number,
  canaries: readonly string[] = [],
): { readonly share: number; readonly violations: readonly string[] } {
  const pair = started(seed, canaries);
  pair.load(true, 8);
  pair.runFor(200 * MS);
  const first = LAYOUT.frontSlots + LAYOUT.peerSlots;
  let busy = 0;
  let since = -1;
  pair.onDecision = (h, op, slot) => {
    if (h.node !== 1 || slot < first) return;
    if (op === Decision.PeerRead) since = pair.now;
  };
  const ordered = order(pair, 1, { level: 'digest' });
  until(pair, () => ordered.reports.length > 0);
  const began = pair.now;
  const h = pair.host(1);
  const step = h.actor?.step.bind(h.actor);
  if (h.actor !== null && step !== undefined) {
    h.actor.step = (count, now) => {
      for (let r = 0; r < count; r += 1) {
        const ended = h.memory.events.op(r) === Event.LocalDone;
        if (!ended || h.memory.events.slot(r) < first || since < 0) continue;
        busy += pair.now - since;
        since = -1;
      }
      return step(count, now);
    };
  }
  const violations: string[] = [];
  if (!until(pair, () => ordered.ended(), 20_000 * MS)) violations.push('it does not end');
  const share = busy / (pair.now - began);
  if (share > 0.4) violations.push(`a chunk is in hand ${Math.round(share * 100)} % of the time`);
  return { share, violations };
}

/** Metadata are compared through whatever happens to sound replicas: they disagree on nothing. */
export function quickThroughFaults(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  let id = 0;
  const report = pair.report.bind(pair);
  pair.report = (h, r) => {
    if (r.kind === 'verify' && r.disagreements.length > 0) {
      const what = r.disagreements.map((each) => `${each.what} ${JSON.stringify(each.says)}`);
      pair.violations.push(`sound replicas disagree: ${what}`);
    }
    report(h, r);
  };
  const plain = { level: 'quick', from: 0, repair: false, bytesPerSecond: 0 } as const;
  for (let round = 0; round < 40 && pair.violations.length === 0; round += 1) {
    for (const h of pair.hosts) {
      id += 1;
      pair.command(h, { kind: 'verify', order: { id, ...plain }, cause: '' });
    }
    pair.runFor(pair.rng.between(1, 120) * MS);
    if (round % 6 === 5) pair.fault();
    if (round % 4 === 3) pair.switchOver();
  }
  if (pair.violations.length === 0) pair.settle();
  return pair;
}
