/**
 * Damages every page of recorded replicas in every way, and says what the engine then claims
 * although it must not: rot and stray writes in one page, and writes that the disk lost.
 */

import { PAGE_WORDS } from '../../engine/mirror/block-map.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { decodeJournal, type JournalRead } from '../../engine/mirror/journal.ts';
import { decodeMapPage, decodeSuperblock, metadataLayout } from '../../engine/mirror/metadata.ts';
import { type Claims, noClaims, raiseClaims } from '../../engine/mirror/page.ts';
import {
  damagesOf,
  type Image,
  type Meta,
  overclaimed,
  recordImages,
  truthOf,
} from './metadata-images.ts';
import { LONG_CONFIG, PAIR_CONFIG, Pair } from './mirror-pair.ts';
import { replicaOf } from './mirror-spare.ts';

const MS = 1000;

/** What came of damaging images. */
export interface Findings {
  readonly violations: string[];
  tried: number;
  /** Lost writes that another page's claims give away, and such that nothing in the area can. */
  told: number;
  untold: number;
}

/** A primary that loses its peer, goes alone, and gets it back. */
function alone(pair: Pair): void {
  pair.runFor(200 * MS);
  pair.load(true);
  pair.runFor(200 * MS);
  pair.powerOff(2);
  pair.runFor(900 * MS);
  pair.powerOn(2);
  pair.runFor(400 * MS);
}

/** Images of the primary that goes alone, or of the secondary that comes back. */
export function imagesOf(
  seed: number,
  node: number,
  every: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = PAIR_CONFIG,
): Image[] {
  const pair = new Pair({ seed, canaries, config });
  return recordImages(pair, node, every, alone);
}

/** Damages one page at a time. */
export function rot(images: readonly Image[], canaries: readonly string[] = []): Findings {
  const findings: Findings = { violations: [], tried: 0, told: 0, untold: 0 };
  for (const [i, image] of images.entries()) {
    const truth = truthOf(image);
    for (const page of image.meta.keys()) {
      for (const [name, bytes] of damagesOf(image, page)) {
        findings.tried += 1;
        const claim = overclaimed(image, truth, new Map([[page, bytes]]), canaries);
        if (claim !== null) findings.violations.push(`image ${i} page ${page} ${name}: ${claim}`);
      }
    }
  }
  return findings;
}

/** Takes one page, or both superblocks, back to what they held before. */
export function stale(images: readonly Image[], canaries: readonly string[] = []): Findings {
  const findings: Findings = { violations: [], tried: 0, told: 0, untold: 0 };
  for (const [i, image] of images.entries()) {
    const truth = truthOf(image);
    for (const damage of lostWrites(image)) {
      findings.tried += 1;
      const told = isTold(image, damage);
      if (told) findings.told += 1;
      else findings.untold += 1;
      const claim = overclaimed(image, truth, damage, canaries);
      if (claim === null || !told) continue;
      findings.violations.push(`image ${i} pages ${[...damage.keys()].join(' ')}: ${claim}`);
    }
  }
  return findings;
}

function lostWrites(image: Image): Meta[] {
  const { slotA, slotB } = metadataLayout(image.config);
  const damages: Map<number, Uint8Array>[] = [];
  for (const [page, past] of image.past) {
    for (const bytes of past) damages.push(new Map([[page, bytes]]));
  }
  for (const a of image.past.get(slotA) ?? []) {
    for (const b of image.past.get(slotB) ?? []) {
      damages.push(
        new Map([
          [slotA, a],
          [slotB, b],
        ]),
      );
    }
  }
  return damages;
}

/** What the area says of itself: of each kind of page what is there, and what others claim. */
function claimsIn(image: Image, meta: Meta): { there: Claims; claimed: Claims } {
  const { config, node } = image;
  const layout = metadataLayout(config);
  const { device } = replicaOf(config, new Map(image.meta));
  const there = noClaims();
  const claimed = noClaims();
  for (const [page, bytes] of meta) {
    if (page === layout.slotA || page === layout.slotB) {
      const read = decodeSuperblock(config, node, page, bytes);
      if (!read.ok) continue;
      there.superblock = Math.max(there.superblock, read.block.seq);
      raiseClaims(claimed, read.claims);
    } else if (page < layout.map) {
      const read = decodeJournal(device, page, bytes);
      there.journal = Math.max(there.journal, read?.seq ?? 0);
      if (read) raiseClaims(claimed, read.claims);
    } else {
      const at = page - layout.map;
      const read = decodeMapPage(device, page, at, bytes, new Uint32Array(PAGE_WORDS));
      there.mapWrites += read?.seq ?? 0;
      if (read) raiseClaims(claimed, read.claims);
    }
  }
  return { there, claimed };
}

/**
 * Whether anything gives the lost write away. One slot of the superblock needs nothing, for the
 * other has the same; a page of the journal before the newest was not needed any more. Of the rest,
 * what nobody has written about since no code can know.
 */
function isTold(image: Image, damage: Meta): boolean {
  const layout = metadataLayout(image.config);
  const pages = [...damage.keys()];
  const left = new Map([...image.meta, ...damage]);
  const now = claimsIn(image, left);
  const whole = claimsIn(image, image.meta);
  if (pages.length > 1) return now.claimed.superblock > now.there.superblock;
  const page = pages[0] as number;
  if (page === layout.slotA || page === layout.slotB) return true;
  if (page >= layout.map) return now.claimed.mapWrites > now.there.mapWrites;
  const newest = now.there.journal === whole.there.journal;
  return newest || now.claimed.journal > now.there.journal;
}

/** Runs until something is claimed that must not be: for the planted bugs. */
export function rotten(seed: number, canaries: readonly string[] = []): Findings {
  return rot(imagesOf(seed, 1, 60, canaries), canaries);
}

/** As {@link rotten}, with a hot set of several journal pages. */
export function rottenLap(seed: number, canaries: readonly string[] = []): Findings {
  return rot(lapImages(seed, 120, canaries), canaries);
}

/** Images in which the newest journal page needs others. */
export function lapImages(seed: number, every: number, canaries: readonly string[] = []): Image[] {
  return imagesOf(seed, 1, every, canaries, LONG_CONFIG).filter((image) => windowOf(image) > 1);
}

/** Journal pages that name the hot set of an image. */
export function windowOf({ config, meta }: Image): number {
  const { journal, map } = metadataLayout(config);
  const { device } = replicaOf(config, new Map(meta));
  let newest: JournalRead | null = null;
  for (let page = journal; page < map; page += 1) {
    const read = decodeJournal(device, page, meta.get(page) as Uint8Array);
    if (read !== null && read.seq > (newest?.seq ?? -1)) newest = read;
  }
  return newest?.window ?? 0;
}

/** As {@link rotten}, with lost writes. */
export function stalePages(seed: number, canaries: readonly string[] = []): Findings {
  return stale(imagesOf(seed, 1, 20, canaries), canaries);
}
