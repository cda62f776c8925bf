/**
 * A simulated disk that comes back with old content: what was durable at some moment, data and
 * metadata together, and what the disk ought to hold in its place.
 */
import type { DiskCache } from './disk-cache.ts';
import { type Span, WHOLE } from './disk-options.ts';
import type { Spoils } from './spoils.ts';

interface DiskImage {
  readonly media: Int32Array;
  readonly meta: Uint8Array;
}

export class DiskImages {
  readonly #images = new Map<number, DiskImage>();
  /** What reads returned before the last loss of power. */
  readonly #beforeCrash: Int32Array;
  readonly #spoils: Spoils;

  constructor(beforeCrash: Int32Array, spoils: Spoils) {
    this.#beforeCrash = beforeCrash;
    this.#spoils = spoils;
  }

  /** Power is about to be lost; `view` is what reads return. */
  powerLost(view: Int32Array): void {
    this.#beforeCrash.set(view);
  }

  /** Notes what is durable now, under a number. */
  take(number: number, { media }: DiskCache, meta: Uint8Array): void {
    this.#images.set(number, { media: media.slice(), meta: meta.slice() });
  }

  /**
   * Puts back what was noted; sectors from `sideAt` on owe nobody anything. Of a part of the disk
   * only its own sectors, no side area and no metadata. Whether anything is different now; null
   * when nothing was noted.
   */
  put(
    number: number,
    cache: DiskCache,
    meta: Uint8Array,
    sideAt: number,
    span: Span = WHOLE,
  ): boolean | null {
    const image = this.#images.get(number);
    if (image === undefined) return null;
    const spoils = this.#spoils;
    const { media, view } = cache;
    let differs = false;
    for (let at = span.first; at < Math.min(sideAt, span.end); at += 1) {
      // What the loss of power took would be copied anew, had the disk not forgotten that too.
      const kept = spoils.ought(media[at] as number);
      const ought = Math.max(kept, spoils.ought(this.#beforeCrash[at] as number));
      if (kept === ought && media[at] === image.media[at]) continue;
      differs = true;
      cache.harden(at, spoils.stamp(image.media[at] as number, ought));
    }
    for (let at = sideAt; at < media.length && span === WHOLE; at += 1) {
      if (media[at] !== image.media[at]) cache.harden(at, image.media[at] as number);
    }
    cache.tellHardened();
    view.set(media);
    if (span !== WHOLE) return differs;
    for (let i = 0; i < image.meta.length && !differs; i += 1) differs = meta[i] !== image.meta[i];
    meta.set(image.meta);
    return differs;
  }
}
