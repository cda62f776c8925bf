/**
 * LAW-acknowledged: every replica of the in-sync set holds every acknowledged write, as long as its
 * host has not lost power since it was admitted.
 */
import type { RegisterOracle } from './register.ts';
import type { ReplicaTruth, VolumeTruth } from './truth.ts';
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

  /** Checks what reads of this replica would return, sector by sector. */
  audit(replica: ReplicaTruth, code: string): void {
    const { view } = replica.disk;
    const { sectors } = this.#truth;
    for (let at = 0; at < sectors; at += 1) {
      const stamp = view[at] as number;
      if (this.#register.admits(at, stamp)) continue;
      this.#verdict.find('LAW-acknowledged', replica.node, code, {
        volume: this.#truth.config.name,
        sector: at,
        found: stamp,
      });
      return;
    }
  }
}
