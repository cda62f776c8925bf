/**
 * Orders to compare replicas. They change nothing that is agreed on, so they are no entries of the
 * log: the node that leads the volume takes them, and nobody else can carry them out. How far one
 * is every holder of a replica notes (verify-note.ts): one that is interrupted goes on by itself
 * where the volume is led next.
 */
import { BLOCK_BYTES, MICROS_PER_S, type Micros } from '../core/units.ts';
import type { VerifyOrder, VerifyReport, VolumeRecord } from '../data/messages.ts';
import type { Context } from './context.ts';
import type { OperatorAnswer, OperatorCommand, VerifyCommand } from './interface.ts';
import type { FactsMessage } from './messages.ts';
import { type ClusterState, recordOf } from './state.ts';
import { isNewer, keptOf, NO_NOTE, noteAfter, type VerifyNote } from './verify-note.ts';
import type { LocalVolume, Volumes } from './volumes.ts';

/** How often a running one is noted: so much is looked at again at most. */
const NOTE_EVERY: Micros = 5 * MICROS_PER_S;
/** How soon it is tried again to go on with one. */
const RETRY: Micros = 2 * MICROS_PER_S;
/** Orders of one life of a core, and nodes: an order's number is made of these and the session. */
const ORDERS = 4096;
const NODES = 128;

/** How often it is written down at least how long nothing was compared. */
const REST_EVERY: Micros = 3600 * MICROS_PER_S;

/** Whether a command is one that is taken here. */
export function isVerify(command: OperatorCommand): command is VerifyCommand {
  const { kind } = command;
  return kind === 'verify' || kind === 'verify-stop' || kind === 'verify-resume';
}

export class Verification {
  readonly #context: Context;
  readonly #volumes: Volumes;
  readonly #state: () => ClusterState;
  /** Orders given in this life of the core. */
  #given = 0;
  /** When each volume's comparison was noted last, and may be gone on with. */
  readonly #notedAt: Map<string, Micros> = new Map();
  readonly #tryAt: Map<string, Micros> = new Map();
  /** From when on this leader counts how long a volume was not compared. */
  readonly #restsFrom: Map<string, Micros> = new Map();

  constructor(context: Context, volumes: Volumes, state: () => ClusterState) {
    this.#context = context;
    this.#volumes = volumes;
    this.#state = state;
    volumes.onVerify = (local, report) => this.#reported(local, report);
  }

  /** Carries the command out, or answers why not. */
  take(id: number, command: VerifyCommand): void {
    const { kind, volume } = command;
    const d = { command: kind, group: volume, to: 0 };
    const cause = this.#context.event('operator.command', d);
    const answer = this.#answer(command, cause);
    const reason = answer.ok ? '' : answer.reason;
    this.#context.event('operator.answer', { command: kind, ok: answer.ok, reason }, cause);
    this.#context.decide({ kind: 'answer', id, answer });
  }

  /** Another node tells what it remembers. */
  heard({ volumes }: FactsMessage): void {
    for (const { volume, verify } of volumes) {
      const local = this.#volumes.get(volume);
      if (local === null || verify === undefined || !isNewer(verify, local.note)) continue;
      this.#volumes.note(local, verify);
    }
  }

