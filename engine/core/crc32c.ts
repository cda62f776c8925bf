/**
 * CRC32C (Castagnoli), eight bytes at a time. It detects damage; it never proves equality
 * (equal digests count from 128 bits up).
 */

const TABLES: Uint32Array = makeTables();

function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let n = 0; n < 256; n += 1) {
    let c = n;
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    tables[n] = c;
  }
  for (let n = 0; n < 256; n += 1) {
    let c = tables[n] as number;
    for (let k = 1; k < 8; k += 1) {
      c = (tables[c & 0xff] as number) ^ (c >>> 8);
      tables[k * 256 + n] = c;
    }
  }
  return tables;
}

/**
 * The checksum of `bytes[start, end)`, going on from `seed` (the checksum of what came before, 0
 * at the start). Returns an unsigned 32-bit integer.
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const t = TABLES;
  let c = ~seed;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    const low =
      c ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24));
    c =
      (t[1792 + (low & 0xff)] as number) ^
      (t[1536 + ((low >>> 8) & 0xff)] as number) ^
      (t[1280 + ((low >>> 16) & 0xff)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (bytes[i + 4] as number)] as number) ^
      (t[512 + (bytes[i + 5] as number)] as number) ^
      (t[256 + (bytes[i + 6] as number)] as number) ^
      (t[bytes[i + 7] as number] as number);
  }
  for (; i < end; i += 1) c = (t[(c ^ (bytes[i] as number)) & 0xff] as number) ^ (c >>> 8);
  return ~c >>> 0;
}

/** Row k: the matrix (32 columns) that advances a raw register over 2^k zero bytes. */
const ZERO_STEPS: readonly Uint32Array[] = makeZeroSteps(14);

function makeZeroSteps(count: number): Uint32Array[] {
  let step = new Uint32Array(32);
  for (let bit = 0; bit < 32; bit += 1) {
    const c = (1 << bit) >>> 0;
    step[bit] = (TABLES[c & 0xff] as number) ^ (c >>> 8);
  }
  const steps = [step];
  while (steps.length < count) {
    const twice = new Uint32Array(32);
    for (let bit = 0; bit < 32; bit += 1) twice[bit] = times(step, step[bit] as number);
    steps.push(twice);
    step = twice;
  }
  return steps;
}

/** A matrix over GF(2) times a vector. */
function times(matrix: Uint32Array, vector: number): number {
  let sum = 0;
  for (let bit = 0, v = vector; v !== 0; bit += 1, v >>>= 1)
    if (v & 1) sum ^= matrix[bit] as number;
  return sum >>> 0;
}

/**
 * As {@link crc32c} of `count` (below 16384) zero bytes: metadata pages are mostly zeros, and going
 * over them one by one was a tenth of a simulated run.
 */
export function crc32cZeros(count: number, seed: number): number {
  let c = ~seed >>> 0;
  for (let k = 0, n = count; n !== 0; k += 1, n >>>= 1) {
    if (n & 1) c = times(ZERO_STEPS[k] as Uint32Array, c);
  }
  return ~c >>> 0;
}
