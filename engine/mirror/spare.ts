/**
 * The spare blocks of the own replica: which block stands in which, and how one more comes to stand
 * there. What was read back is recorded, in both copies of the table and then in the superblock;
 * only then anybody goes there. So a crash leaves a block in its old place or in its new one, never
 * in one that holds something else. A spare block is given once, and to one block.
 */
import { invariant } from '../core/invariant.ts';
import { Decision, PAGE_BYTES } from '../data/abi.ts';
import { Feature } from './features.ts';
import { metadataLayout } from './metadata.ts';
import { type Claims, deviceBytes, noClaims } from './page.ts';
import type { Parts } from './parts.ts';
import {
  decodeTable,
  encodeTable,
  FREE,
  GIVEN_UP,
  newerTable,
  placesOf,
  type SpareLayout,
  spareLayout,
  TABLE_ENTRIES,
  type TableRead,
  usedBy,
} from './spare-table.ts';

/** Of a hundred spare blocks so many are gone: more will be needed than are left. */
const NEARLY_FULL = 80;

interface Waiting {
  readonly block: number;
  readonly page: number;
  readonly done: () => void;
}

export class Spare {
  readonly #p: Parts;
  readonly layout: SpareLayout;
  readonly #scratch = new Uint8Array(PAGE_BYTES);
  /** Whether this replica has the area at all. */
  #there = false;
  /** The page in which each block stands that is not in its own place. */
  #places: Map<number, number> = new Map();
  /** All entries of the table, page after page, and how often each page was written. */
  #entries: (Float64Array | null)[] = [];
  #seq: number[] = [];
  /** The next spare block to be given. */
  #next = 0;
  /** What is to be recorded, oldest first; the first one is under way. */
  readonly #waiting: Waiting[] = [];
  #token = 0;
  #after: () => void = () => {};
  // Attach.
  #readA: (TableRead | null)[] = [];
  #readB: (TableRead | null)[] = [];

  constructor(parts: Parts) {
    this.#p = parts;
    this.layout = spareLayout(parts.config, metadataLayout(parts.config).pages);
  }

  /** The page in which `block` stands, 0 when it is in its place. */
  pageOf(block: number): number {
    return this.#places.get(block) ?? 0;
  }

  /** Blocks that are not in their place. */
  get used(): number {
    return this.#places.size;
  }

  /** Whether nearly all of the area is gone. */
  get nearlyFull(): boolean {
    return this.#there && this.#next * 100 >= this.layout.count * NEARLY_FULL;
  }

