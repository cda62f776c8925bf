/** The branch that was given up and is kept, in the pair harness: what its log alone gives. */
import type { KeptBranch, LostBranch } from '../../engine/data/messages.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { keepsBranch } from '../../engine/mirror/metadata.ts';
import { type UndoLayout, undoLayout } from '../../engine/mirror/undo-log.ts';
import { slowSuperblocks } from './mirror-async.ts';
import { tell, until, watched } from './mirror-cases.ts';
import { type Host, MS, SIDE_PAGE } from './mirror-hosts.ts';
import type { Pair } from './mirror-pair.ts';
import {
  FORK,
  type Fork,
  type ForkOptions,
  forked,
  give,
  orderOf,
  resolved,
  TAKER,
} from './mirror-split.ts';
import { imageOf, runsOf, SIDE_CONFIG, superblockOf } from './mirror-undo.ts';

/** What no write has: of a sector that the log does not give. */
const NOT_THERE = 0xffffffff;
/** Stamps from here on are of no write either. */
const FILLED = 0x40000000;

export interface Kept extends Fork {
  readonly victim: Host;
  readonly told: { branch: KeptBranch | null; lost?: LostBranch | undefined };
}

/** Two branches, and the order to give that of `victim` up, just given. */
export function givingUp(
  seed: number,
  victim: number,
  options: ForkOptions = {},
  before: (kept: Kept) => void = () => {},
): Kept {
  const fork = forked(seed, { config: SIDE_CONFIG, ...options });
  const { pair } = fork;
  const told: Kept['told'] = { branch: null, lost: undefined };
  const report = pair.report.bind(pair);
  pair.report = (h, said) => {
    if (said.kind === 'kept-branch' && h.node === victim) {
      told.branch = said.branch;
      told.lost = said.lost;
    }
    report(h, said);
  };
  const kept = { ...fork, victim: pair.host(victim), told };
  before(kept);
  give(fork, orderOf(fork, victim));
  return kept;
}

/** The same, carried out. */
export function keptOf(seed: number, options: ForkOptions = {}): Kept {
  const kept = givingUp(seed, 1 + (seed % 2), options);
  resolved(kept, kept.victim.node);
  return kept;
}

/** The branch that the side area of `h` gives by itself; null where the superblock names none. */
export function branchImage(config: MirrorConfig, h: Host): Uint32Array | null {
  if (!keepsBranch(superblockOf(config, h))) return null;
  return imageOf(h, new Uint32Array(h.sectors).fill(NOT_THERE), runsOf(config, h));
}

/** Says so where the branch is not kept as it was when the two met. */
export function judgeBranch({ pair, kept, victim }: Kept, config = pair.config): void {
  const image = branchImage(config, victim);
  if (image === null) {
    pair.violations.push('the branch is not kept');
    return;
  }
  // Pages of the log and what blocks held are one area on a real disk, and two here.
  const { payload } = undoLayout(config.sideBytes) as UndoLayout;
  if (runsOf(config, victim).some(({ page }) => page < payload)) {
    pair.violations.push('the log has overwritten what it saved of the branch');
    return;
  }
  const zero = (stamp: number) => pair.zeroes.all(Uint32Array.of(stamp));
  const was = kept[victim.node - 1] as Uint32Array;
  for (let at = 0; at < victim.sectors; at += 1) {
    const [is, ought] = [image[at] as number, was[at] as number];
    if (is === ought || (is !== NOT_THERE && zero(is) && zero(ought))) continue;
    pair.violations.push(`the branch is another one: sector ${at} is ${is}, and was ${ought}`);
    return;
  }
}

/** The kinds of the events of its mirror that `h` tells of from here on, in order. */
export function eventsOf({ pair }: Fork, h: Host): string[] {
  const kinds: string[] = [];
  const report = pair.report.bind(pair);
  pair.report = (at, said) => {
    if (said.kind === 'event' && at === h) kinds.push(said.event.kind);
    report(at, said);
  };
  return kinds;
}

