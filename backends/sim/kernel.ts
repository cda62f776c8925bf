/**
 * What every part of a simulated world leans on: virtual time, the queue, the trace hash, seeded
 * streams and the timeline. Parts know the kernel and one another's messages, never each other's
 * insides: a variable that two simulated hosts share would be a wire that no fault can cut.
 */
import { Rng } from '../../engine/core/rng.ts';
import type { TimelineEvent, TimelineValue } from '../../engine/timeline/event.ts';
import { EventQueue } from './queue.ts';
import { TraceHash } from './trace-hash.ts';

/** Kinds of queue entries. */
export const Kind = {
  /** target volume leg; a disk operation ends (a: operation). */
  Disk: 1,
  /** target volume leg; a parked or retried record for the data actor. */
  Record: 2,
  /** target volume leg; message from control (object). */
  Command: 3,
  /** target volume leg; the data actor's timer. */
  DataTimer: 4,
  /** target host; message from a data actor (object), a: leg. */
  Report: 10,
  /** target host; the control actor's wake-up. */
  Wake: 11,
  /** target host; datagram (object), a: from, b: link, c: its number in the trace hash. */
  Datagram: 12,
  /** target host; the durable store finished document a. */
  Stored: 13,
  /** target host; the monitor's word about an application (object). */
  Application: 14,
  /** target host; an operator's command (object). */
  Operator: 15,
  /** target connection; a packet arrives (a: packet, b: side that receives). */
  Packet: 20,
  /** target connection; try to connect. */
  Connect: 21,
  /** target connection; side b notices that incarnation a is dead. */
  Detect: 22,
  /** target host; core decision for the monitor (object). */
  MonitorOrder: 30,
  /** target host; an application's transition ends or a deadline passes (a: group). */
  MonitorTimer: 31,
  /** target host; something restarts. */
  CoreStart: 32,
  MonitorStart: 33,
  Boot: 34,
  /** target host; the watchdog looks at its deadline. */
  Watchdog: 35,
  /** target workload; the next request is due. */
  Client: 40,
  /** target fault number; it begins, ends (a = 1), or waits for its moment (a = 2). */
  Fault: 50,
  /** The end of the faults; the end of the workload. */
  Heal: 51,
  Calm: 52,
} as const;

/** Entity numbers of the random streams; each stays clear of the others for 64 hosts. */
export const Stream = {
  disk: 1_000,
  clock: 2_000,
  control: 3_000,
  data: 4_000,
  store: 5_000,
  host: 6_000,
  connection: 7_000,
  mailbox: 8_000,
  client: 9_000,
  /** What befalls a host that takes another configuration into use. */
  change: 10_000,
  latent: 30_000,
  /** 16 for each disk. */
  ill: 20_000,
  datagram: 100_000,
} as const;

/** The shared ground of one world. */
export class Kernel {
  readonly queue = new EventQueue();
  readonly hash = new TraceHash();
  /** World time in microseconds. */
  now = 0;
  /** Queue entries delivered to an actor of the engine. */
  events = 0;
  seed = 0;
  /** Collected events, or null when nobody reads them. Their `t` is world time. */
  timeline: TimelineEvent[] | null = null;
  #worldEvents = 0;

  reset(seed: number, timeline: boolean): void {
    this.queue.clear();
    this.hash.reset();
    this.now = 0;
    this.events = 0;
    this.seed = seed;
    this.timeline = timeline ? [] : null;
    this.#worldEvents = 0;
  }

  /** The random stream of one entity. */
  rng(entity: number): Rng {
    return new Rng(this.seed, entity);
  }

  /** An event of the simulated world itself: a fault, a violation, a client's outage. */
  worldEvent(node: number, kind: string, d: { readonly [name: string]: TimelineValue }): string {
    this.#worldEvents += 1;
    const id = `${node}.world.${this.#worldEvents}`;
    this.timeline?.push({ id, t: this.now, node, kind, d });
    return id;
  }
}
