/**
 * People at the simulated cluster: what they order, and what they do with the answers. A command
 * that has the id of another is a repetition of it, so every one has its own.
 */
import type { OperatorAnswer } from '../../engine/cluster/interface.ts';
import type { VerifyLevel } from '../../engine/data/messages.ts';
import type { SimHost } from './host.ts';
import type { VolumeOracles } from './oracle/oracles.ts';

/** Bytes a second of a verification: slow enough that faults fall into it. */
const VERIFY_RATE = 8 * 1024 * 1024;
const VERIFY_LEVELS: readonly VerifyLevel[] = ['direct', 'digest', 'digest', 'quick'];
/** For how long a quiesce point is asked: some are let go only when it is over. */
const QUIESCE_FOR = 1_500_000;

/** What somebody asked for. */
export const Order = { Switch: 0, Verify: 1, Quiesce: 2, Resume: 3 } as const;

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
  #commands = 0;
  /** The last point asked of each node. */
  readonly #points: (Point | undefined)[] = [];

  constructor(group: string, oracles: readonly VolumeOracles[]) {
    this.#group = group;
    this.#oracles = oracles;
  }

  /** Orders something of `host`; `to` is where to switch. */
  order(what: number, host: SimHost, to: number): void {
    if (what === Order.Verify) this.#verify(host);
    else if (what === Order.Quiesce) this.#quiesce(host);
    else if (what === Order.Resume) this.#resume(host);
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

  #of(volumes: readonly string[]): readonly VolumeOracles[] {
    return this.#oracles.filter(({ truth }) => volumes.includes(truth.config.name));
  }
}
