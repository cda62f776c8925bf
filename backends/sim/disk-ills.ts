/**
 * What is wrong with one disk at present, and how often it has struck. Chance comes from a stream
 * of this disk and this kind of ill, and is drawn only while the disk suffers from it: an ill that
 * is taken out of a schedule leaves all others as they were.
 */
import { mix32, Rng } from '../../engine/core/rng.ts';
import { ANYWHERE, type Span, WHOLE } from './disk-options.ts';

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
  readonly #spans: Span[] = new Array<Span>(ILLS).fill(WHOLE);
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

  /**
   * Adds to the rate of an ill, or takes from it when it ends; a million is always. It strikes
   * within `span`: of two that overlap in time, wherever either would.
   */
  change(ill: number, ppm: number, span: Span = WHOLE): void {
    if (ppm > 0) this.#spans[ill] = this.has(ill) ? both(this.span(ill), span) : span;
    this.#ppm[ill] = Math.max(0, (this.#ppm[ill] as number) + ppm);
    this.any = this.#ppm.some((rate) => rate > 0);
    if (ill === Ill.StaleRead && ppm > 0) this.#salt = this.rng(ill).u32();
  }

  /** Where it strikes, while it does. */
  span(ill: number): Span {
    return this.#spans[ill] as Span;
  }

  /** Whether the disk suffers from it at all, or does at `sector`. */
  has(ill: number, sector: number = ANYWHERE): boolean {
    return (this.#ppm[ill] as number) > 0 && within(this.span(ill), sector);
  }

  /** Whether it strikes the operation at hand, at `sector`; counts it. */
  strikes(ill: number, sector: number = ANYWHERE): boolean {
    const ppm = this.#ppm[ill] as number;
    if (ppm === 0 || !within(this.span(ill), sector)) return false;
    if (ppm < MILLION && !this.rng(ill).chance(ppm)) return false;
    this.count(ill);
    return true;
  }

  /** The same for a block: asked again, the answer is the same, so that no retry heals it. */
  strikesPlace(ill: number, sector: number): boolean {
    const ppm = this.#ppm[ill] as number;
    return this.has(ill, sector) && mix32((sector >> 3) ^ this.#salt) % MILLION < ppm;
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

function within({ first, end }: Span, sector: number): boolean {
  return sector === ANYWHERE || (sector >= first && sector < end);
}

function both(one: Span, other: Span): Span {
  return { first: Math.min(one.first, other.first), end: Math.max(one.end, other.end) };
}
