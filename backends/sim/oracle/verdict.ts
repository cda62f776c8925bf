/** What the oracles found. The table of scenarios/laws.ts decides what a finding means. */
import type { NodeId } from '../../../engine/core/units.ts';

/** The laws that the simulated world can judge. */
export type Law =
  | 'LAW-one-epoch'
  | 'LAW-one-holder'
  | 'LAW-stop-before-start'
  | 'LAW-acknowledged'
  | 'LAW-flushed'
  | 'LAW-register'
  | 'LAW-cover'
  | 'LAW-quiesced'
  | 'LAW-way-back'
  | 'LAW-prefix'
  | 'LAW-heals'
  | 'LAW-no-panic';

export const LAWS: readonly Law[] = [
  'LAW-one-epoch',
  'LAW-one-holder',
  'LAW-stop-before-start',
  'LAW-acknowledged',
  'LAW-flushed',
  'LAW-register',
  'LAW-cover',
  'LAW-quiesced',
  'LAW-way-back',
  'LAW-prefix',
  'LAW-heals',
  'LAW-no-panic',
];

/** One finding. */
export interface Finding {
  readonly law: Law;
  /** World time. */
  readonly t: number;
  readonly node: NodeId;
  /** A code, and its parameters: prose stands in the catalogue. */
  readonly code: string;
  readonly d: { readonly [name: string]: number | string | boolean };
  /** False where the table says that this law is only to be detected under these faults. */
  readonly broken: boolean;
}

/** Takes findings; at most a few per law, because one bug repeats itself a thousand times. */
export class Verdict {
  readonly findings: Finding[] = [];
  readonly #perLaw = new Map<Law, number>();
  readonly #excused = new Map<string, number>();
  readonly #now: () => number;
  readonly #judge: (law: Law, nodes: readonly NodeId[]) => boolean;
  readonly #told: (finding: Finding) => void;

  /** `judge` says whether a finding about these hosts breaks the law, given the faults so far. */
  constructor(
    now: () => number,
    judge: (law: Law, nodes: readonly NodeId[]) => boolean,
    told: (finding: Finding) => void,
  ) {
    this.#now = now;
    this.#judge = judge;
    this.#told = told;
  }

  /** `about` are the hosts of which one must have erred; the finding's own when it is left out. */
  find(
    law: Law,
    node: NodeId,
    code: string,
    d: { readonly [name: string]: number | string | boolean },
    about: readonly NodeId[] = node === 0 ? [] : [node],
  ): void {
    const before = this.#perLaw.get(law) ?? 0;
    this.#perLaw.set(law, before + 1);
    if (before >= 4) return;
    this.#take({ law, t: this.#now(), node, code, d, broken: this.#judge(law, about) });
  }

  /**
   * Takes what comes of a sector that a faulty disk spoiled: seen by the world, which knows the
   * truth, and no breach. Apart from the others, so that it hides none.
   */
  witness(
    law: Law,
    node: NodeId,
    code: string,
    d: { readonly [name: string]: number | string | boolean },
  ): void {
    const before = this.#excused.get(code) ?? 0;
    this.#excused.set(code, before + 1);
    if (before === 0) this.#take({ law, t: this.#now(), node, code, d, broken: false });
  }

  #take(finding: Finding): void {
    this.findings.push(finding);
    this.#told(finding);
  }
}
