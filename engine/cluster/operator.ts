/**
 * Commands of people. Any node takes one; the leader judges it and makes it an entry; the node
 * that took it answers when the entry is applied there. Repeated until answered or given up; the
 * state keeps which commands have become entries, so that a repetition does nothing.
 */
import type { Micros, NodeId } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import { nodeOf } from './changes.ts';
import type { Context } from './context.ts';
import type { Blocked, CommandRef, Entry, GroupState } from './entries.ts';
import type { Unit } from './groups.ts';
import type { Links } from './heartbeat.ts';
import type {
  ClusterStatus,
  ConfigureCommand,
  LogCommand,
  OperatorAnswer,
  OwnCopyCommand,
  ResolveCommand,
  TakeBackCommand,
  TakeOverCommand,
} from './interface.ts';
import type { CommandMessage, CommandRefusedMessage } from './messages.ts';
import type { Planner } from './planner.ts';
import type { Proposals } from './proposals.ts';
import type { Raft } from './raft.ts';
import type { Reconfigure } from './reconfigure.ts';
import type { Resolution } from './resolution.ts';
import { agreedOf, type ClusterState, commandTaken, groupOf, recordOf } from './state.ts';
import type { Views } from './views.ts';

const GIVE_UP_AFTER = 10_000_000;
const WAITING_MAX = 64;

interface Waiting {
  readonly command: LogCommand;
  readonly event: string;
  readonly until: Micros;
}

export class Operator {
  readonly #context: Context;
  readonly #links: Links;
  readonly #raft: Raft;
  readonly #planner: Planner;
  readonly #views: Views;
  readonly #resolution: Resolution;
  readonly #reconfigure: Reconfigure;
  readonly #proposals: Proposals;
  readonly #state: () => ClusterState;
  readonly #status: () => ClusterStatus;
  #waiting = new Map<number, Waiting>();
  /** Leader: commands whose entry is under way. */
  #proposed = new Set<string>();

  constructor(
    context: Context,
    parts: {
      readonly links: Links;
      readonly raft: Raft;
      readonly planner: Planner;
      readonly views: Views;
      readonly resolution: Resolution;
      readonly reconfigure: Reconfigure;
      readonly proposals: Proposals;
    },
    state: () => ClusterState,
    status: () => ClusterStatus,
  ) {
    this.#context = context;
    this.#links = parts.links;
    this.#raft = parts.raft;
    this.#planner = parts.planner;
    this.#views = parts.views;
    this.#resolution = parts.resolution;
    this.#reconfigure = parts.reconfigure;
    this.#proposals = parts.proposals;
    this.#state = state;
    this.#status = status;
  }