/** The victim has something in every block, so that all of them take room. */
export function filled({ kept, victim }: Kept): void {
  const was = kept[victim.node - 1] as Uint32Array;
  for (let at = 0; at < victim.sectors; at += 1) {
    if (was[at] !== 0) continue;
    for (const medium of [was, victim.cache, victim.stable]) medium[at] = FILLED + at;
  }
}

/** The same, and the source has the very same where neither had anything. */
export function filledAlike({ pair, kept, victim }: Kept): void {
  const [a, b] = kept;
  for (let at = 0; at < victim.sectors; at += 1) {
    if (a[at] !== 0 || b[at] !== 0) continue;
    const media = pair.hosts.flatMap(({ cache, stable }) => [cache, stable]);
    for (const medium of [a, b, ...media]) medium[at] = FILLED + at;
  }
}

/** The host starts anew with a side area of so many bytes; what stood in it stays where it was. */
export function resized({ pair, victim }: Kept, sideBytes: number): void {
  pair.powerOff(victim.node);
  pair.config = { ...pair.config, sideBytes };
  const all = Math.max(victim.cache.length, victim.sideAt + sideBytes / 512);
  for (const medium of ['cache', 'stable'] as const) {
    const grown = new Uint32Array(all);
    grown.set(victim[medium]);
    Object.assign(victim, { [medium]: grown });
  }
  pair.powerOn(victim.node);
}

/**
 * A log of its side area loses batch `number` in both places, its head where that is -1. Returns
 * what puts them back: whatever was the matter has passed.
 */
export function spoilBatch({ pair, victim }: Kept, number: number): () => void {
  const { copies } = undoLayout(pair.config.sideBytes) as UndoLayout;
  pair.powerOff(victim.node);
  const pages = copies.map((copy) => SIDE_PAGE + copy + 1 + number);
  const was = pages.map((page) => victim.meta.get(page) as Uint8Array);
  for (const page of pages) victim.meta.delete(page);
  return () => {
    for (const [i, page] of pages.entries()) victim.meta.set(page, was[i] as Uint8Array);
  };
}

/** One branch is given up and kept; then the same host is copied to once more, as any is. */
export function copiedOnceMore(seed: number, canaries: readonly string[] = []): Pair {
  const config = { ...SIDE_CONFIG, skipEqual: seed % 3 === 0 ? ('on' as const) : ('off' as const) };
  const kept = givingUp(seed, 1 + (seed % 2), { canaries, config });
  const { pair, victim } = kept;
  const { rng } = pair;
  for (let n = rng.below(3); n > 0; n -= 1) {
    pair.runFor(rng.between(1, 60) * MS);
    const node = rng.below(3) === 0 ? 3 - victim.node : victim.node;
    if (rng.below(2) === 0) pair.powerOff(node);
    else pair.crashCore(node, rng.between(1, 50) * MS);
    pair.runFor(rng.between(20, 200) * MS);
    pair.powerOn(node);
  }
  resolved(kept, victim.node);
  if (pair.violations.length > 0) return pair;
  judgeBranch(kept);
  pair.load(true);
  pair.runFor(300 * MS);
  pair.cut();
  until(pair, () => pair.record.members.length === 1);
  pair.runFor(200 * MS);
  pair.heal();
  pair.runFor(rng.between(10, 100) * MS);
  if (rng.below(2) === 0) pair.powerOff(victim.node);
  pair.runFor(200 * MS);
  if (pair.violations.length === 0) pair.settle();
  judgeBranch(kept);
  return pair;
}

/**
 * Where host 2 keeps a branch: the two part once more, host 2 leads again, and what it has then is
 * given up as well.
 */
