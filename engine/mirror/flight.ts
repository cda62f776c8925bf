/** Records a mirror's data actor, and executes a recording again (engine/timeline/flight.ts). */
import { InvariantError } from '../core/invariant.ts';
import type { Micros } from '../core/units.ts';
import { Decision, Event, HEADER_BYTES, PAGE_BYTES, RECORD_BYTES } from '../data/abi.ts';
import { DataMemory } from '../data/memory.ts';
import type { DataActor, Mailboxes } from '../data/messages.ts';
import type { FlightHeader, FlightTarget } from '../timeline/flight.ts';
import type { Flight, FlightTurn } from '../timeline/flight-reader.ts';
import {
  bringsHeader,
  FlightWriter,
  outboxDigest,
  outputDigest,
  readKey,
  sumsBrought,
} from '../timeline/flight-writer.ts';
import { MirrorActor, type MirrorOptions } from './actor.ts';
import type { MirrorConfig } from './config.ts';

const RECORD_WORDS = RECORD_BYTES / 4;
const HEADER_WORDS = HEADER_BYTES / 4;
const PAGE_WORDS = PAGE_BYTES / 4;

/** A mirror's actor of which every turn goes to `target`. */
export function recordedMirror(
  options: MirrorOptions,
  target: FlightTarget,
  build: string,
): DataActor {
  const { memory, mailboxes, config, node, boot, session } = options;
  const actor = new MirrorActor(options);
  const header: FlightHeader = {
    build,
    volume: config.volume,
    node,
    boot,
    session,
    layout: memory.layout,
    config,
    canaries: [...(options.canaries ?? [])],
  };
  const writer = new FlightWriter(target, header, memory);
  return {
    step(count, now) {
      writer.input(count, now, mailboxes.inbox);
      let decisions = 0;
      try {
        decisions = actor.step(count, now);
      } catch (error) {
        writer.broke();
        throw error;
      }
      writer.output(decisions, mailboxes.outbox);
      return decisions;
    },
  };
}

/**
 * In what a turn differs: its decisions; the headers, pages and reports that go with them; whether
 * a belief broke in it; or its parts do not fit each other.
 */
export type Difference = 'decisions' | 'content' | 'belief' | 'recording';

/** What became of a recording that was executed again. */
export interface Repeated {
  readonly turns: number;
  readonly events: number;
  readonly decisions: number;
  /** The first turn that went another way, or null: turn from 0, its time, and what differed. */
  readonly divergence: {
    readonly turn: number;
    readonly now: Micros;
    readonly what: Difference;
  } | null;
}

/**
 * Executes a whole flight again and compares every decision, header, page and report with the
 * recording.
 * `seen` is told each turn after it was executed, with the memory as the actor left it.
 */
export function repeatFlight(
  flight: Flight,
  seen: (turn: FlightTurn, memory: DataMemory, mailboxes: Mailboxes) => void = () => {},
): Repeated {
  const { node, boot, session, layout, config, canaries } = flight.header;
  const memory = new DataMemory(layout);
  const mailboxes: Mailboxes = { inbox: [], outbox: [] };
  const actor = new MirrorActor({
    memory,
    mailboxes,
    config: config as MirrorConfig,
    node,
    boot,
    session,
    canaries: new Set(canaries),
  });
  const digest = outputDigest(memory);
  const input = new InputLoader(memory);
  let turns = 0;
  let events = 0;
  let decided = 0;
  for (const turn of flight.turns) {
    const differs = (what: Difference): Repeated => {
      const divergence = { turn: turns, now: turn.now, what };
      return { turns, events, decisions: decided, divergence };
    };
    if (!input.load(turn)) return differs('recording');
    mailboxes.inbox.push(...turn.commands);
    let count = -1;
    try {
      count = actor.step(turn.events.length / RECORD_WORDS, turn.now);
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
    }
    mailboxes.inbox.length = 0;
    if (turn.broke !== count < 0 && (turn.broke || turn.output !== null)) return differs('belief');
    // A turn without an output is the last: the actor broke a belief then, or was killed.
    if (turn.output === null) break;
    if (!same(turn.output.decisions, memory.decisions.i32, count)) return differs('decisions');
    const told = outboxDigest(digest(count), mailboxes.outbox);
    if (told !== turn.output.digest) return differs('content');
    for (let r = 0; r < count; r += 1) {
      if (memory.decisions.op(r) === Decision.MetaRead) {
        input.reads.add(readKey(memory.decisions, r));
      }
    }
    seen(turn, memory, mailboxes);
    mailboxes.outbox.length = 0;
    turns += 1;
    events += turn.events.length / RECORD_WORDS;
    decided += count;
  }
  return { turns, events, decisions: decided, divergence: null };
}

/** Puts the inputs of a turn where the actor looks for them. */
class InputLoader {
  /** Metadata reads that are out. */
  readonly reads: Set<number> = new Set();
  readonly #memory: DataMemory;
  readonly #pages: Int32Array;

  constructor(memory: DataMemory) {
    const { buffer, offsets, layout } = memory;
    this.#memory = memory;
    this.#pages = new Int32Array(buffer, offsets.inPages, layout.inPages * PAGE_WORDS);
  }

  /** False when the parts of the turn do not fit each other or the memory. */
  load(turn: FlightTurn): boolean {
    const { events, headers, layout } = this.#memory;
    const count = turn.events.length / RECORD_WORDS;
    if (count > layout.events) return false;
    events.i32.set(turn.events);
    const words = new Int32Array(headers.u32.buffer, headers.u32.byteOffset, headers.u32.length);
    let header = 0;
    let page = 0;
    let sum = 0;
    for (let r = 0; r < count; r += 1) {
      const op = events.op(r);
      const slot = events.slot(r);
      if (bringsHeader(op, events.flags(r))) {
        const from = turn.headers.subarray(header, header + HEADER_WORDS);
        if (slot < 0 || (slot + 1) * HEADER_WORDS > words.length) return false;
        words.set(from, slot * HEADER_WORDS);
        header += HEADER_WORDS;
      } else if (this.#bringsPage(r, op)) {
        if (slot < 0 || slot >= layout.inPages) return false;
        this.#pages.set(turn.pages.subarray(page, page + PAGE_WORDS), slot * PAGE_WORDS);
        page += PAGE_WORDS;
        if (op === Event.MetaDone) this.reads.delete(readKey(events, r));
      }
      const sums = sumsBrought(op, events.flags(r), events.offset(r), events.length(r));
      if (sums === 0) continue;
      const link = events.link(r);
      if (link < 0 || link >= layout.inPages || sums > PAGE_WORDS) return false;
      this.#pages.set(turn.sums.subarray(sum, sum + sums), link * PAGE_WORDS);
      sum += sums;
    }
    const fits = header === turn.headers.length && page === turn.pages.length;
    return fits && Math.ceil(sum / 2) * 2 === turn.sums.length;
  }

  #bringsPage(r: number, op: number): boolean {
    const { events } = this.#memory;
    if (op === Event.PeerMessage) return true;
    return op === Event.MetaDone && events.status(r) === 0 && this.reads.has(readKey(events, r));
  }
}

/** Whether the actor wrote the recorded decisions, all fields of each. */
function same(recorded: Int32Array, written: Int32Array, count: number): boolean {
  if (recorded.length !== count * RECORD_WORDS) return false;
  for (let i = 0; i < recorded.length; i += 1) if (recorded[i] !== written[i]) return false;
  return true;
}
