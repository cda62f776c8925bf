/**
 * Files on a disk that loses power at a chosen operation: bytes that were not synced are lost, kept
 * or torn, renames that were not synced are kept or lost, as a seed decides.
 */
import type { StoreFiles } from '../../../backends/real/durable-store.ts';
import { Rng } from '../../../engine/core/rng.ts';

/** Thrown by every operation from the power cut on. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

interface Content {
  volatile: Uint8Array;
  durable: Uint8Array;
}

/** One folder. */
export class VolatileFiles implements StoreFiles {
  operations = 0;
  dead = false;
  #cut: number;
  #rng: Rng;
  /** Names as processes see them, and as they are after a cut. */
  #now = new Map<string, Content>();
  #kept = new Map<string, Content>();

  /** `cut` counts operations from 1; 0 is never. */
  constructor(cut: number, seed: number) {
    this.#cut = cut;
    this.#rng = new Rng(seed, cut);
  }

  /** Cuts the power `after` operations from now. */
  cutAt(after: number): void {
    this.#cut = this.operations + after;
  }

  names(): string[] {
    return [...this.#now.keys()].sort();
  }

  bytes(name: string): Uint8Array {
    return this.#content(name).volatile;
  }

  /** Changes a file behind the store's back. */
  put(name: string, bytes: Uint8Array): void {
    const content = { volatile: bytes, durable: bytes };
    this.#now.set(name, content);
    this.#kept.set(name, content);
  }

  powerOff(): void {
    if (this.dead) return;
    this.dead = true;
    if (this.#rng.chance(500_000)) this.#kept = new Map(this.#now);
    for (const content of this.#kept.values()) this.#settle(content);
  }

  /** Power is back: only what the disk kept is there. */
  restart(): void {
    this.powerOff();
    this.dead = false;
    this.#cut = 0;
    this.#now = new Map(this.#kept);
  }

  async list(): Promise<readonly string[]> {
    this.#step();
    return this.names().reverse();
  }

  async read(name: string): Promise<Uint8Array> {
    this.#step();
    return this.#content(name).volatile;
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const before = this.#now.get(name);
    this.#now.set(name, { volatile: bytes, durable: before?.durable ?? new Uint8Array() });
    this.#step();
  }

  async sync(name: string): Promise<void> {
    this.#step();
    const content = this.#content(name);
    content.durable = content.volatile;
  }

  async rename(from: string, to: string): Promise<void> {
    const content = this.#content(from);
    this.#now.delete(from);
    this.#now.set(to, content);
    this.#step();
  }

  async remove(name: string): Promise<void> {
    this.#now.delete(name);
    this.#step();
  }

  async syncFolder(): Promise<void> {
    this.#step();
    this.#kept = new Map(this.#now);
  }

  #step(): void {
    if (this.dead) throw new PowerCut();
    this.operations += 1;
    if (this.operations !== this.#cut) return;
    this.powerOff();
    throw new PowerCut();
  }

  #content(name: string): Content {
    const content = this.#now.get(name);
    if (content === undefined) throw new Error(`there is no ${name}`);
    return content;
  }

  /** What is left of bytes that were never synced: old, new, or a torn piece. */
  #settle(content: Content): void {
    const fate = this.#rng.below(3);
    if (fate === 1) content.durable = content.volatile;
    if (fate === 2) {
      const length = this.#rng.below(content.volatile.length + 1);
      if (content.durable !== content.volatile) {
        content.durable = content.volatile.subarray(0, length);
      }
    }
    content.volatile = content.durable;
  }
}
