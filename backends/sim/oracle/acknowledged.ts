/**
 * LAW-acknowledged: every replica of the in-sync set holds every acknowledged write, as long as its
 * host has not lost power since it was admitted. And when the last member loses power, its media
 * hold what it had promised together with the replica that it left behind: leaving redundancy, and
 * overwriting the other copy, both begin with a flush.
 */
import type { RegisterOracle } from './register.ts';
import { Orphan, type ReplicaTruth, type VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

export class AcknowledgedOracle {
  readonly #truth: VolumeTruth;
  readonly #register: RegisterOracle;
  readonly #verdict: Verdict;

  constructor(truth: VolumeTruth, register: RegisterOracle, verdict: Verdict) {
    this.#truth = truth;
    this.#register = register;
    this.#verdict = verdict;
  }

  /**
   * Checks what reads of this replica would return, sector by sector; as it had to be at the moment
   * `until`, if one is given.
   */
  audit(replica: ReplicaTruth, code: string, until?: number): void {
    const { view } = replica.disk;
    const sector = this.#register.firstRefused(view, until);
    if (sector < 0) return;
    this.#verdict.find('LAW-acknowledged', replica.node, code, {
      volume: this.#truth.config.name,
      sector,
      found: view[sector] as number,
    });
  }

  /** The disk of `replica` was given up, though it counts. */
  gone({ node }: ReplicaTruth, code: string): void {
    this.#verdict.find('LAW-acknowledged', node, code, { volume: this.#truth.config.name });
  }

  /**
   * `lost` was the last member and has lost power; `holder` was one before, and still runs. It has
   * what was acknowledged `until` then.
   */
  auditProtected(lost: ReplicaTruth, holder: ReplicaTruth, until: number): void {
    const { completed, invoked } = this.#truth.history;
    const { sectors, spoils, orphaned, decided } = this.#truth;
    const { view } = holder.disk;
    const { media } = lost.disk;
    for (let at = 0; at < sectors; at += 1) {
      const held = spoils.ought(view[at] as number);
      const done = completed[held] as number;
      if (held === 0 || done === 0 || done > until) continue;
      // A branch was given up, and this with it.
      if (decided !== undefined && done <= decided.moment && decided.content[at] !== held) continue;
      const stamp = spoils.ought(media[at] as number);
      if (stamp === held || orphaned[at] !== Orphan.None) continue;
      const when = completed[stamp] as number;
      if (stamp !== 0 && (when === 0 || when >= (invoked[held] as number))) continue;
      // Nobody had to keep it, and it is only where nothing has overwritten it yet.
      if (this.#register.mayBeGone(at, stamp, done)) continue;
      this.#verdict.find('LAW-acknowledged', lost.node, 'acknowledged.lost-while-held', {
        volume: this.#truth.config.name,
        sector: at,
        found: stamp,
        held,
      });
      return;
    }
  }
}