  take(id: number, command: LogCommand | OwnCopyCommand | { readonly kind: 'status' }): void {
    if (command.kind === 'status') {
      const answer: OperatorAnswer = { ok: true, status: this.#status() };
      this.#context.decide({ kind: 'answer', id, answer });
      return;
    }
    if (command.kind === 'return-replica' || command.kind === 'drop-branch') {
      this.#ownCopy(id, command);
      return;
    }
    const d = { command: command.kind, ...objectOf(command) };
    const event = this.#context.event('operator.command', d);
    if (this.#waiting.size >= WAITING_MAX) {
      this.#answer(id, command, { ok: false, reason: 'busy', remedy: 'retry-later' });
      return;
    }
    this.#waiting.set(id, { command, event, until: this.#context.now + GIVE_UP_AFTER });
    this.#forward(id);
  }

  tick(): void {
    for (const [id, waiting] of this.#waiting) {
      if (this.#context.now < waiting.until) {
        this.#forward(id);
        continue;
      }
      const answer = { ok: false, reason: 'no-majority', remedy: 'retry-later' } as const;
      this.#answer(id, waiting.command, answer);
    }
  }

  reset(): void {
    this.#proposed.clear();
  }

  onCommand(from: NodeId, message: CommandMessage): void {
    if (!this.#raft.governs) return;
    const { ref } = message;
    const refusal = this.#decide(ref, message.command, message.event);
    if (refusal === null) return;
    const { boot, life } = this.#context;
    const { reason, remedy } = refusal;
    const { event } = message;
    const answer: CommandRefusedMessage = {
      kind: 'command-refused',
      boot,
      life,
      event,
      ref,
      reason,
      remedy,
    };
    if (from === this.#context.node) this.onRefused(answer);
    else this.#links.send(from, answer);
  }

  onRefused(message: CommandRefusedMessage): void {
    const { ref, reason, remedy } = message;
    const waiting = this.#waiting.get(ref.id);
    if (ref.life !== this.#context.life || waiting === undefined) return;
    this.#answer(ref.id, waiting.command, { ok: false, reason, remedy });
  }

  applied(entry: Entry, effective: boolean): void {
    if (entry.kind !== 'group' && entry.kind !== 'volume' && entry.kind !== 'config') return;
    const { command = null } = entry;
    if (command === null) return;
    const { node, life, id } = command;
    this.#proposed.delete(keyOf(command));
    const waiting = this.#waiting.get(id);
    if (node !== this.#context.node || life !== this.#context.life) return;
    if (effective && waiting !== undefined) this.#answer(id, waiting.command, { ok: true });
  }

  /** Concerns this node's copy alone, so that no other one is asked: its source may be dead. */
  #ownCopy(id: number, order: OwnCopyCommand): void {
    const { kind, volume } = order;
    const at = { command: kind, group: volume, to: this.#context.node };
    const cause = this.#context.event('operator.command', at);
    const isReturn = order.kind === 'return-replica';
    const reason = isReturn ? this.#notReturned(volume) : this.#notDropped(order);
    if (reason === '') {
      const command = isReturn
        ? ({ kind: 'return', cause } as const)
        : ({ kind: 'drop-branch', generation: order.generation, cause } as const);
      this.#context.decide({ kind: 'to-data', volume, command });
    }
    const remedy = reason === 'source-is-there' ? 'wait-for-resync' : 'see-status';
    const answer: OperatorAnswer = reason === '' ? { ok: true } : { ok: false, reason, remedy };
    this.#context.event('operator.answer', { command: kind, ok: answer.ok, reason }, cause);
    this.#context.decide({ kind: 'answer', id, answer });
  }

  /** Why there is no such branch here; '' where there is. */
  #notDropped({ volume, generation }: Extract<OwnCopyCommand, { kind: 'drop-branch' }>): string {
    const { local = null } = this.#status().volumes.find((v) => v.volume === volume) ?? {};
    if (local === null) return 'unknown-volume';
    if (local.lostBranch?.generation === generation) return '';
    if (local.keptBranch === undefined) return 'no-branch';
    return local.keptBranch.generation === generation ? '' : 'another-branch';
  }

  /** Why there is nothing to put back, or it must wait; '' otherwise. */
  #notReturned(volume: string): string {
    const { local = null } = this.#status().volumes.find((v) => v.volume === volume) ?? {};
    if (local === null) return 'unknown-volume';
    if (local.wayBack === undefined) return 'no-copy-begun';
    if (local.link === 'SyncTarget') return 'source-is-there';
    const { state } = local.wayBack;
    return state === 'lost' ? 'no-way-back' : state === 'returning' ? 'returning' : '';
  }

  #forward(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    const { node, boot, life } = this.#context;
    const { command, event } = waiting;
    const ref: CommandRef = { node, life, id };
    // Its entry may have come inside a snapshot.
    if (this.#taken(ref)) {
      this.#answer(id, command, { ok: true });
      return;
    }
    const message: CommandMessage = { kind: 'command', boot, life, event, ref, command };
    if (this.#raft.leads) this.onCommand(node, message);
    else if (this.#raft.leader !== 0) this.#links.send(this.#raft.leader, message);
  }

  /** Leader: null when the command became, or will become, an entry. */
  #decide(
    ref: CommandRef,
    command: LogCommand,
    cause: string,
  ): { reason: string; remedy: string } | null {
    if (this.#taken(ref)) return null;
    if (command.kind === 'configure') return this.#configure(ref, command, cause);
    if (!('group' in command)) return this.#resolve(ref, command, cause);
    const units = this.#context.unitsBy(agreedOf(this.#state()));
    const unit = units.find((u) => u.group.name === command.group && !u.implicit);
    const group = groupOf(this.#state(), command.group);
    const record = unit === undefined ? null : recordOf(this.#state(), unit.volume.name);
    if (unit === undefined || group === null || record === null) {
      return { reason: 'unknown-group', remedy: 'see-status' };
    }
    const key = keyOf(ref);
    if (this.#proposed.has(key) || this.#planner.busy(group.group)) return null;
    switch (command.kind) {
      case 'stop-group': {
        if (group.wanted === 'stop') return { reason: 'already-stopped', remedy: 'none' };
        this.#proposed.add(key);
        if (group.owner !== 0) {
          const change = { wanted: 'stop', target: 0 } as const;
          this.#planner.stop(group, change, 'operator', ref, cause);
          return null;
        }
        const d = { group: group.group, owner: 0 };
        const event = this.#context.event('group.stopped', d, cause);
        const change = { wanted: 'stop', phase: 'stopped', blocked: null } as const;
        this.#planner.amend(group, change, event, ref);
        return null;
      }
      case 'start-group': {
        const idle = group.phase === 'stopped' || group.wanted === 'stop';
        if (!idle && group.blocked === null && group.failed.length === 0) {
          return { reason: 'already-started', remedy: 'none' };
        }
        this.#proposed.add(key);
        const d = { group: group.group, to: group.last, epoch: group.epoch };
        const event = this.#context.event('group.start', d, cause);
        const phase = group.phase === 'stopped' ? 'offline' : group.phase;
        const change = { wanted: 'run', phase, failed: [], blocked: null } as const;
        // An application that failed for good is restarted by a round of stop and start.
        const again = group.blocked !== null && group.owner !== 0 && phase !== 'stopping';
        if (again) {
          const round = { wanted: 'run', failed: [], blocked: null, target: group.owner } as const;
          this.#planner.stop(group, round, 'operator', ref, cause);
        } else this.#planner.amend(group, change, event, ref);
        return null;
      }
      case 'switch': {
        if (group.owner === command.to && group.phase !== 'stopping') {
          return { reason: 'already-there', remedy: 'none' };
        }
        if (group.phase !== 'online' && group.phase !== 'starting') {
          return { reason: 'not-running', remedy: 'start-group' };
        }
        if (!unit.nodes.includes(command.to)) {
          return { reason: 'not-a-node-of-the-group', remedy: 'see-configuration' };
        }
        if (this.#reconfigure.isGoing(unit.volume.name, command.to)) {
          return { reason: 'replica-goes', remedy: 'see-status' };
        }
        const candidate = this.#views.candidate(command.to);
        const verdict = this.#views.judge(unit, group, record, candidate);
        if (!verdict.ok) return verdict;
        this.#proposed.add(key);
        const failed = group.failed.filter((node) => node !== command.to);
        const change = { target: command.to, wanted: 'run', failed } as const;
        this.#planner.stop(group, change, 'operator', ref, cause);
        return null;
      }
    }
  }

  #configure(ref: CommandRef, command: ConfigureCommand, cause: string): Blocked | null {
    if (this.#proposals.busy('config', 'all')) return null;
    const verdict = this.#reconfigure.judge(command);
    if (typeof verdict !== 'string') return verdict;
    const { from, change } = command;
    const { volume } = change;
    const node = nodeOf(change);
    if (verdict === 'withdraw') {
      const event = this.#context.event('config.withdrawn', { version: from, volume, node }, cause);
      const step = { kind: 'config-step', of: from, to: 'withdrawn', record: 0 } as const;
      this.#proposals.propose({ ...step, event, command: ref });
      return null;
    }
    const d = { version: from + 1, change: change.kind, volume };
    const event = this.#context.event('config.changed', { ...d, node }, cause);
    this.#proposals.propose({ kind: 'config', event, from, change, command: ref });
    return null;
  }

  #resolve(
    ref: CommandRef,
    command: ResolveCommand | TakeBackCommand | TakeOverCommand,
    cause: string,
  ): { reason: string; remedy: string } | null {
    const units = this.#context.unitsBy(agreedOf(this.#state()));
    const unit = units.find((u) => u.volume.name === command.volume);
    const group = unit === undefined ? null : groupOf(this.#state(), unit.group.name);
    const record = recordOf(this.#state(), command.volume);
    if (unit === undefined || group === null || record === null) {
      return { reason: 'unknown-volume', remedy: 'see-status' };
    }
    // The log would not have it: others go on without what is there.
    if (command.kind === 'take-over' && this.#reconfigure.isLeaving(command.volume, command.to)) {
      return { reason: 'replica-goes', remedy: 'see-status' };
    }
    const key = keyOf(ref);
    if (this.#proposed.has(key) || this.#planner.busy(group.group)) return null;
    const answer = this.#decision(unit, group, record, command, ref, cause);
    if (answer === null) this.#proposed.add(key);
    return answer === 'wait' ? null : answer;
  }

  #decision(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    command: ResolveCommand | TakeBackCommand | TakeOverCommand,
    ref: CommandRef,
    cause: string,
  ): Blocked | 'wait' | null {
    switch (command.kind) {
      case 'resolve':
        return this.#resolution.take(unit, group, record, command, ref, cause);
      case 'take-back':
        return this.#resolution.takeBack(group, record, command, ref, cause);
      case 'take-over':
        return this.#resolution.takeOver(unit, group, record, command, ref, cause);
    }
  }

  #taken(ref: CommandRef): boolean {
    return !this.#context.flags['command-repeated'] && commandTaken(this.#state(), ref);
  }

  #answer(id: number, command: LogCommand, answer: OperatorAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    const reason = answer.ok ? '' : answer.reason;
    const d = { command: command.kind, ok: answer.ok, reason };
    this.#context.event('operator.answer', d, waiting?.event ?? '');
    this.#context.decide({ kind: 'answer', id, answer });
  }
}

/** What a command is about, and where it points. */
function objectOf(command: LogCommand): { readonly group: string; readonly to: NodeId } {
  if (command.kind === 'configure') {
    const { change } = command;
    return { group: change.volume, to: nodeOf(change) };
  }
  if (command.kind === 'resolve') return { group: command.volume, to: command.keep };
  if (command.kind === 'take-back') return { group: command.volume, to: 0 };
  if (command.kind === 'take-over') return { group: command.volume, to: command.to };
  return { group: command.group, to: command.kind === 'switch' ? command.to : 0 };
}

function keyOf(ref: CommandRef): string {
  return `${ref.node}.${ref.life}.${ref.id}`;
}
