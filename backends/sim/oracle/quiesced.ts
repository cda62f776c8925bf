/**
 * LAW-quiesced: where a quiesce point is said to have stood until it was let go, every replica that
 * it named had everything acknowledged on its media, all of them the same, and nothing was
 * acknowledged or changed in between. It looks when a person is told of the point, and when the
 * person lets it go; only what the person is told then makes it a promise.
 */
import type { RegisterOracle } from './register.ts';
import { Orphan, type VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

interface Problem {
  readonly node: number;
  readonly code: string;
  readonly sector: number;
}

/** A point that somebody has. */
interface Point {
  readonly id: number;
  readonly acked: number;
  readonly images: readonly { readonly node: number; readonly sectors: Int32Array }[];
  problem: Problem | null;
}

export class QuiescedOracle {
  readonly #truth: VolumeTruth;
  readonly #register: RegisterOracle;
  readonly #verdict: Verdict;
  readonly #acked: () => number;
  #point: Point | null = null;
  /** Points that were told of, and those that stood. */
  begun = 0;
  confirmed = 0;

  /** `acked` tells when a write was acknowledged last. */
  constructor(truth: VolumeTruth, register: RegisterOracle, verdict: Verdict, acked: () => number) {
    this.#truth = truth;
    this.#register = register;
    this.#verdict = verdict;
    this.#acked = acked;
  }

  /** Somebody is told that point `id` stands, and that the replicas of `nodes` have its image. */
  begin(id: number, nodes: readonly number[]): void {
    this.begun += 1;
    const images = nodes.map((node) => ({ node, sectors: this.#image(node) }));
    const point: Point = { id, acked: this.#acked(), images, problem: null };
    this.#point = point;
    const [first, ...others] = images;
    if (first === undefined) return;
    for (let at = 0; at < first.sectors.length && point.problem === null; at += 1) {
      if (this.#truth.orphaned[at] !== Orphan.None) continue;
      const stamp = first.sectors[at] as number;
      if (!this.#register.admits(at, stamp)) {
        point.problem = { node: first.node, code: 'quiesced.incomplete', sector: at };
      }
      for (const { node, sectors } of others) {
        if (sectors[at] === stamp) continue;
        point.problem ??= { node, code: 'quiesced.not-equal', sector: at };
      }
    }
  }

  /** Somebody lets point `id` go. */
  look(id: number): void {
    const point = this.#point;
    if (point === null || point.id !== id || point.problem !== null) return;
    const [first] = point.images;
    if (this.#acked() !== point.acked && first !== undefined) {
      point.problem = { node: first.node, code: 'quiesced.acknowledged', sector: -1 };
    }
    for (const { node, sectors } of point.images) {
      const now = this.#image(node);
      const at = sectors.findIndex((stamp, sector) => stamp !== now[sector]);
      if (at >= 0) point.problem ??= { node, code: 'quiesced.changed', sector: at };
    }
  }

  /** Somebody is told that point `id` stood until then. */
  stood(id: number, by: number): void {
    const point = this.#point;
    if (point === null || point.id !== id) return;
    this.#point = null;
    this.confirmed += 1;
    if (point.problem === null) return;
    const { code, node, sector } = point.problem;
    const d = { volume: this.#truth.config.name, replica: node, sector };
    this.#verdict.find('LAW-quiesced', by, code, d);
  }

  /** What the media of a replica ought to hold, each sector in its place: so it is copied. */
  #image(node: number): Int32Array {
    const { replicas, spoils } = this.#truth;
    const media = replicas.find((replica) => replica.node === node)?.disk.places.inPlace;
    const { sectors } = this.#truth;
    if (media === undefined) return new Int32Array(0);
    return media.slice(0, sectors).map((stamp) => spoils.ought(stamp));
  }
}
