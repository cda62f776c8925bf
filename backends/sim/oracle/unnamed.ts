/**
 * Sectors in which replicas are the same only by what a cache holds, and of which metadata said so
 * that a faulty disk has lost (docs/decisions/0013). When that cache is gone they differ, and
 * nobody can know: no other moment could have named them. Nor does a copy bring them to the medium
 * of a replica that shows them only in pages that a failed flush has left clean. They are watched
 * until somebody writes them, or a replica is filled: what comes to differ later has to be known.
 */
import type { NodeId } from '../../../engine/core/units.ts';
import type { Actors } from '../actors.ts';
import { Orphan, type ReplicaTruth, type VolumeTruth } from './truth.ts';

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

  /**
   * Sectors from `from` on, and before `to`, are written anew. Where the other one of a pair has no
   * part in that, it is to be given the blocks whole when it returns.
   */
  written(from: number, to: number): void {
    if (this.#shown.size === 0) return;
    const { record, replicas } = this.#truth;
    const isAlone = replicas.length === 2 && record?.members.length === 1;
    const unit = isAlone ? BLOCK_SECTORS : 1;
    const end = Math.ceil(to / unit) * unit;
    for (let at = Math.floor(from / unit) * unit; at < end; at += 1) this.#shown.delete(at);
  }

  /**
   * `joined` was filled anew from `source`. What the copy has not brought to its medium nobody knew
   * that it lacks: it is orphaned. Answers whether anything was.
   */
  filled(joined: ReplicaTruth, source: NodeId): boolean {
    const { replicas, orphaned } = this.#truth;
    let any = false;
    for (const [at, stamp] of this.#shown) {
      const lacking = replicas.filter((each) => {
        return this.#lacks(each, at, stamp, each === joined || each.node === source);
      });
      if (lacking.includes(joined)) {
        const shows = !this.#isOlder(joined.disk.viewAt(at), stamp);
        orphaned[at] = shows ? Orphan.OnMedia : Orphan.Everywhere;
        any = true;
      } else if (lacking.length > 0) continue;
      this.#shown.delete(at);
    }
    return any;
  }

  /** Orphans what went back with a cache, and is named by nobody. Answers whether anything was. */
  judge(): boolean {
    if (this.#shown.size === 0) return false;
    const { orphaned, replicas, config } = this.#truth;
    const views = replicas.map(({ disk }) => disk.view);
    const known = replicas.map(({ node, disk }) =>
      this.#actors.suspicion(config, node, disk.metaOught),
    );
    let any = false;
    for (const [at, stamp] of this.#shown) {
      if (!this.#wentBack(views, at, stamp)) continue;
      // Somebody has named it since, for another write. A hot extent is no promise to copy all of
      // it: whether that was enough shows when the name is gone, or a replica was filled.
      const block = Math.floor(at / BLOCK_SECTORS);
      if (known.some((suspicion) => suspicion.covers(block))) continue;
      this.#shown.delete(at);
      orphaned[at] = Orphan.Everywhere;
      any = true;
    }
    return any;
  }

  /**
   * Whether the medium of `replica` has something older than `stamp`, and is not asked for it. Both
   * ends of a copy have flushed by its end, so that what they show is on their media. A disk that
   * failed may have pages that no flush writes any more (docs/decisions/0026).
   */
  #lacks({ disk, doubtful }: ReplicaTruth, at: number, stamp: number, flushed: boolean): boolean {
    if (!this.#isOlder(disk.mediaAt(at), stamp)) return false;
    return !flushed || doubtful || this.#isOlder(disk.viewAt(at), stamp);
  }

  /** Whether some still show `stamp`, and all others something older. */
  #wentBack(views: readonly Int32Array[], at: number, stamp: number): boolean {
    const { spoils } = this.#truth;
    const now = views.map((view) => spoils.ought(view[at] as number));
    const others = now.filter((each) => each !== stamp);
    if (others.length === 0 || others.length === now.length) return false;
    return others.every((each) => this.#isOlder(each, stamp));
  }

  /** Whether what ought to be there in place of `found` is from before `stamp`. */
  #isOlder(found: number, stamp: number): boolean {
    const { spoils, history } = this.#truth;
    const ought = spoils.ought(found);
    return ought === 0 || (history.invoked[ought] as number) < (history.invoked[stamp] as number);
  }
}
