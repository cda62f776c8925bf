/**
 * People at the simulated cluster: what they order, and what they do with the answers. A command
 * that has the id of another is a repetition of it, so every one has its own.
 */
import { type AgreedChange, type ConfigChange, nodeOf } from '../../engine/cluster/changes.ts';
import type { OperatorAnswer, OperatorCommand } from '../../engine/cluster/interface.ts';
import type { Micros, NodeId } from '../../engine/core/units.ts';
import type { VerifyLevel } from '../../engine/data/messages.ts';
import type { SimHost } from './host.ts';
import { GROWS_BYTES } from './host-configs.ts';
import type { VolumeOracles } from './oracle/oracles.ts';

/** Bytes a second of a verification: slow enough that faults fall into it. */
const VERIFY_RATE = 8 * 1024 * 1024;
const VERIFY_LEVELS: readonly VerifyLevel[] = ['direct', 'digest', 'digest', 'quick'];
/** For how long a quiesce point is asked: some are let go only when it is over. */
const QUIESCE_FOR = 1_500_000;

/** What somebody asked for. */
export const Order = {
  Switch: 0,
  Verify: 1,
  Quiesce: 2,
  Resume: 3,
  Resolve: 4,
  TakeBack: 5,
  Return: 6,
  TakeOver: 7,
  AddReplica: 8,
  RemoveReplica: 9,
  ReplaceReplica: 10,
  GrowVolume: 11,
  DropBranch: 12,
} as const;

/** How it is said what becomes of two branches: as they are shown, or as somebody said before. */
export const Saying = { AsShown: 0, EvenIfWritten: 1, LastAgain: 2, FirstAgain: 3 } as const;
/** How many there are. */
export const SAYINGS = 4;

/** On which disk a replica is to be: a new one, or the one on which it was before. */
export const OnDisk = { New: 0, Before: 1 } as const;

/** A point that somebody asked for, and has until it is let go. */
interface Point {
  readonly volumes: readonly string[];
  asked: number;
  /** Its number, 0 while it is not told. */
  id: number;
  /** The command that lets it go, 0 before. */
  letGo: number;
}

export class Operators {
  readonly #group: string;
  readonly #oracles: readonly VolumeOracles[];
  /** How many nodes may run the group: one that is added comes last. */
  readonly #places: number;
  #commands = 0;
  /** The last point asked of each node. */
  readonly #points: (Point | undefined)[] = [];
  /** By node: under what names somebody wanted its disks to be known, in order. */
  readonly #paths: (readonly string[])[] = [];
  /** What was said of two branches, in order. */
  readonly #said: OperatorCommand[] = [];

  constructor(group: string, oracles: readonly VolumeOracles[], places = 0) {
    this.#group = group;
    this.#places = places;
    this.#oracles = oracles;
  }

  /** Orders something of `host`; `to` is where to switch, or whose data to keep. */
  order(what: number, host: SimHost, to: number, how: number, now: Micros): void {
    if (what === Order.Resolve) this.#resolve(host, to, how, now);
    else if (what === Order.TakeBack) this.#takeBack(host, how, now);
    else if (what === Order.TakeOver) this.#takeOver(host, to, now);
    else if (what === Order.Verify) this.#verify(host);
    else if (what === Order.Quiesce) this.#quiesce(host);
    else if (what === Order.Resume) this.#resume(host);
    else if (what === Order.Return) this.#return(host);
    else if (what === Order.DropBranch) this.#dropBranch(host, now);
    else if (what >= Order.AddReplica) this.#configure(host, what, to, how, now);
    else this.#switch(host, to);
  }

