/**
 * What the durable metadata of one replica say of an image that is being overwritten, as the engine
 * would read it at its next attach. Oracles ask before each write of metadata, so what has not
 * changed since is not decoded again.
 */
import type { NodeId } from '../../engine/core/units.ts';
import { PAGE_BYTES } from '../../engine/data/abi.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import {
  chooseSuperblock,
  DiskFlag,
  decodeSuperblock,
  metadataLayout,
  metadataPages,
} from '../../engine/mirror/metadata.ts';
import { deviceBytes } from '../../engine/mirror/page.ts';
import { spareLayout } from '../../engine/mirror/spare-table.ts';
import {
  decodeUndoBatch,
  decodeUndoHead,
  type UndoLayout,
  undoLayout,
  ZEROES,
} from '../../engine/mirror/undo-log.ts';
import type { Kept } from './actors.ts';
import type { DiskChanges } from './disk-changes.ts';

type Run = Kept['runs'][number];

/** Reads one disk; without `changes` everything at each call. */
export class KeptImage {
  readonly #config: MirrorConfig;
  readonly #node: NodeId;
  readonly #changes: DiskChanges | null;
  readonly #layout: UndoLayout | null;
  readonly #slots: readonly [number, number];
  /** The side area's pages come behind all others; spare blocks are no pages here. */
  readonly #behind: number;
  /** Superblocks and heads, as they were read last, and the versions of their pages then. */
  #state: { readonly kept: Omit<Kept, 'runs'>; readonly device: Uint8Array } | null = null;
  #stateAt = -1;
  /** Of the log that was read last: its batches by the version of their pages and their first run,
   * and all runs. */
  #log = 0;
  #device = '';
  #batches: { readonly version: number; readonly from: number }[] = [];
  #runs: Run[] = [];
  /** The version of the pages where no further batch was. */
  #endAt = -1;

  constructor(config: MirrorConfig, node: NodeId, changes: DiskChanges | null) {
    this.#config = config;
    this.#node = node;
    this.#changes = changes;
    this.#layout = undoLayout(config.sideBytes);
    const { slotA, slotB, pages } = metadataLayout(config);
    this.#slots = [slotA, slotB];
    this.#behind = metadataPages(config) - spareLayout(config, pages).count;
  }

  read(meta: Uint8Array): Kept | null {
    const layout = this.#layout;
    if (layout === null) return null;
    const heads = layout.copies.map((at) => this.#behind + at);
    const version = this.#version([...this.#slots, ...heads]);
    if (version < 0 || version !== this.#stateAt) {
      this.#state = this.#readState(meta, layout);
      this.#stateAt = version;
    }
    const state = this.#state;
    if (state === null) return null;
    if (state.kept.log === 0) return { ...state.kept, runs: [] };
    this.#readRuns(meta, layout, state.kept.log, state.device);
    return { ...state.kept, runs: this.#runs };
  }

  #readState(
    meta: Uint8Array,
    layout: UndoLayout,
  ): { readonly kept: Omit<Kept, 'runs'>; readonly device: Uint8Array } | null {
    const [slotA, slotB] = this.#slots;
    const slot = (at: number) => decodeSuperblock(this.#config, this.#node, at, page(meta, at));
    const chosen = chooseSuperblock(slot(slotA), slot(slotB));
    if (!chosen.ok) return null;
    const { flags, generation, undo } = chosen.block;
    const device = deviceBytes(chosen.block.device);
    const head = (at: number) => decodeUndoHead(device, at, page(meta, this.#behind + at));
    const own = layout.copies.map(head).find((each) => each?.log === undo) ?? null;
    const kept = {
      // A log without its head is none, whatever names it.
      log: own === null ? 0 : undo,
      given: own !== null && own.given !== null,
      inconsistent: (flags & DiskFlag.Inconsistent) !== 0,
      point: (flags & DiskFlag.Point) !== 0,
      generation,
    };
    return { kept, device };
  }

  #readRuns(meta: Uint8Array, layout: UndoLayout, log: number, device: Uint8Array): void {
    const name = device.join(' ');
    const known = this.#changes !== null && this.#log === log && this.#device === name;
    if (!known || !this.#stands(layout)) this.#anew(log, name);
    // The last batch is written again and again while it fills.
    let number = Math.max(0, this.#batches.length - 1);
    for (; number < layout.batches; number += 1) {
      const version = this.#pairVersion(layout, number);
      if (version >= 0 && version === (this.#batches[number]?.version ?? this.#endAt)) {
        if (number < this.#batches.length) continue;
        return;
      }
      const batch = this.#decode(meta, layout, log, number, device);
      const before = this.#batches[number];
      if (before !== undefined && !this.#isLonger(batch, before.from)) {
        this.#anew(log, name);
        this.#readRuns(meta, layout, log, device);
        return;
      }
      if (batch === null) {
        this.#endAt = version;
        return;
      }
      const from = before?.from ?? this.#runs.length;
      this.#runs.push(...batch.slice(this.#runs.length - from));
      this.#batches[number] = { version, from };
      this.#endAt = -1;
    }
  }

  #decode(
    meta: Uint8Array,
    layout: UndoLayout,
    log: number,
    number: number,
    device: Uint8Array,
  ): Run[] | null {
    for (const first of layout.copies) {
      const at = first + 1 + number;
      const batch = decodeUndoBatch(device, at, log, number, page(meta, this.#behind + at));
      if (batch !== null)
        return batch.map((run) => (run.page === ZEROES ? { ...run, page: -1 } : run));
    }
    return null;
  }

  /** Whether a batch has all that it had, from run `from` of all on, and perhaps more. */
  #isLonger(batch: readonly Run[] | null, from: number): boolean {
    if (batch === null || batch.length < this.#runs.length - from) return false;
    for (let at = from; at < this.#runs.length; at += 1) {
      const [was, is] = [this.#runs[at] as Run, batch[at - from] as Run];
      if (was.block !== is.block || was.blocks !== is.blocks || was.page !== is.page) return false;
    }
    return true;
  }

  /** Whether all batches that were read, but for the last, are as they were. */
  #stands(layout: UndoLayout): boolean {
    for (let number = 0; number < this.#batches.length - 1; number += 1) {
      if (this.#batches[number]?.version !== this.#pairVersion(layout, number)) return false;
    }
    return true;
  }

  #anew(log: number, device: string): void {
    this.#log = log;
    this.#device = device;
    this.#batches = [];
    this.#runs = [];
    this.#endAt = -1;
  }

  /** Of both copies of a batch; behind the last there is none, nor does it change. */
  #pairVersion(layout: UndoLayout, number: number): number {
    if (number >= layout.batches) return 0;
    return this.#version(layout.copies.map((first) => this.#behind + first + 1 + number));
  }

  /** Rises with each change of one of the pages; -1 when nobody counts. */
  #version(pages: readonly number[]): number {
    const changes = this.#changes;
    return changes === null ? -1 : pages.reduce((sum, at) => sum + changes.version(at), 0);
  }
}

function page(meta: Uint8Array, at: number): Uint8Array {
  return meta.subarray(at * PAGE_BYTES, (at + 1) * PAGE_BYTES);
}
