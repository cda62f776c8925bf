/**
 * LAW-stop-before-start: when a record names another primary, the one before has stopped, lost
 * power, or its right has run out on its own clock. The right of its data actor dies with the core;
 * that of its application does not.
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
  /** The core that held the right died, and none that came after was given one. */
  #dead = false;
  readonly #runs: (node: number) => boolean;

  /** `runs` tells where the application has processes. */
  constructor(truth: VolumeTruth, verdict: Verdict, runs: (node: number) => boolean) {
    this.#truth = truth;
    this.#runs = runs;
    this.#verdict = verdict;
  }

  /** The data actor of `node` says that it has given up. */
  stopped(node: number): void {
    if (node === this.#holder) this.#stopped = true;
  }

  /** The data actor of `node` was given a record: that it stopped before proves nothing now. */
  given(node: number, record: VolumeRecord): void {
    if (node !== this.#holder || record.primary !== node) return;
    this.#stopped = false;
    this.#boot = this.#bootOf(node);
  }

  coreDied(node: number): void {
    if (node === this.#holder) this.#dead = true;
  }

  /** The data actor of `node` may act until some later time. */
  granted(node: number): void {
    if (node === this.#holder) this.#dead = false;
  }

  /** A record of a higher epoch than any before. */
  changed(record: VolumeRecord): void {
    const { primary } = record;
    // One that stopped, and is named again before it hears of the change, has still stopped.
    if (primary === this.#holder) return;
    const before = this.#truth.replicas.find((replica) => replica.node === this.#holder);
    if (before !== undefined && primary !== 0) {
      const ended = this.#stopped || (this.#dead && !this.#runs(this.#holder));
      const gone = ended || before.boot() !== this.#boot;
      if (!gone && before.clock() < before.granted) {
        const { node, granted } = before;
        const left = granted - before.clock();
        const d = { volume: this.#truth.config.name, before: node, left };
        this.#verdict.find('LAW-stop-before-start', primary, 'stop.none', d, [node]);
      }
    }
    if (primary !== 0) this.#begin(primary);
  }

  /** A turn of another host begins. */
  #begin(primary: number): void {
    this.#holder = primary;
    this.#stopped = false;
    this.#dead = false;
    this.#boot = this.#bootOf(primary);
  }

  #bootOf(node: number): number {
    return this.#truth.replicas.find((replica) => replica.node === node)?.boot() ?? 0;
  }
}
