import { describe, expect, it } from 'vitest';
import {
  channels,
  contrast,
  PALETTES,
  STATE_COLOURS,
  textOn,
} from '../../../viewer/src/base/palette.ts';

/** Machado, Oliveira and Fernandes 2009: full severity, on linear light. */
const BLINDNESS: { readonly [name: string]: readonly number[] } = {
  none: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [
    0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998,
  ],
  deuteranopia: [
    0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881,
  ],
  tritanopia: [
    1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039,
  ],
};

function lab(colour: string, matrix: readonly number[]): number[] {
  const linear = channels(colour).map((value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  );
  const [r, g, b] = [0, 3, 6].map((row) =>
    Math.min(
      1,
      Math.max(
        0,
        [0, 1, 2].reduce((sum, at) => sum + matrix[row + at]! * linear[at]!, 0),
      ),
    ),
  );
  const xyz = [
    (0.4124 * r! + 0.3576 * g! + 0.1805 * b!) / 0.95047,
    0.2126 * r! + 0.7152 * g! + 0.0722 * b!,
    (0.0193 * r! + 0.1192 * g! + 0.9505 * b!) / 1.08883,
  ].map((value) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116));
  return [116 * xyz[1]! - 16, 500 * (xyz[0]! - xyz[1]!), 200 * (xyz[1]! - xyz[2]!)];
}

describe.each(['dark', 'light'] as const)('the %s palette', (theme) => {
  const palette = PALETTES[theme];

  it.each(Object.keys(BLINDNESS))('keeps its state colours apart: %s', (name) => {
    const matrix = BLINDNESS[name]!;
    for (const one of STATE_COLOURS) {
      for (const other of STATE_COLOURS) {
        if (one >= other) continue;
        const [a, b] = [lab(palette[one], matrix), lab(palette[other], matrix)];
        const distance = Math.hypot(...a.map((value, at) => value - b[at]!));
        expect(distance, `${one} and ${other}`).toBeGreaterThan(12);
      }
    }
  });

  it('has readable text on every ground', () => {
    for (const ground of [palette.ground, palette.panel, palette.raised]) {
      expect(contrast(palette.text, ground)).toBeGreaterThan(7);
      expect(contrast(palette.muted, ground)).toBeGreaterThan(4.5);
    }
    for (const colour of STATE_COLOURS) {
      const fill = palette[colour];
      expect(contrast(textOn(palette, fill), fill), colour).toBeGreaterThan(4.5);
    }
  });
});
