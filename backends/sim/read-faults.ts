/**
 * Carries out faults of the kind 'read-error': sectors of a host's disks cannot be read, or reads
 * fail for once. With a peer, the same sectors are bad on its disks as well. Ended, they are well.
 */
import type { Fault } from './fault.ts';
import type { SimHost } from './host.ts';
import type { LatentErrors } from './latent-errors.ts';

/** One disk under one fault. */
interface Struck {
  readonly errors: LatentErrors;
  /** Failed reads before. */
  readonly before: number;
  readonly sectors: readonly number[];
}

/** Latent errors of one fault on each disk: few, so that no schedule wears a disk out. */
const SPOTS = 2;

export class ReadFaults {
  readonly #active = new Map<Fault, readonly Struck[]>();

  /** The fault begins on `host`, and on `peer` in the same places. */
  begin(fault: Fault, host: SimHost, peer: SimHost | null): void {
    const struck: Struck[] = [];
    for (const { volume, disk } of host.legs) {
      const spots = fault.ppm > 0 ? [] : spotsOf(disk);
      const others = (peer?.legs ?? []).filter((leg) => leg.volume === volume);
      for (const errors of [disk, ...others.map((leg) => leg.disk)].map((each) => each.latent)) {
        struck.push({ errors, before: errors.struck, sectors: spots.flat() });
        errors.change(fault.ppm);
        for (const spot of spots) errors.strike(spot);
      }
    }
    this.#active.set(fault, struck);
  }

  /** The fault is over; answers whether any read met it. */
  end(fault: Fault): boolean {
    const struck = this.#active.get(fault) ?? [];
    this.#active.delete(fault);
    for (const { errors, sectors } of struck) {
      errors.change(-fault.ppm);
      errors.mend(sectors);
    }
    return struck.some(({ errors, before }) => errors.struck > before);
  }
}

function spotsOf(disk: { readonly latent: LatentErrors; readonly view: Int32Array }): number[][] {
  return Array.from({ length: SPOTS }, () => disk.latent.draw(disk.view));
}
