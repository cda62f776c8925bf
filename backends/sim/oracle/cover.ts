/**
 * LAW-cover: two replicas that differ in a block know it. Whatever a crash leaves of either, the
 * durable metadata of one of them names the block as dirty or hot.
 */
import type { Actors, Suspicion } from '../actors.ts';
import { areBoth, isSelfForgotten, Orphan, type ReplicaTruth, type VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

const BLOCK_SECTORS = 8;

export class CoverOracle {
  readonly #truth: VolumeTruth;
  readonly #actors: Actors;
  readonly #verdict: Verdict;

  constructor(truth: VolumeTruth, actors: Actors, verdict: Verdict) {
    this.#truth = truth;
    this.#actors = actors;
    this.#verdict = verdict;
  }

  /** Compares what the two disks hold now; `code` says at which kind of moment. */
  audit(code: string): void {
    const { replicas } = this.#truth;
    for (const [index, a] of replicas.entries()) {
      for (const b of replicas.slice(index + 1)) this.#compare(a, b, code);
    }
  }

  #compare(a: ReplicaTruth, b: ReplicaTruth, code: string): void {
    // One that was removed, or is yet to join, is nobody's other replica.
    if (!areBoth(a, b)) return;
    // Others' maps are about the disk that was there meanwhile.
    if (a.isEarlier || b.isEarlier) return;
    // After one of them forgot itself they may refuse each other: they know that all may differ.
    if (isSelfForgotten(this.#truth) && (a.link === 'Refused' || b.link === 'Refused')) return;
    // An order to give a branch up says that anything may differ, until it is carried out; where it
    // ended after the other side had led by it, until they are one again.
    if (this.#truth.record?.discard !== undefined || this.#truth.apart === true) return;
    let known: readonly Suspicion[] | null = null;
    const left = a.disk.view;
    const right = b.disk.view;
    const { sectors, spoils, orphaned } = this.#truth;
    for (let at = 0; at < sectors; at += 1) {
      if (left[at] === right[at] || orphaned[at] === Orphan.Everywhere) continue;
      if (spoils.ought(left[at] as number) === spoils.ought(right[at] as number)) continue;
      known ??= [this.#suspicion(a, b), this.#suspicion(b, a)];
      const block = Math.floor(at / BLOCK_SECTORS);
      if (!isCovered(known, block)) {
        this.#verdict.find('LAW-cover', a.node, code, {
          volume: this.#truth.config.name,
          block,
          left: left[at] as number,
          right: right[at] as number,
        });
        return;
      }
      at = (block + 1) * BLOCK_SECTORS - 1;
    }
  }

  #suspicion(replica: ReplicaTruth, other: ReplicaTruth): Suspicion {
    const { node, disk } = replica;
    const volume = replica.volume() ?? this.#truth.config;
    return this.#actors.suspicion(volume, node, disk.metaOught, other.node);
  }
}

/** Apart, because a closure in the loop over all sectors would be made for each of them. */
function isCovered(known: readonly Suspicion[], block: number): boolean {
  return known.some((suspicion) => suspicion.covers(block));
}
