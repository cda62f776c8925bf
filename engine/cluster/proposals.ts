/** What this leader has proposed and not seen applied: one entry per subject at a time. */
import type { Entry } from './entries.ts';
import type { Raft } from './raft.ts';

export class Proposals {
  readonly #raft: Raft;
  #pending = new Set<string>();

  constructor(raft: Raft) {
    this.#raft = raft;
  }

  propose(entry: Entry): void {
    this.#pending.add(subjectOf(entry));
    this.#raft.propose(entry);
  }

  applied(entry: Entry): void {
    this.#pending.delete(subjectOf(entry));
  }

  /** The leader changed: what was proposed before is no business of ours. */
  reset(): void {
    this.#pending.clear();
  }

  /** The subject as in 'group shop', 'volume data', 'lease 1', 'voter 3', 'config all'. */
  busy(
    kind: 'group' | 'volume' | 'lease' | 'voter' | 'boot' | 'config',
    name: string | number,
  ): boolean {
    // Nearly always nothing is pending: then no name is put together.
    return this.#pending.size > 0 && this.#pending.has(`${kind} ${name}`);
  }
}

function subjectOf(entry: Entry): string {
  switch (entry.kind) {
    case 'noop':
    case 'genesis':
      return '';
    case 'readmit':
      return `voter ${entry.node}`;
    case 'volume':
      return `volume ${entry.record.volume}`;
    case 'group':
      return `group ${entry.next.group}`;
    case 'settle':
      return `lease ${entry.node}`;
    case 'boot':
      return `boot ${entry.node}`;
    case 'config':
    case 'config-step':
      return 'config all';
  }
}
