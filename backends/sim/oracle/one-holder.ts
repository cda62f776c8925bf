/** LAW-one-holder: an application runs on one host at a time, by the world's clock. */
import type { ApplicationState } from '../observer.ts';
import type { Verdict } from './verdict.ts';

export class OneHolderOracle {
  readonly #verdict: Verdict;
  readonly #group: string;
  readonly #running = new Set<number>();

  constructor(group: string, verdict: Verdict) {
    this.#group = group;
    this.#verdict = verdict;
  }

  /** Hosts where the application has processes now. */
  get running(): readonly number[] {
    return [...this.#running].sort((a, b) => a - b);
  }

  changed(node: number, state: ApplicationState): void {
    if (state === 'stopped') {
      // What the table of laws excuses, it excuses until some instant: so its end is judged, too.
      if (this.#running.has(node)) this.judge(node, state);
      this.#running.delete(node);
      return;
    }
    this.#running.add(node);
    this.judge(node, state);
  }

  /** Looks whether more than one runs now; `node` is who changed, or whose turn it is. */
  judge(node: number, state: ApplicationState): void {
    if (this.#running.size < 2) return;
    const { running } = this;
    const d = { group: this.#group, nodes: running.join(','), state };
    this.#verdict.find('LAW-one-holder', node, 'holder.two', d, running);
  }
}
