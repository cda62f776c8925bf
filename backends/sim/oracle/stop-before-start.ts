/**
 * LAW-stop-before-start: when a record names another primary, the one before has stopped, lost
 * power, or its right has run out on its own clock.
 */
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import type { VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

export class StopBeforeStartOracle {
  readonly #truth: VolumeTruth;
  readonly #verdict: Verdict;
  #holder = 0;
  #boot = 0;
  #stopped = false;

  constructor(truth: VolumeTruth, verdict: Verdict) {
    this.#truth = truth;
    this.#verdict = verdict;
  }

  /** The data actor of `node` says that it has given up. */
  stopped(node: number): void {
    if (node === this.#holder) this.#stopped = true;
  }

  /** A record of a higher epoch than any before. */
  changed(record: VolumeRecord): void {
    const { primary } = record;
    if (primary === this.#holder) {
      this.#begin(primary);
      return;
    }
    const before = this.#truth.replicas.find((replica) => replica.node === this.#holder);
    if (before !== undefined && primary !== 0) {
      const gone = this.#stopped || before.boot() !== this.#boot;
      if (!gone && before.clock() < before.granted) {
        this.#verdict.find('LAW-stop-before-start', primary, 'stop.none', {
          volume: this.#truth.config.name,
          before: before.node,
          left: before.granted - before.clock(),
        });
      }
    }
    if (primary !== 0) this.#begin(primary);
  }

  /** A turn begins, also of the same host: that it stopped in an earlier one proves nothing now. */
  #begin(primary: number): void {
    this.#holder = primary;
    this.#stopped = false;
    this.#boot = this.#truth.replicas.find((replica) => replica.node === primary)?.boot() ?? 0;
  }
}