  /** The control of `host` answers. */
  answered(host: SimHost, id: number, answer: OperatorAnswer): void {
    const point = this.#points[host.node];
    if (point === undefined) return;
    const oracles = this.#of(point.volumes);
    if (point.asked === id && answer.ok && answer.point !== undefined) {
      point.id = answer.point.id;
      for (const { volume, members } of answer.point.volumes) {
        const nodes = members.slice();
        for (const each of this.#of([volume])) each.quiesced.begin(point.id, nodes);
      }
    } else if (point.letGo === id && answer.ok) {
      for (const each of oracles) each.quiesced.stood(point.id, host.node);
    }
  }

  #verify(host: SimHost): void {
    for (const { name } of host.legs) {
      this.#commands += 1;
      // By the order's number: another level in a schedule must not move the chance of anything.
      const level = VERIFY_LEVELS[this.#commands % VERIFY_LEVELS.length] as VerifyLevel;
      const how = { from: 0, repair: true, bytesPerSecond: VERIFY_RATE } as const;
      const command = { kind: 'verify', volume: name, level, ...how } as const;
      host.input({ kind: 'operator', id: this.#commands, command });
    }
  }

  #switch(host: SimHost, to: number): void {
    if (this.#group === '') return;
    this.#commands += 1;
    const command = { kind: 'switch', group: this.#group, to } as const;
    host.input({ kind: 'operator', id: this.#commands, command });
  }

  #return(host: SimHost): void {
    for (const { name } of host.legs) {
      this.#commands += 1;
      const command = { kind: 'return-replica', volume: name } as const;
      host.input({ kind: 'operator', id: this.#commands, command });
    }
  }

  /** Drops what a copy waits for, where the host's status says that one does, and no other. */
  #dropBranch(host: SimHost, now: Micros): void {
    for (const { volume, local } of host.control?.status(now).volumes ?? []) {
      const kept = local?.keptBranch;
      if (kept?.holds !== true) continue;
      const { generation } = kept;
      this.#commands += 1;
      const command = { kind: 'drop-branch', volume, generation } as const;
      host.input({ kind: 'operator', id: this.#commands, command });
    }
  }

  /** Changes who holds a replica of the first volume, or has another disk put in. */
  #configure(host: SimHost, what: number, node: NodeId, how: number, now: Micros): void {
    const volume = this.#oracles[0]?.truth.config.name ?? '';
    const from = host.control?.status(now).config?.agreed ?? 0;
    const { changes = [] } = host.control?.status(now).config ?? {};
    const path = this.#pathFor(node, how, changes, `/dev/new${from + 1}`);
    const replica = { node, path, meta: '' };
    const added = { kind: 'add-replica', volume, replica, listen: [], place: 0 } as const;
    const replaced = { kind: 'replace-replica', volume, node, path, meta: '' } as const;
    const removed = { kind: 'remove-replica', volume, node } as const;
    const grows = { kind: 'grow-volume', volume, servedBytes: this.#sizeAfter(changes) } as const;
    const kinds: { readonly [order: number]: ConfigChange } = {
      [Order.AddReplica]: { ...added, place: this.#places },
      [Order.RemoveReplica]: removed,
      [Order.ReplaceReplica]: replaced,
    };
    const change = kinds[what] ?? grows;
    this.#say(host, { kind: 'configure', from, change });
  }

  /** One step more than what is agreed on. */
  #sizeAfter(changes: readonly AgreedChange[]): number {
    const last = changes.findLast(({ change }) => change.kind === 'grow-volume')?.change;
    const { sizeBytes = 0, servedBytes = sizeBytes } = this.#oracles[0]?.truth.config ?? {};
    return (last?.kind === 'grow-volume' ? last.servedBytes : servedBytes) + GROWS_BYTES;
  }

  /** Under what name the node is to know the disk: never that of the one which it has. */
  #pathFor(node: NodeId, how: number, changes: readonly AgreedChange[], another: string): string {
    const file = this.#oracles[0]?.truth.config.replicas.find((each) => each.node === node);
    const known = this.#paths[node] ?? [file?.path ?? ''];
    const last = changes.findLast(({ change }) => nodeOf(change) === node)?.change;
    const has = last === undefined ? file?.path : pathIn(last);
    const before = known.findLast((path) => path !== '' && path !== has);
    const path = how === OnDisk.Before ? (before ?? another) : another;
    this.#paths[node] = [...known, path];
    return path;
  }

  #quiesce(host: SimHost): void {
    this.#commands += 1;
    const volumes = host.legs.map(({ name }) => name);
    this.#points[host.node] = { volumes, asked: this.#commands, id: 0, letGo: 0 };
    const command = { kind: 'quiesce', volumes, micros: QUIESCE_FOR } as const;
    host.input({ kind: 'operator', id: this.#commands, command });
  }

  #resume(host: SimHost): void {
    const point = this.#points[host.node];
    if (point === undefined || point.id === 0) return;
    this.#commands += 1;
    point.letGo = this.#commands;
    // Whoever copied it has it by now.
    for (const each of this.#of(point.volumes)) each.quiesced.look(point.id);
    const command = { kind: 'resume', point: point.id } as const;
    host.input({ kind: 'operator', id: this.#commands, command });
  }

  /** Orders that the data of `keep` be kept, wherever two branches are shown. */
  #resolve(host: SimHost, keep: NodeId, how: number, now: Micros): void {
    if (this.#again(host, 'resolve', how)) return;
    for (const { volume, epoch, split } of host.control?.status(now).volumes ?? []) {
      const kept = split?.sides.find(({ node }) => node === keep);
      const given = split?.sides.find(({ node }) => node !== keep);
      if (kept === undefined || given === undefined) continue;
      const atMost = how === Saying.EvenIfWritten ? -1 : given.dirty;
      const data = { keeps: kept.generation, discards: given.generation, epoch, atMost };
      this.#say(host, { kind: 'resolve', volume, keep, ...data, adopt: false });
    }
  }

  /** Accepts what is lost with whoever is in sync: `to` is to lead from the image that it has. */
  #takeOver(host: SimHost, to: NodeId, now: Micros): void {
    for (const { volume, epoch } of host.control?.status(now).volumes ?? []) {
      this.#say(host, { kind: 'take-over', volume, to, epoch });
    }
  }

  /** Takes back whatever order stands. */
  #takeBack(host: SimHost, how: number, now: Micros): void {
    if (this.#again(host, 'take-back', how)) return;
    for (const { volume, discard } of host.control?.status(now).volumes ?? []) {
      if (discard === undefined) continue;
      const { order } = discard;
      for (const { truth } of this.#of([volume])) truth.saidBack.add(order);
      this.#say(host, { kind: 'take-back', volume, order });
    }
  }

  /** Says once more what was said before; false where that was not meant, or nothing was. */
  #again(host: SimHost, kind: OperatorCommand['kind'], how: number): boolean {
    if (how !== Saying.LastAgain && how !== Saying.FirstAgain) return false;
    const said = this.#said.filter((command) => command.kind === kind);
    const again = how === Saying.LastAgain ? said.at(-1) : said[0];
    if (again === undefined) return false;
    this.#commands += 1;
    host.input({ kind: 'operator', id: this.#commands, command: again });
    return true;
  }

  #say(host: SimHost, command: OperatorCommand): void {
    this.#said.push(command);
    this.#commands += 1;
    host.input({ kind: 'operator', id: this.#commands, command });
  }

  #of(volumes: readonly string[]): readonly VolumeOracles[] {
    return this.#oracles.filter(({ truth }) => volumes.includes(truth.config.name));
  }
}

/** The disk that a change names, '' for none. */
function pathIn(change: ConfigChange): string {
  if (change.kind === 'remove-replica' || change.kind === 'grow-volume') return '';
  return change.kind === 'add-replica' ? change.replica.path : change.path;
}
