/** The real front-end under its contract: the reactor's NBD export, over a Unix socket or TCP. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { Rng } from '../../engine/core/rng.ts';
import { Decision, Event, Flag } from '../../engine/data/abi.ts';
import { LAYOUT } from '../native/support/echo-engine.ts';
import { NbdSocket } from '../native/support/nbd-socket.ts';
import { Rig, SIZE } from '../native/support/rig.ts';
import { sleep } from '../real/support/hosts.ts';
import type { Answer, Asked, FrontendDriver, Offered, RequestKind } from './frontend.suite.ts';
import { type RawDecision, RawEngine, type RawEvent } from './raw-engine.ts';

const BLOCK = 4096;
const BLOCKS_MAX = 16;
/** The last blocks of the volume, where no client strikes: what reads bring comes from there. */
const SCRATCH = SIZE - BLOCKS_MAX * BLOCK;
const TYPES = { read: 0, write: 1, zero: 6, flush: 3 } as const;
const TRIM = 4;
const NO_HOLE = 2;
/** A request for zeroes is handed over in pieces that end where multiples of this do. */
const PIECE = LAYOUT.slotBytes;
const KIND_OF = new Map<number, RequestKind>([
  [Event.ReqRead, 'read'],
  [Event.ReqWrite, 'write'],
  [Event.ReqFlush, 'flush'],
]);
/** Over loopback everything has arrived after so many turns without news. */
const QUIET_TURNS = 15;
const LIMIT_MS = 15_000;

export class RealFrontend implements FrontendDriver {
  readonly slots = LAYOUT.frontSlots;
  #rig = new Rig();
  #path = this.#rig.replica('front');
  #engine = new RawEngine(this.#rig.reactor({ replicaPath: this.#path }));
  #to: { path: string } | { port: number };
  #rng = new Rng(23, 1);
  #client: NbdSocket | null = null;
  #asked = new Map<number, Asked>();
  #events: RawEvent[] = [];
  #ids = 0;
  /** Requests that were sent and not yet offered, and offered and not yet completed. */
  #due = 0;
  #open = 0;
  /** Whose request is in a slot, and how many answers its client has to get still. */
  #clientOf = new Map<number, NbdSocket | null>();
  #owed = 0;

