import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import { deviceBytes } from '../../../engine/mirror/page.ts';
import {
  encodeUndoBatch,
  encodeUndoHead,
  type UndoLayout,
  type UndoRun,
  undoLayout,
} from '../../../engine/mirror/undo-log.ts';
import { UndoReader } from '../../../engine/mirror/undo-reader.ts';

const DEVICE = deviceBytes('0123456789abcdef'.repeat(2));
const LAYOUT = undoLayout(64 * PAGE_BYTES) as UndoLayout;
const LOG = 9;
const HEAD = { log: LOG, generation: 4, epoch: 5, pages: 64, given: null };

/** A side area that holds `pages`, and a reader of it. */
function readerOf(pages: Map<number, Uint8Array>): UndoReader {
  const blank = new Uint8Array(PAGE_BYTES);
  return new UndoReader(LAYOUT, {
    device: DEVICE,
    read: (a, b, decode, done) => {
      const at = (page: number) => decode(page, pages.get(page) ?? blank);
      done(at(a) ?? at(b));
    },
  });
}

/** A log of `count` batches of one block each. */
function logOf(count: number): Map<number, Uint8Array> {
  const pages = new Map<number, Uint8Array>();
  for (const copy of LAYOUT.copies) {
    const head = new Uint8Array(PAGE_BYTES);
    encodeUndoHead(DEVICE, copy, HEAD, head);
    pages.set(copy, head);
    for (let number = 0; number < count; number += 1) {
      const at = copy + 1 + number;
      const bytes = new Uint8Array(PAGE_BYTES);
      const run = { block: number, blocks: 1, page: LAYOUT.payload + number };
      encodeUndoBatch(DEVICE, at, LOG, number, [run], bytes);
      pages.set(at, bytes);
    }
  }
  return pages;
}

function read(pages: Map<number, Uint8Array>): { blocks: number[]; fault: string | null } {
  const runs: UndoRun[] = [];
  let fault: string | null = null;
  const take = (more: readonly UndoRun[]) => runs.push(...more);
  readerOf(pages).all({ head: HEAD, layout: LAYOUT }, take, (said) => {
    fault = said;
  });
  return { blocks: runs.map(({ block }) => block), fault };
}

describe('a log in a side area', () => {
  it('is read to its last batch, and ends there', () => {
    for (const count of [0, 1, 5, LAYOUT.batches]) {
      expect(read(logOf(count))).toEqual({ blocks: [...Array(count).keys()], fault: '' });
    }
  });

  it('is read where either copy of a page is whole', () => {
    const pages = logOf(5);
    pages.delete(LAYOUT.copies[0] + 1);
    pages.delete(LAYOUT.copies[1] + 3);
    expect(read(pages)).toEqual({ blocks: [0, 1, 2, 3, 4], fault: '' });
  });

  it('is damaged where a batch is lost that another one follows, and ends where none does', () => {
    const pages = logOf(5);
    for (const copy of LAYOUT.copies) pages.delete(copy + 1 + 2);
    expect(read(pages)).toEqual({ blocks: [0, 1], fault: 'damaged' });
    const last = logOf(5);
    for (const copy of LAYOUT.copies) last.delete(copy + 1 + 4);
    expect(read(last)).toEqual({ blocks: [0, 1, 2, 3], fault: '' });
  });

  it('is another one where its head has another number', () => {
    let found: unknown;
    const reader = readerOf(logOf(1));
    reader.open(LOG, (log) => {
      found = log;
    });
    expect(found).toEqual({ head: HEAD, layout: LAYOUT });
    reader.open(LOG + 1, (log) => {
      found = log;
    });
    expect(found).toBeNull();
  });
});
