/** The simulated front-end under its contract: the campaign's own client on one simulated leg. */
import { ArrayPool } from '../../backends/sim/arrays.ts';
import { Client, DEFAULT_WORKLOAD } from '../../backends/sim/client.ts';
import { SimClock } from '../../backends/sim/clock.ts';
import { SECTOR_BYTES, SimDisk } from '../../backends/sim/disk.ts';
import { DEFAULT_DISK_LATENCY } from '../../backends/sim/disk-options.ts';
import { History, Request } from '../../backends/sim/history.ts';
import { Kernel } from '../../backends/sim/kernel.ts';
import { type LegHost, SIM_LAYOUT, SLOT_SECTORS } from '../../backends/sim/leg-host.ts';
import type { Observer } from '../../backends/sim/observer.ts';
import { PacketPool } from '../../backends/sim/packets.ts';
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import { SimLeg } from '../../backends/sim/volume.ts';
import { Rng } from '../../engine/core/rng.ts';
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import type { Answer, Asked, FrontendDriver, Offered } from './frontend.suite.ts';

const SECTORS = 16_384;
/** Longer than a client backs off after a failure. */
const LATER = 200_000;
const KINDS = {
  [Request.Read]: 'read',
  [Request.Write]: 'write',
  [Request.Flush]: 'flush',
} as const;
const WORKLOAD = { ...DEFAULT_WORKLOAD, reads: 35, flushes: 15, fua: 40, bursts: 0 };

/** Everything that nobody here asks for. */
function deaf(completed: Observer['completed']): Observer {
  const nothing = (): void => undefined;
  return {
    attaching: nothing,
    moment: nothing,
    record: nothing,
    grant: nothing,
    report: nothing,
    linkUp: nothing,
    peerAck: nothing,
    completed,
    coreStarted: nothing,
    coreDied: nothing,
    crashing: () => false,
    diskFailed: () => {},
    receiptLost: () => {},
    powerLost: nothing,
    application: nothing,
    brokenBelief: nothing,
    storm: nothing,
  };
}

function hostOf(): LegHost {
  const clock = new SimClock();
  clock.start(0, 0);
  return {
    node: 1,
    clock,
    coreLife: 1,
    coreAlive: () => true,
    coreRunning: () => true,
    nextLink: () => 1,
    report: () => undefined,
    broke: (belief) => {
      throw new Error(belief);
    },
    park: () => undefined,
  };
}

export class SimFrontend implements FrontendDriver {
  readonly slots = SIM_LAYOUT.frontSlots;
  #kernel = new Kernel();
  #leg: SimLeg;
  #client: Client;
  #offered: Offered[] = [];
  #completions: { slot: number; status: number }[] = [];
  #answers: Answer[] = [];
  /** Request in each slot, for what the client does not say: which of its requests failed. */
  #ids = new Map<number, number>();
  #seen = 0;

  constructor() {
    this.#kernel.reset(17, false);
    const pool = new ArrayPool();
    const hash = new TraceHash();
    const size = { sectors: SECTORS, metaPages: 8, maxSectors: SLOT_SECTORS };
    const rng = new Rng(5, 1);
    const disk = new SimDisk('disk', pool, 1, size, DEFAULT_DISK_LATENCY, hash, rng);
    const { frontSlots, peerSlots, engineSlots } = SIM_LAYOUT;
    const memory = new DataMemory(SIM_LAYOUT);
    const stamps = new Int32Array((frontSlots + peerSlots + engineSlots) * SLOT_SECTORS);
    const observer = deaf((_leg, slot, status) => this.#completed(slot, status));
    const packets = new PacketPool(1);
    const host = hostOf();
    this.#leg = new SimLeg(0, 0, 'v', host, disk, this.#kernel, packets, observer, memory, stamps);
    const watch = {
      invoked: () => undefined,
      succeeded: (op: number, leg: SimLeg, base: number) => {
        const isRead = this.#client.history.kind[op] === Request.Read;
        const stamp = isRead ? (leg.stamps[base] as number) : 0;
        this.#answers.push({ id: op, ok: true, stamp });
      },
      dropped: () => undefined,
    };
    const legs = [this.#leg];
    const runs = (): boolean => true;
    const history = new History();
    const sectors = (): number => SECTORS;
    this.#client = new Client(this.#kernel, 0, legs, sectors, 4096, WORKLOAD, history, watch, runs);
    this.#leg.start(() => ({ step: (count) => this.#step(count) }));
  }

  async issue(count: number): Promise<readonly Asked[]> {
    const { history } = this.#client;
    const first = history.count + 1;
    this.#kernel.now += LATER;
    for (let n = 0; n < count; n++) this.#client.tick();
    this.#kernel.queue.clear();
    return Array.from({ length: history.count + 1 - first }, (_, i) => {
      const id = first + i;
      const zero = history.zero[id] === 1;
      const kind = zero ? 'zero' : KINDS[history.kind[id] as 1 | 2 | 3];
      return {
        id,
        kind,
        offset: (history.sector[id] as number) * SECTOR_BYTES,
        length: (history.length[id] as number) * SECTOR_BYTES,
        fua: history.fua[id] === 1,
        // As the client draws it: every other one keeps its space.
        unmap: zero && id % 2 === 0,
        stamp: kind === 'write' ? id : 0,
      };
    });
  }

  async offered(): Promise<readonly Offered[]> {
    this.#leg.run();
    return this.#offered.splice(0);
  }

  async complete({ slot, kind, length }: Offered, status: number, stamp: number): Promise<void> {
    const base = slot * SLOT_SECTORS;
    if (kind === 'read') this.#leg.stamps.fill(stamp, base, base + length / SECTOR_BYTES);
    this.#completions.push({ slot, status });
    this.#leg.run();
  }

  async answers(): Promise<readonly Answer[]> {
    return this.#answers.splice(0);
  }

  async leave(): Promise<void> {
    this.#client.disconnected(0, false);
  }

  async close(): Promise<void> {}

  /** The engine's turn: takes over what came, decides what the suite said. */
  #step(count: number): number {
    const { events, decisions } = this.#leg.memory;
    for (let r = 0; r < count; r++) {
      const slot = events.slot(r);
      const op = events.op(r);
      const flags = events.flags(r);
      const written = (flags & Flag.Zero) !== 0 ? 'zero' : 'write';
      const kind = op === Event.ReqRead ? 'read' : op === Event.ReqWrite ? written : 'flush';
      const stamp = kind === 'write' ? (this.#leg.stamps[slot * SLOT_SECTORS] as number) : 0;
      const [offset, length] = [events.offset(r), events.length(r)];
      const [fua, unmap] = [(flags & Flag.Fua) !== 0, (flags & Flag.Unmap) !== 0];
      this.#seen += 1;
      this.#ids.set(slot, this.#seen);
      this.#offered.push({ slot, kind, offset, length, fua, unmap, stamp });
    }
    const completions = this.#completions.splice(0);
    for (const [r, { slot, status }] of completions.entries()) {
      decisions.put(r, Decision.Complete, slot, 0, 0, 0, 0, status);
    }
    return completions.length;
  }

  #completed(slot: number, status: number): void {
    const { inFlight } = this.#client;
    const told = this.#answers.length;
    this.#client.completed(this.#leg, slot, status);
    const failed = this.#client.inFlight < inFlight && this.#answers.length === told;
    const id = this.#ids.get(slot) ?? 0;
    if (failed) this.#answers.push({ id, ok: false, stamp: 0 });
  }
}
