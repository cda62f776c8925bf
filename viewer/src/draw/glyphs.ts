/** The shapes of events. Each kind of meaning has its own, so that colour is never needed. */
import type { Palette } from '../base/palette.ts';
import type { Glyph } from '../model/kinds.ts';
import { SEVERITY_TROUBLE, SEVERITY_VIOLATION } from '../model/kinds.ts';
import type { Pen } from './pen.ts';

/** Pixels that a glyph takes on the axis. */
export const GLYPH_CELL = 13;
const R = 5;

export function glyphColour(palette: Palette, glyph: Glyph, severity: number): string {
  if (severity >= SEVERITY_VIOLATION) return palette.bad;
  switch (glyph) {
    case 'promote':
      return palette.primary;
    case 'fence':
      return palette.fence;
    case 'heal':
      return palette.ok;
    case 'cut':
    case 'clock':
      return palette.resync;
    case 'violation':
    case 'power':
    case 'disk':
      return palette.bad;
    case 'operator':
      return palette.text;
    default:
      return severity >= SEVERITY_TROUBLE ? palette.resync : palette.muted;
  }
}

/** Draws a glyph about a point. */
export function drawGlyph(pen: Pen, glyph: Glyph, x: number, y: number, colour: string): void {
  pen.fillStyle = colour;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.6;
  pen.beginPath();
  SHAPES[glyph](pen, x, y);
}

const SHAPES: { readonly [glyph in Glyph]: (pen: Pen, x: number, y: number) => void } = {
  dot(pen, x, y) {
    pen.arc(x, y, 2.6, 0, 2 * Math.PI);
    pen.fill();
  },
  promote(pen, x, y) {
    outline(pen, [x, y - R, x + R, y, x, y + R, x - R, y]);
    pen.fill();
  },
  fence(pen, x, y) {
    outline(pen, [x - 4, y - 4, x + 4, y - 4, x + 4, y + 4, x - 4, y + 4]);
    pen.fill();
  },
  violation(pen, x, y) {
    outline(pen, [x, y - 6, x + 6, y + R, x - 6, y + R]);
    pen.fill();
  },
  operator(pen, x, y) {
    pen.arc(x, y, 4.5, 0, 2 * Math.PI);
    pen.fill();
  },
  cut(pen, x, y) {
    pen.moveTo(x - 4, y - 4);
    pen.lineTo(x + 4, y + 4);
    pen.moveTo(x + 4, y - 4);
    pen.lineTo(x - 4, y + 4);
    pen.stroke();
  },
  disk(pen, x, y) {
    pen.arc(x, y, 4.5, 0, 2 * Math.PI);
    pen.stroke();
    pen.beginPath();
    pen.arc(x, y, 1.8, 0, 2 * Math.PI);
    pen.fill();
  },
  power(pen, x, y) {
    pen.arc(x, y, 4.3, -0.3 * Math.PI, 1.3 * Math.PI);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(x, y - 6);
    pen.lineTo(x, y);
    pen.stroke();
  },
  clock(pen, x, y) {
    outline(pen, [x - 4, y - 5, x + 4, y - 5, x - 4, y + 5, x + 4, y + 5]);
    pen.fill();
  },
  heal(pen, x, y) {
    pen.moveTo(x - 4.5, y);
    pen.lineTo(x - 1, y + 4);
    pen.lineTo(x + 5, y - 4);
    pen.stroke();
  },
};

function outline(pen: Pen, points: readonly number[]): void {
  pen.moveTo(points[0]!, points[1]!);
  for (let at = 2; at < points.length; at += 2) pen.lineTo(points[at]!, points[at + 1]!);
  pen.closePath();
}