export function givenUpAgain(kept: Kept): void {
  const { pair, branches } = kept;
  const [a, b] = pair.hosts;
  const wrote = () => {
    pair.load(true, 8);
    pair.runFor(300 * MS);
    pair.load(false);
    pair.runFor(200 * MS);
  };
  pair.powerOff(2);
  until(pair, () => pair.record.members.length === 1);
  wrote();
  pair.powerOff(1);
  pair.powerOn(2);
  const { discard: _, ...record } = pair.record;
  pair.record = record;
  const mine = { members: [{ node: 2, boot: b.boot }], generation: FORK + 10 };
  tell(pair, [2], { primary: 2, ...mine, epoch: record.epoch + 1 });
  wrote();
  const seen = watched(pair, (report) => report.kind !== 'branch');
  pair.powerOn(1);
  pair.runFor(1_500 * MS);
  for (const { node, report } of seen) {
    if (report.kind === 'branch') branches[node - 1] = report.branch;
  }
  const epoch = Math.max(pair.record.epoch, ...branches.map((branch) => branch?.epoch ?? 0)) + 1;
  tell(pair, [1, 2], { epoch, discard: { ...orderOf(kept, 2), order: 2 } });
  pair.runFor(300 * MS);
  const members = [{ node: 1, boot: a.boot }];
  tell(pair, [1, 2], { primary: 1, members, generation: TAKER + 10 });
}

/** One branch is kept where a way back is required; then the same host is to be copied to. */
export function heldByBranch(seed: number, canaries: readonly string[] = []): Kept {
  const kept = keptOf(seed, { canaries, config: { ...SIDE_CONFIG, undoRequired: true } });
  const { pair } = kept;
  pair.load(true);
  pair.cut();
  until(pair, () => pair.record.members.length === 1);
  pair.runFor(300 * MS);
  pair.heal();
  pair.runFor(2_000 * MS);
  return kept;
}

/**
 * A branch is dropped so long before the next copy to the same host begins, by a disk that is slow
 * to say so durably; and that host loses power as long after it. Null where no copy began.
 */
export function droppedAsCopyBegins(
  early: number,
  dark: number,
  canaries: readonly string[] = [],
): Kept | null {
  const began = copyBegins(canaries, null, 0);
  return began === null ? null : (copyBegins(canaries, began.at - early, dark)?.kept ?? null);
}

/** The same schedule, with the order to drop it at that time, if at any. */
function copyBegins(
  canaries: readonly string[],
  dropAt: number | null,
  dark: number,
): { readonly at: number; readonly kept: Kept } | null {
  const kept = keptOf(1, { canaries });
  const { pair, victim, told } = kept;
  const { generation } = told.branch as KeptBranch;
  slowSuperblocks(pair, victim.node);
  let at = 0;
  const report = pair.report.bind(pair);
  pair.report = (h, said) => {
    const starts = said.kind === 'event' && said.event.kind === 'mirror.target.start';
    if (h === victim && starts && at === 0) at = pair.now;
    report(h, said);
  };
  pair.load(true);
  pair.cut();
  until(pair, () => pair.record.members.length === 1);
  pair.runFor(100 * MS);
  if (dropAt !== null) {
    pair.after(dropAt - pair.now, () => {
      pair.command(victim, { kind: 'drop-branch', generation, cause: 'c' });
    });
  }
  pair.heal();
  if (!until(pair, () => at > 0)) return null;
  if (dropAt === null) return { at, kept };
  pair.runFor(dark);
  pair.powerOff(victim.node);
  return { at, kept };
}

/** A branch of which a page is lost in both places. */
export function damagedBranch(): Pair {
  const kept = keptOf(8);
  spoilBatch(kept, 1);
  kept.pair.powerOn(kept.victim.node);
  kept.pair.settle();
  return kept.pair;
}

/** A branch that a person drops. */
export function droppedBranch(): Pair {
  const { pair, told, victim } = keptOf(3);
  const { generation } = told.branch as KeptBranch;
  pair.command(victim, { kind: 'drop-branch', generation, cause: 'c' });
  pair.runFor(100 * MS);
  return pair;
}
