/**
 * What people ask of the data actors of the node that leads a volume: nothing that is agreed on
 * changes by it, so none of it is an entry of the log.
 */
import type { Context } from './context.ts';
import type { OperatorCommand, QuiesceCommand, VerifyCommand } from './interface.ts';
import type { FactsMessage } from './messages.ts';
import { isQuiesce, Quiescence } from './quiescence.ts';
import type { ClusterState } from './state.ts';
import { isVerify, Verification } from './verification.ts';
import type { Volumes } from './volumes.ts';

export type Errand = VerifyCommand | QuiesceCommand;

/** Whether a command is one that is taken here. */
export function isErrand(command: OperatorCommand): command is Errand {
  return isVerify(command) || isQuiesce(command);
}

export class Errands {
  readonly #verification: Verification;
  readonly #quiescence: Quiescence;

  constructor(context: Context, volumes: Volumes, state: () => ClusterState) {
    this.#verification = new Verification(context, volumes, state);
    this.#quiescence = new Quiescence(context, volumes, state);
  }

  /** Carries the command out, or answers why not. */
  take(id: number, command: Errand): void {
    if (isQuiesce(command)) this.#quiescence.take(id, command);
    else this.#verification.take(id, command);
  }

  /** Another node tells what it remembers. */
  heard(facts: FactsMessage): void {
    this.#verification.heard(facts);
  }

  tick(): void {
    this.#verification.tick();
    this.#quiescence.tick();
  }
}
