/** Copies that compare digests: what is found equal has a history, or an answer comes late. */
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { until } from './mirror-cases.ts';
import { done } from './mirror-errors.ts';
import { MS } from './mirror-hosts.ts';
import { Many, TRIO_CONFIG } from './mirror-many.ts';
import { PAIR_CONFIG, Pair } from './mirror-pair.ts';
import { mostlyEqual, readsTake, wroteAlone } from './mirror-skip.ts';
import { SUMS_CONFIG } from './mirror-sums.ts';
import { corrupt } from './mirror-verify.ts';

/** Blocks of an extent of the harness. */
const EXTENT = 256;

/** What came of {@link oldMemberBack}. */
export interface OldMember {
  readonly many: Many;
  /** What hosts 2 and 3 have in the block in the end. */
  readonly held: readonly (number | undefined)[];
}

/**
 * Of three, host 2 gets back a disk of before, which has in one block what it had before all three
 * took something else there, and what the primary has written since host 3 was left out. So the
 * copy of everything finds it equal, and host 3 has what was there in between. Then host 2 leads.
 */
export function oldMemberBack(
  seed: number,
  skipEqual: 'on' | 'off',
  canaries: readonly string[] = [],
): OldMember {
  const many = new Many({ seed, canaries, config: { ...TRIO_CONFIG, skipEqual } });
  many.runFor(300 * MS);
  const named = (): string => many.record.members.map(({ node }) => node).join();
  const members = (...nodes: number[]): void => {
    if (!until(many, () => named() === nodes.join())) throw new Error(`members ${named()}`);
    many.runFor(300 * MS);
  };
  const block = 40 + (seed % 64);
  const must = (op: number, at: number, sectors: number): void => {
    const status = done(many, many.record.primary, op, at, sectors);
    if (status !== 0) throw new Error(`status ${status}`);
  };
  const write = (at = block): void => {
    must(Event.ReqWrite, 8 * at, 8);
    must(Event.ReqFlush, 0, 0);
  };
  const [one, two] = [many.host(1), many.host(2)];
  /** Other extents are hot after this. */
  const cool = (): void => {
    for (let round = 0; round < 2; round += 1) {
      for (let at = EXTENT; 8 * at < one.sectors; at += EXTENT) {
        write(at);
        many.runFor(20 * MS);
      }
    }
    many.runFor(300 * MS);
  };
  write();
  cool();
  const stable = two.stable.slice();
  const meta = new Map([...two.meta].map(([page, bytes]) => [page, bytes.slice()] as const));
  many.powerOff(2);
  members(1, 3);
  write(EXTENT + 5);
  many.powerOn(2);
  members(1, 2, 3);
  write();
  cool();
  many.cutWhere((_, to) => to === 3);
  members(1, 2);
  write();
  many.runFor(300 * MS);
  many.powerOff(2);
  members(1);
  write(EXTENT + 3);
  two.stable.set(stable);
  for (let at = 8 * block; at < 8 * block + 8; at += 1) two.stable[at] = one.cache[at] as number;
  two.cache.set(two.stable);
  two.meta = meta;
  many.powerOn(2);
  members(1, 2);
  many.runFor(1_000 * MS);
  many.powerOff(1);
  until(many, () => many.takeOvers > 0);
  many.healAll();
  until(many, () => named() === '2,3');
  many.runFor(300 * MS);
  const held = [2, 3].map((node) => many.host(node).cache[8 * block]);
  if (many.violations.length === 0) many.settle();
  return { many, held };
}

/** How long a target whose reads take `factor` times as long as a peer may be silent is filled. */
export function filledSlowly(
  config: Partial<MirrorConfig>,
  blocks: number,
  factor: number,
): number {
  const pair = mostlyEqual(3, { ...PAIR_CONFIG, ...config }, 4);
  for (let at = 0; at < blocks; at += 1) done(pair, 1, Event.ReqWrite, 8 * (400 + at), 8);
  readsTake(pair, () => factor * pair.config.peerTimeout);
  pair.heal();
  const begun = pair.now;
  const end = begun + 120_000 * MS;
  while (pair.now < end && pair.record.members.length < 2) pair.runFor(50 * MS);
  if (pair.violations.length > 0) throw new Error(pair.violations.join());
  return pair.now - begun;
}

/**
 * The source reads a piece to hold it against the target's digest, for so long that the target has
 * lost power in between, with what its cache alone had.
 */
export function comparedTooLate(seed: number, canaries: readonly string[] = []): Pair {
  const barriers = { barrierDelay: 60_000 * MS, barrierWrites: 4096 };
  const small = { resyncWindow: 1, resyncChunk: 4096 };
  const config = { ...PAIR_CONFIG, skipEqual: 'on' as const, ...barriers, ...small };
  const pair = new Pair({ seed, canaries, config });
  pair.runFor(300 * MS);
  wroteAlone(pair);
  const [decide, io] = [pair.decide.bind(pair), pair.io.bind(pair)];
  let slow = false;
  let reads = 0;
  pair.decide = (h, d) => {
    const { decisions } = h.memory;
    const checks = (decisions.flags(d) & Flag.Check) !== 0;
    slow = h.node === 1 && checks && decisions.op(d) === Decision.LocalRead && reads === 0;
    if (slow) reads += 1;
    decide(h, d);
    slow = false;
  };
  pair.io = (h, apply, end) => {
    if (slow) pair.after(600 * MS, () => io(h, apply, end));
    else io(h, apply, end);
  };
  pair.heal();
  until(pair, () => reads > 0);
  pair.powerOff(2);
  pair.runFor(1_000 * MS);
  done(pair, 1, Event.ReqFlush, 0, 0);
  pair.runFor(300 * MS);
  pair.powerOn(2);
  pair.runFor(700 * MS);
  if (pair.violations.length === 0) pair.settle();
  return pair;
}

/** What a read of a block answers that contradicts its checksum at the source, and differs. */
export function mismatchAtSource(
  skipEqual: 'on' | 'off',
  resyncChunk: number,
  canaries: readonly string[] = [],
): number {
  const pair = mostlyEqual(5, { ...SUMS_CONFIG, skipEqual, resyncChunk }, 4, canaries);
  corrupt(pair, 1, [3]);
  pair.heal();
  pair.settle();
  return done(pair, pair.record.primary, Event.ReqRead, 24, 8);
}
