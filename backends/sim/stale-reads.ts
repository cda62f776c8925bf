/** What reads of a simulated disk return that are stale: what was there when that began. */
import { type DiskIlls, Ill } from './disk-ills.ts';
import type { Spoils } from './spoils.ts';

export class StaleReads {
  #before: Int32Array | null = null;

  /** Whether any read may be. */
  get any(): boolean {
    return this.#before !== null;
  }

  /** From here on they return what `view` has now, until it is null. */
  keep(view: Int32Array | null): void {
    if (view === null) this.#before = null;
    else this.#before ??= view.slice();
  }

  /** Puts it into the stamps of a read of `count` sectors, from `at` on, where the ill strikes. */
  put(
    sector: number,
    count: number,
    stamps: Int32Array,
    at: number,
    ills: DiskIlls,
    spoils: Spoils,
  ): void {
    const before = this.#before as Int32Array;
    for (let i = 0; i < count; i += 1) {
      if (!ills.strikesPlace(Ill.StaleRead, sector + i)) continue;
      const is = stamps[at + i] as number;
      const stale = spoils.stamp(before[sector + i] as number, is);
      if (stale === is) continue;
      stamps[at + i] = stale;
      ills.count(Ill.StaleRead);
    }
  }
}
