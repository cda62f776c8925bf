/**
 * What is wrong with one disk at present, and how often it has struck. Chance comes from a stream
 * of this disk and this kind of ill, and is drawn only while the disk suffers from it: an ill that
 * is taken out of a schedule leaves all others as they were.
 */
import { mix32, Rng } from '../../engine/core/rng.ts';

/** What may be wrong with a disk. */
export const Ill = {
  /** A flush is answered, and the cache is not written back; FUA is taken no more seriously. */
  LyingFlush: 0,
  LostWrite: 1,
  MisdirectedWrite: 2,
  /** Reads of some blocks return what was there when this began. */
  StaleRead: 3,
  WriteError: 4,
  MetaLost: 5,
  MetaMisdirected: 6,
  MetaError: 7,
  /** Nothing ends; or some operations do not, and all others do. */
  Stall: 8,
  Rot: 9,
  MetaRot: 10,
  /** It came back as it was some time before. */
  Old: 11,
  /** The path to the disk is lost: nothing is read, written or flushed. */
  Path: 12,
} as const;
const ILLS = 13;

/** Bits of a misdirected address that are tried before it counts as lost. */
const MISDIRECTIONS = 4;
const MILLION = 1_000_000;

/** The ills of one disk. */
export class DiskIlls {
  /** How often each struck. */
  readonly struck: readonly number[];
  readonly #struck: number[] = new Array<number>(ILLS).fill(0);
  readonly #ppm: number[] = new Array<number>(ILLS).fill(0);
  readonly #rngs: (Rng | null)[] = new Array<Rng | null>(ILLS).fill(null);
  readonly #stream: (ill: number) => Rng;
  #salt = 0;
  /** Whether anything is wrong now. */
  any = false;

  /** `stream` makes the random stream of one ill. */
  constructor(stream: (ill: number) => Rng = (ill) => new Rng(0, ill)) {
    this.#stream = stream;
    this.struck = this.#struck;
  }

  /** Adds to the rate of an ill, or takes from it when it ends; a million is always. */
  change(ill: number, ppm: number): void {
    this.#ppm[ill] = Math.max(0, (this.#ppm[ill] as number) + ppm);
    this.any = this.#ppm.some((rate) => rate > 0);
    if (ill === Ill.StaleRead && ppm > 0) this.#salt = this.rng(ill).u32();
  }

  /** Whether the disk suffers from it at all. */
  has(ill: number): boolean {
    return (this.#ppm[ill] as number) > 0;
  }

  /** Whether it strikes the operation at hand; counts it. */
  strikes(ill: number): boolean {
    const ppm = this.#ppm[ill] as number;
    if (ppm === 0 || (ppm < MILLION && !this.rng(ill).chance(ppm))) return false;
    this.count(ill);
    return true;
  }

  /** The same for a place: asked again, the answer is the same, so that no retry heals it. */
  strikesPlace(ill: number, place: number): boolean {
    const ppm = this.#ppm[ill] as number;
    return ppm > 0 && mix32(place ^ this.#salt) % MILLION < ppm;
  }

  count(ill: number): void {
    this.#struck[ill] = (this.#struck[ill] as number) + 1;
  }

  /** Whether anything ever struck this disk of which it does not recover by itself. */
  get everNeeded(): boolean {
    return this.#struck.some((times, ill) => times > 0 && ill !== Ill.Path);
  }

  /** Whether anything ever struck this disk. */
  get everStruck(): boolean {
    return this.#struck.some((times) => times > 0);
  }

  /** The stream of one ill. */
  rng(ill: number): Rng {
    const known = this.#rngs[ill] ?? this.#stream(ill);
    this.#rngs[ill] = known;
    return known;
  }

  /** Where a write lands of whose address one bit turned over; -1 for nowhere on this disk. */
  elsewhere(sector: number, count: number, sectors: number): number {
    const rng = this.rng(Ill.MisdirectedWrite);
    for (let i = 0; i < MISDIRECTIONS; i += 1) {
      const other = sector ^ (1 << rng.below(32 - Math.clz32(sectors)));
      const apart = other + count <= sector || other >= sector + count;
      if (apart && other + count <= sectors) return other;
    }
    return -1;
  }
}
