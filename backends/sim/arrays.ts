/**
 * Large arrays that outlive a run: a campaign does thousands of runs of the same shape, and zeroing
 * an array is cheaper than making one. One set belongs to one world.
 */

/** Zeroed arrays by name. */
export class ArrayPool {
  readonly #ints = new Map<string, Int32Array>();
  readonly #bytes = new Map<string, Uint8Array>();

  /** A zeroed array of 32-bit integers; the same one for the same name and length. */
  ints(name: string, length: number): Int32Array {
    const known = this.#ints.get(name);
    if (known !== undefined && known.length === length) return known.fill(0);
    const made = new Int32Array(length);
    this.#ints.set(name, made);
    return made;
  }

  /** The same, not zeroed: for what is always written before it is read. */
  rough(name: string, length: number): Int32Array {
    const known = this.#ints.get(name);
    return known?.length === length ? known : this.ints(name, length);
  }

  /** A zeroed array of bytes; the same one for the same name and length. */
  bytes(name: string, length: number): Uint8Array {
    const known = this.#bytes.get(name);
    if (known !== undefined && known.length === length) return known.fill(0);
    const made = new Uint8Array(length);
    this.#bytes.set(name, made);
    return made;
  }
}
