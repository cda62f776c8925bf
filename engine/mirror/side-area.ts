/**
 * Pages of a replica's side area, each of which stands there twice: written to both places at once,
 * read from whichever is whole. What they say, others know.
 */
import { Decision, Flag, PAGE_BYTES } from '../data/abi.ts';
import type { Parts } from './parts.ts';

type Ended = (status: number, bytes: Uint8Array) => void;

export class SideArea {
  readonly #p: Parts;
  readonly #ended: Map<number, Ended> = new Map();

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** The identity of the copy whose area it is. */
  get device(): Uint8Array {
    return this.#p.store.device;
  }

  /** Writes a page to both places; `done` when both have it durably. */
  write(
    a: number,
    b: number,
    encode: (page: number, into: Uint8Array) => void,
    scratch: Uint8Array,
    done: () => void,
  ): void {
    let left = 2;
    for (const page of [a, b]) {
      encode(page, scratch);
      const token = this.#expect((status) => {
        if (status !== 0) this.#p.role.failDisk('metadata-write', status);
        else if (left === 1) done();
        left -= 1;
      });
      this.#p.turn.emitPage(Decision.MetaWrite, 0, page, token, scratch, Flag.Side);
    }
  }

  /** Reads a page where `decode` takes it from either place; null when it does from neither. */
  read<T>(
    a: number,
    b: number,
    decode: (page: number, bytes: Uint8Array) => T | null,
    done: (found: T | null) => void,
  ): void {
    this.#read(a, decode, (first) => {
      if (first !== null) done(first);
      else this.#read(b, decode, done);
    });
  }

  /** A MetaRead or MetaWrite ended; true when it was of the side area. */
  metaDone(token: number, status: number, inPage: number): boolean {
    const ended = this.#ended.get(token);
    if (ended === undefined) return false;
    this.#ended.delete(token);
    const at = inPage * PAGE_BYTES;
    ended(status, this.#p.turn.memory.inPages.subarray(at, at + PAGE_BYTES));
    return true;
  }

  #read<T>(
    page: number,
    decode: (page: number, bytes: Uint8Array) => T | null,
    done: (found: T | null) => void,
  ): void {
    const token = this.#expect((status, bytes) => done(status === 0 ? decode(page, bytes) : null));
    this.#p.turn.emit(Decision.MetaRead, 0, 0, Flag.Side, page, token, 0);
  }

  #expect(ended: Ended): number {
    const { state, turn } = this.#p;
    const { cause } = turn;
    const token = state.nextToken();
    const carried: Ended = (status, bytes) => turn.under(cause, () => ended(status, bytes));
    this.#ended.set(token, cause === '' ? ended : carried);
    return token;
  }
}
