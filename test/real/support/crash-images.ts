/**
 * What a crash may leave: of a recorded replica at a moment, every image that the order of its
 * flushes allows. A sector of data has any value from the last stable one on, each on its own; a
 * sector of a metadata page in flight is old or new.
 */
import type { Rng } from '../../../engine/core/rng.ts';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import type { MirrorConfig } from '../../../engine/mirror/config.ts';
import { formatMetadata } from '../../../engine/mirror/metadata.ts';
import { SECTOR } from '../../support/mirror-hosts.ts';
import type { Entry } from './recorded-pair.ts';

/** What a replica's medium holds: the stamp of every sector written, and the metadata. */
export interface DiskImage {
  readonly sectors: ReadonlyMap<number, number>;
  readonly meta: ReadonlyMap<number, Uint8Array>;
}

/** The images that a crash may leave, as choices: choice i has options[i] outcomes. */
export interface Leavings {
  readonly options: readonly number[];
  /** Options in all. */
  readonly count: number;
  image(choices: readonly number[]): DiskImage;
}

/** What node's replica may be after `entries[0, until)`, if its power goes then. */
export function leavings(
  config: MirrorConfig,
  node: number,
  entries: readonly Entry[],
  until: number,
): Leavings {
  const base = new Map(formatMetadata(config, node, 100, 'UpToDate').map((p) => [p.page, p.bytes]));
  const versions = new Map<number, { id: number; stamp: number }[]>();
  const writes = new Map<number, Entry & { what: 'data' }>();
  const flushes = new Map<number, readonly number[]>();
  const metas = new Map<number, Entry & { what: 'meta' }>();
  const stable = new Set<number>();
  for (let i = 0; i < until; i += 1) {
    const e = entries[i] as Entry;
    if (e.what === 'begin' || e.what === 'end' || e.node !== node) continue;
    if (e.what === 'data') {
      writes.set(e.id, e);
      for (const [at, stamp] of e.stamps.entries()) {
        const list = versions.get(e.first + at) ?? [];
        list.push({ id: e.id, stamp });
        versions.set(e.first + at, list);
      }
    } else if (e.what === 'meta') metas.set(e.id, e);
    else if (e.what === 'flush') flushes.set(e.id, e.covers);
    else {
      for (const id of flushes.get(e.id) ?? []) stable.add(id);
      if (writes.get(e.id)?.fua) stable.add(e.id);
      const meta = metas.get(e.id);
      if (meta !== undefined) base.set(meta.page, meta.bytes);
      metas.delete(e.id);
    }
  }
  const options: number[] = [];
  const places: ((
    sectors: Map<number, number>,
    meta: Map<number, Uint8Array>,
    n: number,
  ) => void)[] = [];
  const fixed = new Map<number, number>();
  for (const [sector, list] of versions) {
    const floor = list.findLastIndex(({ id }) => stable.has(id));
    const open = list.slice(floor + 1);
    if (floor >= 0) fixed.set(sector, list[floor]?.stamp as number);
    if (open.length === 0) continue;
    options.push(open.length + 1);
    places.push((sectors, _meta, n) => {
      if (n > 0) sectors.set(sector, open[n - 1]?.stamp as number);
    });
  }
  for (const { page, bytes } of metas.values()) {
    const old = base.get(page) ?? new Uint8Array(PAGE_BYTES);
    for (let at = 0; at < PAGE_BYTES; at += SECTOR) {
      const fresh = bytes.subarray(at, at + SECTOR);
      if (fresh.every((byte, i) => byte === old[at + i])) continue;
      options.push(2);
      places.push((_sectors, meta, n) => {
        if (n === 0) return;
        const left = (meta.get(page) ?? old).slice();
        left.set(fresh, at);
        meta.set(page, left);
      });
    }
  }
  return {
    options,
    count: options.reduce((product, n) => product * n, 1),
    image: (choices) => {
      const sectors = new Map(fixed);
      const meta = new Map(base);
      for (const [i, place] of places.entries()) place(sectors, meta, choices[i] ?? 0);
      return { sectors, meta };
    },
  };
}

/** What is left when only the process ends: the kernel carries out all that it was given. */
export function landed(all: Leavings): DiskImage {
  return all.image(all.options.map((n) => n - 1));
}

/** Every image, when there are at most `most`; else so many drawn from `rng`, extremes first. */
export function* imagesFrom(all: Leavings, most: number, rng: Rng): Generator<DiskImage> {
  const { options } = all;
  if (all.count <= most) {
    for (let n = 0; n < all.count; n += 1) {
      let rest = n;
      const choices = options.map((count) => {
        const choice = rest % count;
        rest = Math.floor(rest / count);
        return choice;
      });
      yield all.image(choices);
    }
    return;
  }
  yield all.image([]);
  yield landed(all);
  for (let n = 2; n < most; n += 1) yield all.image(options.map((count) => rng.below(count)));
}

/** Per sector that the client wrote, the stamps that may be found after a recovery. */
export function allowed(
  entries: readonly Entry[],
  until: number,
  keeps: 'acknowledged' | 'flushed',
): Map<number, ReadonlySet<number>> {
  const begun = new Map<number, Entry & { what: 'begin' }>();
  const order: number[] = [];
  const ended = new Set<number>();
  const kept = new Set<number>();
  /** What was acknowledged when each flush began. */
  const covers = new Map<number, readonly number[]>();
  for (let i = 0; i < until; i += 1) {
    const e = entries[i] as Entry;
    if (e.what === 'begin') {
      begun.set(e.op, e);
      if (e.count > 0) order.push(e.op);
      else covers.set(e.op, [...ended]);
    } else if (e.what === 'end') {
      ended.add(e.op);
      if (keeps === 'acknowledged' || begun.get(e.op)?.fua) kept.add(e.op);
      for (const op of covers.get(e.op) ?? []) kept.add(op);
    }
  }
  const result = new Map<number, Set<number>>();
  for (const op of order) {
    const { first, count, stamp } = begun.get(op) as Entry & { what: 'begin' };
    for (let s = first; s < first + count; s += 1) {
      const stamps = result.get(s) ?? new Set([0]);
      if (kept.has(op)) stamps.clear();
      stamps.add(stamp);
      result.set(s, stamps);
    }
  }
  return result;
}
