/**
 * xoshiro128** (Blackman and Vigna, public domain algorithm): seeded, integer only, one stream
 * per entity so that removing a fault does not reshuffle the others' dice.
 */

/** Mixes a 32-bit value (murmur3's finaliser). */
export function mix32(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A seeded stream of integers. */
export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** Streams with different (seed, entity) pairs are independent. Both are 32-bit integers. */
  constructor(seed: number, entity: number) {
    let s = mix32(seed ^ 0x9e3779b9);
    s = mix32(s ^ Math.imul(entity | 0, 0x85ebca77));
    // Signed, as every later step leaves them: such fields are plain integers to the compiler.
    this.#a = mix32(s + 1) | 0;
    this.#b = mix32(this.#a + 0x6d2b79f5) | 0;
    this.#c = mix32(this.#b ^ entity) | 0;
    this.#d = mix32(this.#c + 0x1b873593) | 1;
  }

  /** Next 32-bit unsigned integer. */
  u32(): number {
    const b = this.#b;
    const x = Math.imul(b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = b << 9;
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** Uniform integer in [0, n), 1 ≤ n ≤ 2^31; bias below 2^-21 for n < 2^11. */
  below(n: number): number {
    // Multiply-shift in two 16-bit halves keeps every product exact.
    const x = this.u32();
    const high = (x >>> 16) * n + Math.floor(((x & 0xffff) * n) / 65536);
    return Math.floor(high / 65536);
  }

  /** Uniform integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with probability `parts` in a million. */
  chance(parts: number): boolean {
    return this.below(1_000_000) < parts;
  }

  /** A safe integer in [1, 2^52): for generations and boot ids. */
  id52(): number {
    return (this.u32() >>> 12) * 4294967296 + this.u32() || 1;
  }

  /**
   * Roughly exponential variate with the given mean, integer arithmetic only, at most 16 × mean.
   */
  exponential(mean: number): number {
    const x = this.u32();
    const zeros = Math.min(15, Math.clz32(x));
    // -ln(U) ≈ (zeros + fraction) × ln 2, linear between powers of two; ln 2 ≈ 45426 / 65536.
    const fraction = 65536 - ((x << (zeros + 1)) >>> 16);
    const units = zeros * 65536 + fraction;
    return Math.floor((Math.floor((units * 45426) / 65536) * mean) / 65536);
  }
}
