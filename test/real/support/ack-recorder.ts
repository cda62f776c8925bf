/**
 * What a client knows of its writes, and therefore what a volume may hold. Writes over one block
 * never overlap in time, so a block holds its last acknowledged write, or the one behind it that
 * got no answer. Once read, that question is settled for ever: the history is strict.
 */

/** What one block may hold. */
interface BlockHistory {
  /** Sequence of the last acknowledged write, 0 for none. */
  acknowledged: number;
  /** A later write without an answer, 0 for none. */
  open: number;
}

/** A block that held what it must not. */
export interface Violation {
  readonly block: number;
  readonly found: number;
  readonly acknowledged: number;
  readonly open: number;
}

export class AckRecorder {
  acknowledged = 0;
  /** Writes without an answer, now. */
  readonly inFlight = new Map<number, { readonly block: number; readonly units: number }>();
  #blocks = new Map<number, BlockHistory>();
  /** Writes that were lost with their connection: they may have taken effect. */
  lost = 0;

  /** Takes a line of the driver's. */
  take(line: string): void {
    const [kind, seq = 0, block = 0, units = 0] = line.split(' ').map((word, i) => {
      return i === 0 ? word : Number(word);
    }) as [string, number, number, number];
    if (kind === 'I') this.#issue(seq, block, units);
    else if (kind === 'A') this.#end(seq, true);
    else if (kind === 'E') this.#end(seq, false);
  }

  /** The client is gone: nothing that is in flight will be answered. */
  abandon(): void {
    for (const seq of [...this.inFlight.keys()]) this.#end(seq, false);
  }

  /** Compares what was read with what must be there, and takes it as settled. */
  verify(found: readonly number[]): Violation[] {
    const violations: Violation[] = [];
    for (const [block, seq] of found.entries()) {
      const history = this.#blocks.get(block) ?? { acknowledged: 0, open: 0 };
      const { acknowledged, open } = history;
      if (seq !== acknowledged && (open === 0 || seq !== open)) {
        violations.push({ block, found: seq, acknowledged, open });
      }
      if (open !== 0) this.#blocks.set(block, { acknowledged: seq, open: 0 });
    }
    return violations;
  }

  #issue(seq: number, block: number, units: number): void {
    this.inFlight.set(seq, { block, units });
    for (let each = block; each < block + units; each++) {
      const history = this.#blocks.get(each);
      const acknowledged = history?.acknowledged ?? 0;
      if (history !== undefined && history.open !== 0) {
        throw new Error(`block ${each} was written again before its fate was known`);
      }
      this.#blocks.set(each, { acknowledged, open: seq });
    }
  }

  #end(seq: number, ok: boolean): void {
    const write = this.inFlight.get(seq);
    if (write === undefined) throw new Error(`an answer to write ${seq}, which is not in flight`);
    this.inFlight.delete(seq);
    if (ok) this.acknowledged += 1;
    else this.lost += 1;
    if (!ok) return;
    for (let each = write.block; each < write.block + write.units; each++) {
      this.#blocks.set(each, { acknowledged: seq, open: 0 });
    }
  }
}
