/** Records in, records out: a reactor driven by a test instead of an engine. */
import { loadNative, type Reactor } from '../../backends/real/native.ts';
import { type AbiLayout, Event, PAGE_BYTES } from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import { LAYOUT } from '../native/support/echo-engine.ts';

/** One event, copied out of the shared memory. */
export interface RawEvent {
  readonly op: number;
  readonly slot: number;
  readonly link: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
  readonly status: number;
  /** Text of the in-page up to its first zero byte, where the event has one. */
  readonly text: string;
}

/** What a decision says; fields left out are zero. */
export interface RawDecision {
  readonly op: number;
  readonly slot?: number;
  readonly link?: number;
  readonly flags?: number;
  readonly offset?: number;
  readonly length?: number;
  readonly status?: number;
  /** Put into the next out-page, whose number becomes the slot. */
  readonly text?: string;
}

export class RawEngine {
  readonly reactor: Reactor;
  readonly memory: DataMemory;
  readonly #layout: AbiLayout;
  #decisions = 0;
  #pages = 0;

  constructor(reactor: Reactor, layout: AbiLayout = LAYOUT) {
    this.reactor = reactor;
    this.#layout = layout;
    this.memory = new DataMemory(layout, reactor.memory);
  }

  /** Adds a decision to the next turn, or carries out what has gathered when it is full. */
  decide({
    op,
    slot = 0,
    link = 0,
    flags = 0,
    offset = 0,
    length = 0,
    status = 0,
    text,
  }: RawDecision): RawEvent[] {
    const events = this.#pages === this.#layout.outPages ? this.turn() : [];
    let page = slot;
    let bytes = length;
    if (text !== undefined) {
      page = this.#pages;
      this.#pages += 1;
      const content = this.memory.outPages.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      content.fill(0);
      content.set(new TextEncoder().encode(text));
      if (bytes === 0) bytes = text.length;
    }
    this.memory.decisions.put(this.#decisions, op, page, link, flags, offset, bytes, status);
    this.#decisions += 1;
    return events;
  }

  /** One turn that waits at most a millisecond. */
  turn(): RawEvent[] {
    const count = this.reactor.poll(this.#decisions, loadNative().nowMicros() + 1000);
    this.#decisions = 0;
    this.#pages = 0;
    return Array.from({ length: count }, (_, r) => this.#event(r));
  }

  #event(r: number): RawEvent {
    const { events } = this.memory;
    const [op, slot, status] = [events.op(r), events.slot(r), events.status(r)];
    const paged = op === Event.PeerMessage || (op === Event.MetaDone && status === 0);
    return {
      op,
      slot,
      link: events.link(r),
      flags: events.flags(r),
      offset: events.offset(r),
      length: events.length(r),
      status,
      // A message ends with its length; what stands behind it on the page is old.
      text: paged ? this.#text(slot, op === Event.PeerMessage ? events.length(r) : PAGE_BYTES) : '',
    };
  }

  #text(page: number, length: number): string {
    const at = page * PAGE_BYTES;
    const bytes = this.memory.inPages.subarray(at, at + length);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(bytes.subarray(0, end < 0 ? length : end));
  }
}