  /** A spare block that nobody ever had: its page, or 0 when there is none left. */
  take(): number {
    if (!this.#there || this.#next >= this.layout.count) return 0;
    this.#next += 1;
    return this.layout.first + this.#next - 1;
  }

  /** A spare block is of no use. It is told with whatever is recorded next. */
  giveUp(page: number): void {
    this.#put(page, GIVEN_UP);
  }

  /**
   * `page` has what belongs to `block`, as was seen by reading it: from `done` on it is there. The
   * caller holds the range of the block.
   */
  record(block: number, page: number, done: () => void): void {
    this.#waiting.push({ block, page, done: this.#p.turn.carry(done) });
    if (this.#p.canary.spareUnrecorded) this.#switch();
    else if (this.#waiting.length === 1) this.#write();
  }

  /** Whether a page of metadata is of the table. */
  owns(page: number): boolean {
    return page >= this.layout.copyA;
  }

  // While attaching.

  /** The page of metadata that is read after `page`; 0 for none. */
  nextRead(page: number): number {
    const { copyA, copyB, tablePages } = this.layout;
    if ((this.#p.store.block.features.incompatible & Feature.Spare) === 0) return 0;
    if (page < copyA) return copyA;
    if (page + 1 === copyA + tablePages) return copyB;
    return page + 1 === copyB + tablePages ? 0 : page + 1;
  }

  /** A page of the table was read, or could not be. Raises `claimed`. */
  read(page: number, bytes: Uint8Array | null): Claims | null {
    const { copyA, copyB } = this.layout;
    const isA = page < copyB;
    const number = page - (isA ? copyA : copyB);
    const device = deviceBytes(this.#p.store.block.device);
    const table = bytes === null ? null : decodeTable(device, page, number, bytes);
    (isA ? this.#readA : this.#readB)[number] = table;
    return table === null ? null : table.claims;
  }

  /** Everything is read. False where the table is lost, or lacks what was relied on. */
  gather(): 'ok' | 'unreadable' | 'stale' {
    const { store, canary, turn } = this.#p;
    const { tablePages, count } = this.layout;
    const { features, remaps } = store.block;
    if ((features.incompatible & Feature.Spare) === 0) return 'ok';
    const tables: (TableRead | null)[] = [];
    for (let number = 0; number < tablePages; number += 1) {
      const table = newerTable(this.#readA[number] ?? null, this.#readB[number] ?? null);
      // Any block of the volume may stand in what this page told of: its place may hold old data.
      if (table === null && !canary.tableLostIgnored) return 'unreadable';
      tables.push(table);
    }
    this.#entries = tables.map((table) => table?.entries ?? null);
    this.#seq = tables.map((table) => table?.seq ?? 0);
    if (this.#written < remaps && !canary.tableLostIgnored) return 'stale';
    this.#places = placesOf(this.layout, tables);
    this.#next = count;
    while (this.#next > 0 && this.#entry(this.#next - 1) === FREE) this.#next -= 1;
    this.#there = true;
    if (this.#places.size > 0) {
      turn.reached('mirror.spare.attached');
      this.#p.io.on();
    }
    return 'ok';
  }

  /** Writes each copy of a page anew that is not as new as the other, then calls `done`. */
  mend(done: () => void): void {
    const { copyA, copyB } = this.layout;
    for (let number = 0; number < this.#seq.length; number += 1) {
      const [a, b] = [this.#readA[number], this.#readB[number]];
      const seq = this.#seq[number] as number;
      if (a?.seq === seq && b?.seq === seq) continue;
      this.#p.turn.reached('mirror.spare.mended');
      const copy = a?.seq === seq ? copyB : copyA;
      const entries = this.#entries[number] ?? null;
      (copy === copyA ? this.#readA : this.#readB)[number] = { seq, claims: noClaims(), entries };
      this.#page(
        copy,
        number,
        this.#p.turn.carry(() => this.mend(done)),
      );
      return;
    }
    this.#readA = [];
    this.#readB = [];
    done();
  }

  /** A page of the table is durable. */
  written(token: number): void {
    if (token !== this.#token) return;
    this.#token = 0;
    this.#after();
  }

  /** How often pages of the table were written. */
  get #written(): number {
    return this.#seq.reduce((sum, seq) => sum + seq, 0);
  }

  #entry(index: number): number {
    const number = Math.floor(index / TABLE_ENTRIES);
    return this.#entries[number]?.[index - number * TABLE_ENTRIES] ?? FREE;
  }

  #put(page: number, entry: number): number {
    const index = page - this.layout.first;
    const number = Math.floor(index / TABLE_ENTRIES);
    const entries = this.#entries[number] ?? new Float64Array(TABLE_ENTRIES);
    this.#entries[number] = entries;
    entries[index - number * TABLE_ENTRIES] = entry;
    return number;
  }

  /** One copy, then the other, then the superblock, which from then on counts it. */
  #write(): void {
    const [first] = this.#waiting;
    invariant(first !== undefined, 'something is to be recorded');
    const { store, canary } = this.#p;
    const { copyA, copyB } = this.layout;
    const number = this.#put(first.page, usedBy(first.block));
    this.#seq[number] = (this.#seq[number] as number) + 1;
    const both = () => {
      store.block.remaps = this.#written;
      store.persist(() => {
        this.#switch();
        if (this.#waiting.length > 0) this.#write();
      });
    };
    this.#page(copyA, number, () => {
      if (canary.spareSingle) both();
      else this.#page(copyB, number, both);
    });
  }

  #switch(): void {
    const first = this.#waiting.shift();
    invariant(first !== undefined, 'something was recorded');
    this.#places.set(first.block, first.page);
    this.#p.io.on();
    first.done();
  }

  #page(copy: number, number: number, after: () => void): void {
    const { store, state, turn } = this.#p;
    const [at, entries] = [copy + number, this.#entries[number] ?? null];
    const device = deviceBytes(store.block.device);
    const claims = store.claims;
    encodeTable(device, at, number, this.#seq[number] as number, claims, entries, this.#scratch);
    this.#token = state.nextToken();
    this.#after = after;
    turn.emitPage(Decision.MetaWrite, 0, at, this.#token, this.#scratch);
  }
}
