/**
 * Orders to compare replicas. They change nothing that is agreed on, so they are no entries of the
 * log: the node that leads the volume takes them, and nobody else can carry them out.
 */
import { BLOCK_BYTES } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import type { Context } from './context.ts';
import type { OperatorAnswer, VerifyCommand } from './interface.ts';
import { type ClusterState, recordOf } from './state.ts';
import type { LocalVolume, Volumes } from './volumes.ts';

export class Verification {
  readonly #context: Context;
  readonly #volumes: Volumes;
  readonly #state: () => ClusterState;
  /** Orders given in this life of the core. */
  #given = 0;

  constructor(context: Context, volumes: Volumes, state: () => ClusterState) {
    this.#context = context;
    this.#volumes = volumes;
    this.#state = state;
  }

  /** Carries the command out, or answers why not. */
  take(id: number, command: VerifyCommand): void {
    const { kind, volume } = command;
    const d = { command: kind, group: volume, to: 0 };
    const cause = this.#context.event('operator.command', d);
    const answer = this.#refusal(command) ?? this.#order(command, cause);
    const reason = answer.ok ? '' : answer.reason;
    this.#context.event('operator.answer', { command: kind, ok: answer.ok, reason }, cause);
    this.#context.decide({ kind: 'answer', id, answer });
  }

  #refusal(command: VerifyCommand): OperatorAnswer | null {
    const { volume } = command;
    const record = recordOf(this.#state(), volume);
    if (record === null) return no('unknown-volume', 'see-status');
    const local = this.#volumes.get(volume);
    if (local === null || record.primary !== this.#context.node) {
      return no('not-primary', 'ask-the-primary');
    }
    if (command.kind === 'verify-stop') return null;
    const size = this.#context.config.volumes.find(({ name }) => name === volume)?.sizeBytes ?? 0;
    if (command.from * BLOCK_BYTES >= size) return no('behind-the-end', 'see-configuration');
    return this.#unready(local, record);
  }

  #unready(local: LocalVolume, { members }: VolumeRecord): OperatorAnswer | null {
    if (local.role !== 'Primary' && local.role !== 'Suspended') {
      return no('not-primary', 'ask-the-primary');
    }
    // A copy that is not in sync differs, and is known to: the resync is what it needs.
    return members.length > 1 ? null : no('not-in-sync', 'wait-for-resync');
  }

  #order(command: VerifyCommand, cause: string): OperatorAnswer {
    const { volume } = command;
    if (command.kind === 'verify-stop') {
      const stop = { kind: 'verify', order: null, cause } as const;
      this.#context.decide({ kind: 'to-data', volume, command: stop });
      return { ok: true };
    }
    this.#given += 1;
    const { level, from, repair, bytesPerSecond } = command;
    const order = { id: this.#given, level, from, repair, bytesPerSecond };
    this.#context.decide({ kind: 'to-data', volume, command: { kind: 'verify', order, cause } });
    return { ok: true, verify: order.id };
  }
}

function no(reason: string, remedy: string): OperatorAnswer {
  return { ok: false, reason, remedy };
}
