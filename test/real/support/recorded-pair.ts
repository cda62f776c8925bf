/**
 * A pair whose disks are recorded: each write, flush and metadata page that the engine issues, when
 * it was done, and what the client did and was told, in one order. From that, every image that a
 * crash may leave of a replica at any moment can be made (crash-images.ts).
 */
import { Decision, Event, Flag, PAGE_BYTES } from '../../../engine/data/abi.ts';
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import { type Host, INPUT, SECTOR } from '../../support/mirror-hosts.ts';
import { Pair, type PairOptions } from '../../support/mirror-pair.ts';

/** One thing that happened; its place in the list is its time. */
export type Entry = { readonly record: VolumeRecord } & (
  | {
      readonly what: 'data';
      readonly node: number;
      readonly id: number;
      readonly first: number;
      readonly stamps: Uint32Array;
      readonly fua: boolean;
    }
  | {
      readonly what: 'meta';
      readonly node: number;
      readonly id: number;
      readonly page: number;
      readonly bytes: Uint8Array;
    }
  /** `covers`: data writes whose end the actor knew when it decided the flush. */
  | {
      readonly what: 'flush';
      readonly node: number;
      readonly id: number;
      readonly covers: readonly number[];
    }
  | { readonly what: 'done'; readonly node: number; readonly id: number }
  | {
      readonly what: 'begin';
      readonly op: number;
      readonly first: number;
      readonly count: number;
      readonly stamp: number;
      readonly fua: boolean;
    }
  | { readonly what: 'end'; readonly op: number }
);

type Happening = Entry extends infer E ? (E extends Entry ? Omit<E, 'record'> : never) : never;

export class RecordedPair extends Pair {
  readonly entries: Entry[] = [];
  #issued = 0;
  /** The disk operation being issued, 0 for none. */
  #issuing = 0;
  /** Data writes that ended: those whose end waits for the next turn, and those the actor knows. */
  readonly #ended = new Map<number, number[]>();
  readonly #known = new Map<number, number[]>();
  readonly #ops = new Map<Host, number[]>();

  constructor(options: PairOptions) {
    super(options);
    for (const { node } of this.hosts) {
      this.#ended.set(node, []);
      this.#known.set(node, []);
    }
  }

  /** The client writes `count` sectors. */
  write(first: number, count: number, fua: 'plain' | 'fua' = 'plain'): void {
    const { stamp, writes } = this.history.begin(first, count, this.now);
    const flags = fua === 'fua' ? Flag.Fua : 0;
    this.#request(Event.ReqWrite, first, count, stamp, flags, writes);
  }

  /** The client flushes. */
  flush(): void {
    this.#request(Event.ReqFlush, 0, 0, 0, 0, []);
  }

  #request(
    op: number,
    first: number,
    count: number,
    stamp: number,
    flags: number,
    writes: ReturnType<Pair['history']['begin']>['writes'],
  ): void {
    const h = this.host(this.record.primary);
    const slot = h.busyFront.indexOf(null);
    if (slot < 0 || h.actor === null) return;
    h.busyFront[slot] = { kind: op, first, count, invoked: this.now, writes };
    h.payload[slot]?.fill(stamp, 0, count);
    this.#issued += 1;
    this.#slots(h)[slot] = this.#issued;
    this.#add({ what: 'begin', op: this.#issued, first, count, stamp, fua: flags !== 0 });
    this.give(h, { ...INPUT, op, slot, flags, offset: first * SECTOR, length: count * SECTOR });
  }

  override complete(h: Host, slot: number, status: number): void {
    const op = this.#slots(h)[slot];
    if (status === 0 && op !== undefined) this.#add({ what: 'end', op });
    super.complete(h, slot, status);
  }

  override step(h: Host): void {
    const ended = this.#ended.get(h.node) as number[];
    this.#known.get(h.node)?.push(...ended.splice(0));
    super.step(h);
  }

  override decide(h: Host, d: number): void {
    const { decisions, outPages } = h.memory;
    const { node } = h;
    const offset = decisions.offset(d);
    const slot = decisions.slot(d);
    const id = this.#issued + 1;
    this.#issuing = id;
    switch (decisions.op(d)) {
      case Decision.LocalWrite: {
        const stamps = (h.payload[slot] as Uint32Array).slice(0, decisions.length(d) / SECTOR);
        const fua = (decisions.flags(d) & Flag.Fua) !== 0;
        this.#add({ what: 'data', node, id, first: offset / SECTOR, stamps, fua });
        break;
      }
      case Decision.MetaWrite: {
        const bytes = outPages.slice(slot * PAGE_BYTES, (slot + 1) * PAGE_BYTES);
        this.#add({ what: 'meta', node, id, page: offset, bytes });
        break;
      }
      case Decision.LocalFlush:
        this.#add({ what: 'flush', node, id, covers: [...(this.#known.get(node) ?? [])] });
        break;
      default:
        this.#issuing = 0;
    }
    if (this.#issuing !== 0) this.#issued = id;
    super.decide(h, d);
    this.#issuing = 0;
  }

  override io(h: Host, apply: (() => void) | null, done: () => typeof INPUT): void {
    const id = this.#issuing;
    if (id === 0) super.io(h, apply, done);
    else {
      super.io(h, apply, () => {
        this.#add({ what: 'done', node: h.node, id });
        const input = done();
        if (input.op === Event.LocalDone) this.#ended.get(h.node)?.push(id);
        return input;
      });
    }
  }

  #slots(h: Host): number[] {
    const known = this.#ops.get(h) ?? [];
    this.#ops.set(h, known);
    return known;
  }

  #add(happening: Happening): void {
    this.entries.push({ ...happening, record: this.record } as Entry);
  }
}
