/** Reads the log in a side area that the superblock names: its head, and its batches in order. */
import {
  decodeUndoBatch,
  decodeUndoHead,
  layoutOfLog,
  type UndoHead,
  type UndoLayout,
  type UndoRun,
} from './undo-log.ts';

/** A log, and how it is laid out. */
export interface Log {
  readonly head: UndoHead;
  readonly layout: UndoLayout;
}

/** Where the pages of a side area are read. */
export interface SidePages {
  /** The identity of the copy. */
  readonly device: Uint8Array;
  /** What `decode` takes from page `a`, or else from page `b`; null when it is neither. */
  read<T>(
    a: number,
    b: number,
    decode: (page: number, bytes: Uint8Array) => T | null,
    done: (found: T | null) => void,
  ): void;
}

export class UndoReader {
  readonly #area: UndoLayout;
  readonly #pages: SidePages;

  constructor(area: UndoLayout, pages: SidePages) {
    this.#area = area;
    this.#pages = pages;
  }

  /** Log `log`; null where its head is whole in neither place, or not all of it is in the area. */
  open(log: number, done: (log: Log | null) => void): void {
    const { device } = this.#pages;
    const [a, b] = this.#area.copies;
    const decode = (page: number, bytes: Uint8Array) => {
      const head = decodeUndoHead(device, page, bytes);
      return head?.log === log ? head : null;
    };
    this.#pages.read(a, b, decode, (head) => {
      const layout = head === null ? null : layoutOfLog(head, this.#area);
      done(head === null || layout === null ? null : { head, layout });
    });
  }

  /** Batch `number` of a log; null when it is not whole. */
  batch({ head, layout }: Log, number: number, done: (runs: UndoRun[] | null) => void): void {
    const { device } = this.#pages;
    const [a, b] = layout.copies;
    const at = number + 1;
    const decode = (page: number, bytes: Uint8Array) =>
      decodeUndoBatch(device, page, head.log, number, bytes);
    this.#pages.read(a + at, b + at, decode, done);
  }

  /** All batches of the log in their order, and then whether one of them is lost. */
  all(
    log: Log,
    take: (runs: readonly UndoRun[]) => void,
    done: (fault: '' | 'damaged') => void,
    number = 0,
  ): void {
    if (number >= log.layout.batches) {
      done('');
      return;
    }
    this.batch(log, number, (runs) => {
      if (runs === null) {
        this.#judgeEnd(log, number, done);
        return;
      }
      take(runs);
      this.all(log, take, done, number + 1);
    });
  }

  /** Nothing was overwritten for a batch that was never complete; a whole one behind it was. */
  #judgeEnd(log: Log, number: number, done: (fault: '' | 'damaged') => void): void {
    if (number + 1 >= log.layout.batches) done('');
    else this.batch(log, number + 1, (runs) => done(runs === null ? '' : 'damaged'));
  }
}
