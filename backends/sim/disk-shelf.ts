/**
 * Where the disks of a host stand that are not in use: each can be put in again, as it was when it
 * was taken out, by the path by which the host knew it.
 */
import type { DiskCache } from './disk-cache.ts';

/** The rest of the disk: its metadata, twice, and what is told that all of it is another one. */
export interface Shelved {
  readonly meta: Uint8Array;
  readonly metaOught: Uint8Array;
  readonly places: { replaced(): void };
  empty(): void;
}

/** What is durable on one, and what a read of it gives as long as its host has power. */
interface Image {
  readonly serial: number;
  readonly media: Int32Array;
  readonly meta: Uint8Array;
  view: Int32Array;
}

export class DiskShelf {
  readonly #disk: Shelved;
  readonly #cache: DiskCache;
  readonly #images: Map<string, Image> = new Map();
  /** Tells the disk that is in from every other one of this place. */
  serial = 1;
  #serials = 1;

  constructor(disk: Shelved, cache: DiskCache) {
    this.#disk = disk;
    this.#cache = cache;
  }

  /** Notes what is on the disk that is taken out now, in place of any of that path. */
  put(path: string): void {
    const { media, view } = this.#cache;
    const { serial } = this;
    const meta = this.#disk.meta.slice();
    this.#images.delete(path);
    this.#images.set(path, { serial, media: media.slice(), view: view.slice(), meta });
  }

  /** An empty disk is put in, which never was here. */
  another(): void {
    this.#serials += 1;
    this.serial = this.#serials;
    this.#disk.empty();
  }

  /** The host loses power: what the caches of those that are not in use held is gone. */
  crash(): void {
    for (const image of this.#images.values()) image.view = image.media;
  }

  has(path: string): boolean {
    return this.#images.has(path);
  }

  /** Path of the disk that was taken out last; '' where there is none. */
  get last(): string {
    return [...this.#images.keys()].at(-1) ?? '';
  }

  /** Which disk of this place it is that `is` holds for by its metadata; 0 for none. */
  find(is: (meta: Uint8Array) => boolean): number {
    if (is(this.#disk.meta)) return this.serial;
    return [...this.#images.values()].find(({ meta }) => is(meta))?.serial ?? 0;
  }

  /** Puts in the disk of that path; false where there is none. It owes nobody. */
  take(path: string): boolean {
    const image = this.#images.get(path);
    if (image === undefined) return false;
    this.#images.delete(path);
    this.#disk.empty();
    this.serial = image.serial;
    for (const [at, stamp] of image.view.entries()) this.#cache.harden(at, stamp);
    this.#cache.tellHardened();
    this.#cache.view.set(this.#cache.media);
    this.#disk.meta.set(image.meta);
    this.#disk.metaOught.set(image.meta);
    this.#disk.places.replaced();
    return true;
  }
}
