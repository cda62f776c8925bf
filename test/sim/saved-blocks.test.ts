import { describe, expect, it } from 'vitest';
import type { Kept } from '../../backends/sim/actors.ts';
import { DiskChanges } from '../../backends/sim/disk-changes.ts';
import { SavedBlocks } from '../../backends/sim/oracle/saved-blocks.ts';
import { imageOf } from '../../backends/sim/oracle/way-back.ts';
import { Spoils } from '../../backends/sim/spoils.ts';
import { ZeroMarks } from '../../backends/sim/zero-marks.ts';
import { Rng } from '../../engine/core/rng.ts';

const SECTORS = 8;
const BLOCKS = 24;
const SPARE = 2;
const PAGES = 16;
const NO_MARKS = new ZeroMarks(new Spoils());
const ALL = (BLOCKS + SPARE + PAGES) * SECTORS;

/** A disk whose blocks change at random while a log of it grows, or is another one. */
class Shaken {
  readonly changes = new DiskChanges(ALL, 0);
  readonly saved = new SavedBlocks(BLOCKS, BLOCKS + SPARE);
  readonly disk = new Int32Array(ALL);
  runs: { block: number; blocks: number; page: number }[] = [];
  #stamp = 1;
  readonly #rng: Rng;

  constructor(seed: number) {
    this.#rng = new Rng(seed, 1);
    this.changes.take();
  }

  get image(): Int32Array {
    const at = (BLOCKS + SPARE) * SECTORS;
    const data = this.disk.slice(0, BLOCKS * SECTORS);
    return imageOf(this.runs, data, this.disk.subarray(at), NO_MARKS).slice();
  }

  step(): void {
    const rng = this.#rng;
    const die = rng.below(20);
    if (die < 12) this.#write(rng.below(ALL - 12), 1 + rng.below(12));
    else if (die < 17) this.#save();
    else if (die === 17) this.runs = [];
    else if (die === 18) this.runs = this.runs.slice(0, rng.below(this.runs.length + 1));
    else this.#write(BLOCKS * SECTORS + rng.below(SPARE * SECTORS), 1);
  }

  #write(sector: number, count: number): void {
    for (let i = 0; i < count; i += 1) this.disk[sector + i] = this.#stamp++;
    this.changes.sectors(sector, count);
  }

  /** As the engine appends to its log: the array that is known gets longer. */
  #save(): void {
    const rng = this.#rng;
    const blocks = 1 + rng.below(3);
    const page = rng.chance(200_000) ? -1 : rng.below(PAGES - blocks + 1);
    this.runs.push({ block: rng.below(BLOCKS - blocks + 1), blocks, page });
  }
}

describe('what may have changed of an image that a log keeps', () => {
  it('is all that has, whatever is written, saved or begun anew', () => {
    let narrowed = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const shaken = new Shaken(seed);
      let before = shaken.image;
      for (let look = 0; look < 40; look += 1) {
        for (let steps = look % 3; steps >= 0; steps -= 1) shaken.step();
        const now = shaken.image;
        const blocks = shaken.saved.changed(shaken.runs, shaken.changes.take());
        if (blocks !== null) narrowed += 1;
        const differ: number[] = [];
        for (let at = 0; at < now.length; at += 1) {
          if (now[at] !== before[at]) differ.push(Math.floor(at / SECTORS));
        }
        const missed = blocks === null ? [] : differ.filter((block) => !blocks.includes(block));
        expect([seed, look, missed]).toEqual([seed, look, []]);
        before = now;
      }
    }
    expect(narrowed).toBeGreaterThan(2000);
  });

  it('is found to be incomplete by this test when the disk does not say what it wrote', () => {
    const shaken = new Shaken(1);
    shaken.saved.changed(shaken.runs, shaken.changes.take());
    shaken.disk[8] = 7;
    expect(shaken.saved.changed(shaken.runs, shaken.changes.take())).toEqual([]);
  });

  it('comes from where the log says, and first of what it saved first', () => {
    const saved = new SavedBlocks(BLOCKS, BLOCKS + SPARE);
    const runs: Kept['runs'] = [
      { block: 2, blocks: 2, page: 5 },
      { block: 3, blocks: 1, page: -1 },
      { block: 9, blocks: 1, page: -1 },
    ];
    expect(saved.changed(runs, [1])).toEqual([2, 3, 3, 9, 1]);
    expect([1, 2, 3, 9].map((block) => saved.page(block))).toEqual([undefined, 5, 6, -1]);
    // Page 6 keeps block 3.
    expect(saved.changed(runs, [BLOCKS + SPARE + 6])).toEqual([3]);
  });
});