  /**
   * Goes on with what was interrupted, and begins what is due, where this node leads the volume.
   */
  tick(): void {
    for (const local of this.#volumes.all) {
      const { note, volume } = local;
      local.dueIn = null;
      const record = recordOf(this.#state(), volume);
      const leads = record?.primary === this.#context.node;
      if (!leads || isUnderWay(local) || this.#unready(local, record) !== null) {
        this.#restsFrom.delete(volume);
        continue;
      }
      if (this.#context.now < (this.#tryAt.get(volume) ?? 0)) continue;
      if (note?.state !== 'open') {
        this.#rest(local);
        continue;
      }
      this.#context.reached('verify-continued');
      const d = { volume, cursor: note.cursor };
      this.#goOn(local, note, this.#context.event('verify.continue', d, local.event));
    }
  }

  /** Counts how long the volume was not compared, and has it compared when it is time. */
  #rest(local: LocalVolume): void {
    const { volume } = local;
    const plan = this.#context.config.volumes.find(({ name }) => name === volume)?.verify;
    if (plan === undefined) return;
    const { now } = this.#context;
    const from = this.#restsFrom.get(volume) ?? now;
    this.#restsFrom.set(volume, from);
    const note = local.note ?? NO_NOTE;
    const rested = (note.rested ?? 0) + now - from;
    local.dueIn = Math.max(0, plan.every - rested);
    if (local.dueIn > 0 && now - from < Math.min(REST_EVERY, plan.every / 8)) return;
    this.#restsFrom.set(volume, now);
    this.#volumes.note(local, {
      ...note,
      serial: note.serial + 1,
      rested: local.dueIn > 0 ? rested : 0,
    });
    if (local.dueIn > 0) return;
    this.#context.reached('verify-scheduled');
    const { level, bytesPerSecond } = plan;
    const cause = this.#context.event('verify.scheduled', { volume, level }, '');
    const how = { level, from: 0, repair: false, bytesPerSecond } as const;
    this.#begin(local, { kind: 'verify', volume, ...how }, cause);
  }

  #answer(command: VerifyCommand, cause: string): OperatorAnswer {
    const { volume } = command;
    const record = recordOf(this.#state(), volume);
    if (record === null) return no('unknown-volume', 'see-status');
    const local = this.#volumes.get(volume);
    if (local === null || record.primary !== this.#context.node) {
      return no('not-primary', 'ask-the-primary');
    }
    if (command.kind === 'verify-stop') return this.#stop(local, cause);
    const unready = this.#unready(local, record);
    if (command.kind === 'verify-resume') return unready ?? this.#resume(local, cause);
    const size = this.#context.config.volumes.find(({ name }) => name === volume)?.sizeBytes ?? 0;
    if (command.from * BLOCK_BYTES >= size) return no('behind-the-end', 'see-configuration');
    return unready ?? this.#begin(local, command, cause);
  }

  #unready(local: LocalVolume, { members }: VolumeRecord): OperatorAnswer | null {
    if (local.role !== 'Primary' && local.role !== 'Suspended') {
      return no('not-primary', 'ask-the-primary');
    }
    // A copy that is not in sync differs, and is known to: the resync is what it needs.
    return members.length > 1 ? null : no('not-in-sync', 'wait-for-resync');
  }

  #begin(
    local: LocalVolume,
    { level, from, repair, bytesPerSecond }: Extract<VerifyCommand, { kind: 'verify' }>,
    cause: string,
  ): OperatorAnswer {
    const id = this.#number();
    const how = { id, level, repair, bytesPerSecond } as const;
    // One that takes no time is given again where it was interrupted.
    if (level === 'quick') {
      this.#order(local, { ...how, from }, cause);
      return { ok: true, verify: id };
    }
    const serial = (local.note?.serial ?? 0) + 1;
    const note = { ...NO_NOTE, ...how, serial, state: 'open', cursor: from } as const;
    this.#volumes.note(local, note);
    this.#order(local, { ...how, from }, cause);
    return { ok: true, verify: id };
  }

  #resume(local: LocalVolume, cause: string): OperatorAnswer {
    const { note } = local;
    if (note === null || note.state === 'done') {
      return no('nothing-to-resume', 'begin-anew');
    }
    const { rested: _, ...rest } = note;
    const repair = note.repair && this.#isOwn(note);
    const again = {
      ...rest,
      repair,
      id: this.#number(),
      serial: note.serial + 1,
      state: 'open',
    } as const;
    this.#volumes.note(local, again);
    this.#goOn(local, again, cause);
    return { ok: true, verify: again.id };
  }

  #stop(local: LocalVolume, cause: string): OperatorAnswer {
    const { note, volume } = local;
    if (note?.state === 'open') {
      this.#volumes.note(local, { ...note, serial: note.serial + 1, state: 'stopped' });
    }
    const command = { kind: 'verify', order: null, cause } as const;
    this.#context.decide({ kind: 'to-data', volume, command });
    return { ok: true };
  }

  #goOn(local: LocalVolume, note: VerifyNote, cause: string): void {
    const { id, level, bytesPerSecond, cursor: from } = note;
    const found = keptOf(note);
    const repair = note.repair && this.#isOwn(note);
    this.#order(local, { id, level, repair, bytesPerSecond, from, found }, cause);
  }

  #order(local: LocalVolume, order: VerifyOrder, cause: string): void {
    const { volume } = local;
    this.#tryAt.set(volume, this.#context.now + RETRY);
    this.#context.decide({ kind: 'to-data', volume, command: { kind: 'verify', order, cause } });
  }

  /** The data actor says how far it is. */
  #reported(local: LocalVolume, report: VerifyReport): void {
    const { note, volume } = local;
    if (note === null || note.id !== report.id) return;
    const { now } = this.#context;
    const ended = report.state === 'done' || report.state === 'stopped';
    if (!ended && now - (this.#notedAt.get(volume) ?? -NOTE_EVERY) < NOTE_EVERY) return;
    this.#notedAt.set(volume, now);
    this.#volumes.note(local, noteAfter(note, report));
  }

  /**
   * Whether it was ordered here. A repair writes over the copy that was not the primary's when a
   * person ordered it: where another host leads since, it goes on, and repairs nothing.
   */
  #isOwn({ id }: VerifyNote): boolean {
    return Math.floor(id / ORDERS) % NODES === this.#context.node;
  }

  /** Tells the order from every other one, whoever gave it. */
  #number(): number {
    const { session, node } = this.#context;
    this.#given += 1;
    return (session * NODES + node) * ORDERS + (this.#given % ORDERS);
  }
}

/** Whether the data actor is at one now. */
function isUnderWay({ verify }: LocalVolume): boolean {
  return verify?.state === 'running' || verify?.state === 'paused';
}

function no(reason: string, remedy: string): OperatorAnswer {
  return { ok: false, reason, remedy };
}
