/**
 * What the engine and people are told of the files into which a reactor spills: the engine, how far
 * an asynchronous replica may be behind; people, why there is none.
 */
import type { DataCommand } from '../../engine/data/messages.ts';
import type { Reactor, SpillStatus } from './native.ts';

export class SpillWatch {
  readonly #reactor: Reactor;
  /** What the engine was told last, by node. */
  readonly #told = new Map<number, string>();

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
  }

  /** How each spill is, and what the engine has to hear of that. */
  look(): { readonly spills: readonly SpillStatus[]; readonly commands: readonly DataCommand[] } {
    const spills = this.#reactor.spills();
    const commands: DataCommand[] = [];
    for (const { node, state, reason } of spills) {
      const on = state === 'on';
      const said = `${on} ${reason}`;
      const before = this.#told.get(node) ?? 'false ';
      if (said === before) continue;
      this.#told.set(node, said);
      commands.push({ kind: 'spill', node, on, reason });
    }
    return { spills, commands };
  }
}
