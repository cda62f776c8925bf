/** Reads the log in a side area that the superblock names: its head, and its batches in order. */
import type { Parts } from './parts.ts';
import type { SideArea } from './side-area.ts';
import {
  decodeUndoBatch,
  decodeUndoHead,
  type UndoHead,
  type UndoLayout,
  type UndoRun,
} from './undo-log.ts';

/** A log, and how it is laid out. */
export interface Log {
  readonly log: number;
  readonly layout: UndoLayout;
}

export class UndoReader {
  readonly #p: Parts;
  readonly #area: UndoLayout;
  readonly #side: SideArea;

  constructor(parts: Parts, area: UndoLayout, side: SideArea) {
    this.#p = parts;
    this.#area = area;
    this.#side = side;
  }

  /** The head of `log`; null where it is whole in neither place. */
  head(log: number, done: (head: UndoHead | null) => void): void {
    const { device } = this.#p.store;
    const [a, b] = this.#area.copies;
    const decode = (page: number, bytes: Uint8Array) => {
      const head = decodeUndoHead(device, page, bytes);
      return head?.log === log ? head : null;
    };
    this.#side.read(a, b, decode, done);
  }

  /** Batch `number` of the log; null when it is not whole. */
  batch({ log, layout }: Log, number: number, done: (runs: UndoRun[] | null) => void): void {
    const { device } = this.#p.store;
    const [a, b] = layout.copies;
    const at = number + 1;
    const decode = (page: number, bytes: Uint8Array) =>
      decodeUndoBatch(device, page, log, number, bytes);
    this.#side.read(a + at, b + at, decode, done);
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
