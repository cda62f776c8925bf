import { describe, expect, it } from 'vitest';
import { Spoils } from '../../backends/sim/spoils.ts';
import { ZeroMarks } from '../../backends/sim/zero-marks.ts';

describe('zeroes that were noted', () => {
  it('have the mark of what ought to be there, until a read finds what ought to be', () => {
    const spoils = new Spoils();
    const marks = new ZeroMarks(spoils);
    const mark = spoils.stamp(0, 7);
    marks.found(16, 3, Int32Array.of(9, 0, mark, 0), 1);
    expect([15, 16, 17, 18].map((at) => marks.at(at))).toEqual([0, 0, mark, 0]);
    const image = new Int32Array(24).fill(5);
    marks.put(image, 16, 4);
    expect([...image.subarray(15, 21)]).toEqual([5, 0, mark, 0, 0, 5]);
    marks.found(17, 1, Int32Array.of(0), 0);
    expect(marks.at(17)).toBe(0);
  });
});