  constructor(where: 'unix' | 'tcp') {
    const { reactor } = this.#engine;
    if (where === 'unix') {
      this.#to = { path: this.#rig.path('front.sock') };
      reactor.listenNbd(this.#to, 'v');
    } else this.#to = { port: reactor.listenNbd({ host: '127.0.0.1', port: 0 }, 'v') };
    reactor.setExport(true);
  }

  async issue(count: number): Promise<readonly Asked[]> {
    this.#client ??= await this.#connect();
    const asked = Array.from({ length: count }, () => this.#draw());
    for (const { id, kind, offset, length, fua, unmap, stamp } of asked) {
      const payload = kind === 'write' ? Buffer.alloc(length, stamp) : undefined;
      // Of zeroes that need not keep their space, a trim is another way to ask.
      const type = kind === 'zero' && unmap && id % 2 === 0 ? TRIM : TYPES[kind];
      const keep = kind === 'zero' && !unmap ? NO_HOLE : 0;
      this.#client.request(type, (fua ? 1 : 0) | keep, id, offset, length, payload);
    }
    this.#due += count;
    return asked;
  }

  async offered(): Promise<readonly Offered[]> {
    const arrived = (): number => this.#events.filter(({ op }) => KIND_OF.has(op)).length;
    // However slow the machine: what has a slot comes. Then nothing may come that should not.
    await this.#until(() => arrived() >= Math.min(this.#due, this.slots - this.#open));
    await this.#settle();
    const requests = this.#events.filter(({ op }) => KIND_OF.has(op));
    this.#due -= requests.length;
    this.#open += requests.length;
    this.#events = this.#events.filter(({ op }) => !KIND_OF.has(op));
    const offered: Offered[] = [];
    for (const { op, slot, offset, length, flags } of requests) {
      const zero = (flags & Flag.Zero) !== 0;
      const kind = zero ? 'zero' : (KIND_OF.get(op) as RequestKind);
      const [fua, unmap] = [(flags & Flag.Fua) !== 0, (flags & Flag.Unmap) !== 0];
      const stamp = kind === 'write' ? await this.#stampIn(slot, length) : 0;
      this.#clientOf.set(slot, this.#client);
      offered.push({ slot, kind, offset, length, fua, unmap, stamp });
    }
    return offered;
  }

  async complete({ slot, kind, length }: Offered, status: number, stamp: number): Promise<void> {
    if (kind === 'read' && status === 0) {
      this.#file('r+', (file) => writeSync(file, Buffer.alloc(length, stamp), 0, length, SCRATCH));
      await this.#io({ op: Decision.LocalRead, slot, offset: SCRATCH, length });
    }
    this.#decide({ op: Decision.Complete, slot, length: 0, status });
    this.#open -= 1;
    if (this.#client !== null && this.#clientOf.get(slot) === this.#client) this.#owed += 1;
  }

  async answers(): Promise<readonly Answer[]> {
    const arrived: ReturnType<NbdSocket['arrived']> = [];
    const take = (): number => arrived.push(...(this.#client?.arrived() ?? []));
    await this.#until(() => take() >= this.#owed);
    await this.#settle();
    take();
    this.#owed = Math.max(0, this.#owed - arrived.length);
    return arrived.map(({ cookie, error, data }) => {
      const asked = this.#asked.get(cookie);
      const same = data.every((byte) => byte === data[0]);
      const stamp = asked?.kind === 'read' && error === 0 ? (same ? (data[0] as number) : -1) : 0;
      return { id: cookie, ok: error === 0, stamp };
    });
  }

  async leave(): Promise<void> {
    this.#client?.socket.destroy();
    this.#client = null;
    this.#due = 0;
    this.#owed = 0;
    await this.#settle();
  }

  async close(): Promise<void> {
    this.#client?.socket.destroy();
    this.#engine.reactor.close();
    this.#rig.end();
  }

  async #connect(): Promise<NbdSocket> {
    const until = (condition: () => boolean): Promise<void> => this.#until(condition);
    const client = await NbdSocket.open({ until }, this.#to);
    if (!(await client.go('v'))) throw new Error(`refused: ${client.refusal}`);
    return client;
  }

  #draw(): Asked {
    this.#ids += 1;
    const die = this.#rng.below(100);
    const kind = die < 30 ? 'read' : die < 65 ? 'write' : die < 85 ? 'zero' : 'flush';
    const blocks = kind === 'flush' ? 0 : 1 + this.#rng.below(BLOCKS_MAX);
    let offset = blocks === 0 ? 0 : this.#rng.below(SCRATCH / BLOCK - blocks) * BLOCK;
    const end = Math.ceil(offset / PIECE + 1 / PIECE) * PIECE;
    if (kind === 'zero' && offset + blocks * BLOCK > end) offset = end - blocks * BLOCK;
    const fua = (kind === 'write' || kind === 'zero') && this.#rng.below(100) < 40;
    const unmap = kind === 'zero' && this.#rng.below(2) === 0;
    const stamp = kind === 'write' ? 1 + (this.#ids % 250) : 0;
    const length = blocks * BLOCK;
    const asked = { id: this.#ids, kind, offset, length, fua, unmap, stamp } as const;
    this.#asked.set(asked.id, asked);
    return asked;
  }

  /** What stands in a write's slot: the engine cannot look, so the disk has to. */
  async #stampIn(slot: number, length: number): Promise<number> {
    await this.#io({ op: Decision.LocalWrite, slot, offset: SCRATCH, length });
    const bytes = Buffer.alloc(length);
    this.#file('r', (file) => readSync(file, bytes, 0, length, SCRATCH));
    return bytes.every((byte) => byte === bytes[0]) ? (bytes[0] as number) : -1;
  }

  #file(flags: string, use: (file: number) => void): void {
    const file = openSync(this.#path, flags);
    use(file);
    closeSync(file);
  }

  async #io(decision: RawDecision): Promise<void> {
    this.#decide(decision);
    const isDone = ({ op, slot }: RawEvent): boolean => {
      return op === Event.LocalDone && slot === decision.slot;
    };
    await this.#until(() => this.#events.some(isDone));
    this.#events = this.#events.filter((event) => !isDone(event));
  }

  #decide(decision: RawDecision): void {
    this.#events.push(...this.#engine.decide(decision));
  }

  async #settle(): Promise<void> {
    let quiet = 0;
    await this.#until((news) => {
      quiet = news ? 0 : quiet + 1;
      return quiet > QUIET_TURNS;
    });
  }

  async #until(condition: (news: boolean) => boolean): Promise<void> {
    const end = Date.now() + LIMIT_MS;
    for (let news = true; !condition(news); ) {
      if (Date.now() > end) throw new Error(`not within ${LIMIT_MS} ms`);
      const events = this.#engine.turn();
      news = events.length > 0;
      this.#events.push(...events);
      await sleep(0);
    }
  }
}
