/**
 * What a client knows of the order of its writes, and therefore what a volume was at any moment: no
 * write is there without all that had been acknowledged before it was asked for.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AckRecorder } from './ack-recorder.ts';

const BLOCK = 4096;
const STAMP = 16;

interface Write {
  readonly block: number;
  readonly units: number;
  readonly asked: number;
  acknowledged: number;
}

export class WriteOrder extends AckRecorder {
  #now = 0;
  readonly #writes = new Map<number, Write>();

  override take(line: string): void {
    super.take(line);
    this.#now += 1;
    const [kind, seq = 0, block = 0, units = 0] = line
      .split(' ')
      .map((word, i) => (i === 0 ? word : Number(word))) as [string, number, number, number];
    if (kind === 'I') {
      this.#writes.set(seq, { block, units, asked: this.#now, acknowledged: 0 });
    }
    const write = this.#writes.get(seq);
    if (kind === 'A' && write !== undefined) write.acknowledged = this.#now;
  }

  /**
   * What makes `image`, which has a sequence for each block, none of any moment; '' if it is one.
   */
  mixed(image: readonly number[]): string {
    const asked = (seq: number): number => this.#writes.get(seq)?.asked ?? 0;
    const newest = image.reduce((latest, seq) => Math.max(latest, asked(seq)), 0);
    for (const [seq, write] of this.#writes) {
      if (write.acknowledged === 0 || write.acknowledged > newest) continue;
      for (let block = write.block; block < write.block + write.units; block += 1) {
        const shown = image[block] as number;
        // Writes over one block never overlap in time.
        if (shown < seq) return `block ${block} has ${shown}, and not ${seq} before the newest`;
      }
    }
    return '';
  }
}

/** For each block of a replica's file the sequence that it holds, 0 for zeroes, -1 for neither. */
export function readReplica(path: string, bytes: number, seed: string): number[] {
  const file = readFileSync(path);
  return Array.from({ length: bytes / BLOCK }, (_, block) => {
    const unit = file.subarray(block * BLOCK, (block + 1) * BLOCK);
    if (unit.every((byte) => byte === 0)) return 0;
    const hash = createHash('shake128', { outputLength: BLOCK - STAMP });
    const rest = hash.update(seed).update(unit.subarray(0, STAMP)).digest();
    const ours = Number(unit.readBigUInt64LE(8)) === block && rest.equals(unit.subarray(STAMP));
    return ours ? Number(unit.readBigUInt64LE(0)) : -1;
  });
}
