/**
 * Sectors in which replicas are the same only by what a cache holds, and of which metadata said so
 * that a faulty disk has lost (docs/decisions/0013). When that cache is gone they differ, and
 * nobody can know: no other moment could have named them. They are watched until somebody writes
 * them, or a replica is filled anew: from then on whatever comes to differ has to be known.
 */
import type { Actors } from '../actors.ts';
import { Orphan, type VolumeTruth } from './truth.ts';

const BLOCK_SECTORS = 8;

export class UnnamedSectors {
  readonly #truth: VolumeTruth;
  readonly #actors: Actors;
  /** What each showed, on all replicas, when its name was lost. */
  readonly #shown = new Map<number, number>();

  constructor(truth: VolumeTruth, actors: Actors) {
    this.#truth = truth;
    this.#actors = actors;
  }

  /** All replicas show `stamp` in a sector that no metadata names any more. */
  lost(sector: number, stamp: number): void {
    this.#shown.set(sector, stamp);
  }

  /** Sectors from `from` on, and before `to`, are written anew. */
  written(from: number, to: number): void {
    if (this.#shown.size === 0) return;
    for (let at = from; at < to; at += 1) this.#shown.delete(at);
  }

  /** A replica was filled anew from what another has made stable. */
  filled(): void {
    this.#shown.clear();
  }

  /** A cache is gone: orphans what went back with it. Answers whether anything did. */
  cacheLost(): boolean {
    if (this.#shown.size === 0) return false;
    const { orphaned, replicas, config } = this.#truth;
    const views = replicas.map(({ disk }) => disk.view);
    const known = replicas.map(({ node, disk }) =>
      this.#actors.suspicion(config, node, disk.metaOught),
    );
    let any = false;
    for (const [at, stamp] of this.#shown) {
      if (!this.#wentBack(views, at, stamp)) continue;
      this.#shown.delete(at);
      // Somebody has named it since, for another write.
      const block = Math.floor(at / BLOCK_SECTORS);
      if (known.some((suspicion) => suspicion.covers(block))) continue;
      orphaned[at] = Orphan.Everywhere;
      any = true;
    }
    return any;
  }

  /** Whether some still show `stamp`, and all others something older. */
  #wentBack(views: readonly Int32Array[], at: number, stamp: number): boolean {
    const { spoils, history } = this.#truth;
    const now = views.map((view) => spoils.ought(view[at] as number));
    const others = now.filter((each) => each !== stamp);
    if (others.length === 0 || others.length === now.length) return false;
    const moment = history.invoked[stamp] as number;
    return others.every((each) => each === 0 || (history.invoked[each] as number) < moment);
  }
}
