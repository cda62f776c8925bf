/** A hot set of more than a journal page names: what is written, and what crashes leave of it. */
import { EXTENT_BYTES } from '../../engine/core/units.ts';
import { Decision, Event } from '../../engine/data/abi.ts';
import { extentCount, type MirrorConfig } from '../../engine/mirror/config.ts';
import { Feature } from '../../engine/mirror/features.ts';
import { decodeJournal } from '../../engine/mirror/journal.ts';
import { decodeSuperblock, metadataLayout } from '../../engine/mirror/metadata.ts';
import { type Meta, watchMeta } from './metadata-images.ts';
import { durablySuspect, uncovered } from './mirror-cover.ts';
import { request } from './mirror-errors.ts';
import { LAYOUT, MS } from './mirror-hosts.ts';
import { LONG_CONFIG, Pair } from './mirror-pair.ts';
import { replicaOf } from './mirror-spare.ts';
import { started } from './mirror-swarm.ts';

/** Data written to a block that no host durably suspects (M1): a crash might tear it unseen. */
export function watchColdWrites(pair: Pair): void {
  pair.onDecision = (_h, op, slot, offset, length) => {
    if (op !== Decision.LocalWrite || pair.violations.length > 0) return;
    // A repair writes what the peer has: whatever a crash leaves of it is the same, or unreadable.
    if (slot >= LAYOUT.frontSlots + LAYOUT.peerSlots) return;
    const suspects = pair.hosts.map((host) => durablySuspect(pair.config, host.meta));
    for (let b = Math.floor(offset / 4096); b * 4096 < offset + length; b += 1) {
      if (suspects.some((suspect) => suspect(b))) continue;
      pair.violations.push(`M1: data is written to block ${b}, which nobody durably suspects`);
    }
  };
}

/** As many writes at once as there are slots, each to an extent of its own that is cold. */
export function crowded(seed: number, canaries: readonly string[] = []): Pair {
  const pair = new Pair({ seed, canaries, config: LONG_CONFIG });
  watchColdWrites(pair);
  pair.runFor(300 * MS);
  const sectors = EXTENT_BYTES / 512;
  for (let round = 0; round < 3; round += 1) {
    const first = round * LAYOUT.frontSlots;
    for (let n = 0; n < LAYOUT.frontSlots; n += 1) {
      const extent = (first + n) % extentCount(pair.config);
      request(pair, 1, Event.ReqWrite, extent * sectors + 8 * seed, 8);
    }
    pair.runFor(100 * MS);
    if (pair.host(1).busyFront.some((each) => each !== null)) pair.violations.push('unanswered');
  }
  pair.settle();
  return pair;
}

/** How many of the two superblocks say that a page may need those before it. */
export function windowsSaid(config: MirrorConfig, node: number, meta: Meta): number {
  const { slotA, slotB } = metadataLayout(config);
  return [slotA, slotB].filter((page) => {
    const read = decodeSuperblock(config, node, page, meta.get(page) as Uint8Array);
    return read.ok && (read.block.features.incompatible & Feature.Windows) !== 0;
  }).length;
}

/** Pages that need others, none of them written before both superblocks say that there are such. */
export function saidFirst(
  seed: number,
  canaries: readonly string[] = [],
): { readonly violations: string[]; readonly needing: number } {
  const pair = new Pair({ seed, canaries, config: LONG_CONFIG });
  const { journal, map } = metadataLayout(LONG_CONFIG);
  let needing = 0;
  for (const host of pair.hosts) {
    watchMeta(host, ({ node, page, bytes }) => {
      if (page < journal || page >= map) return;
      const { device } = replicaOf(LONG_CONFIG, host.meta);
      if ((decodeJournal(device, page, bytes)?.window ?? 1) === 1) return;
      needing += 1;
      const said = windowsSaid(LONG_CONFIG, node, host.meta);
      if (said < 2) pair.violations.push(`${said} superblocks say that page ${page} needs others`);
    });
  }
  pair.load(true);
  pair.runFor(300 * MS);
  return { violations: pair.violations, needing };
}

/** Laps of the journal under load, and cores that die in the midst of them. */
export function lapped(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries, LONG_CONFIG);
  watchColdWrites(pair);
  for (let n = 0; n < 12 && pair.violations.length === 0; n += 1) {
    pair.runFor(40 * MS);
    if (n % 4 === 3) pair.crashCore(n % 8 === 3 ? 1 : 2, 20 * MS);
    const hole = uncovered(pair);
    if (hole !== null) pair.violations.push(hole);
  }
  if (pair.violations.length === 0) pair.settle();
  return pair;
}
