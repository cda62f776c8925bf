/** Draws what changes with every move of the hand: cursor, hover, selection and its causes. */
import { moment } from '../base/format.ts';
import type { Palette } from '../base/palette.ts';
import type { View } from '../model/lod.ts';
import type { Run } from '../model/run.ts';
import { type Geometry, type Row, RULER_HEIGHT } from './geometry.ts';
import type { Pen } from './pen.ts';
import { FONT, toX } from './plot.ts';

/** Steps of the walk that get a curve; the rest is in the list. */
const CURVES_MAX = 60;

export interface Overlay {
  readonly view: View;
  readonly height: number;
  readonly scroll: number;
  readonly geometry: Geometry;
  readonly palette: Palette;
  readonly run: Run;
  readonly cursor: number;
  /** Pixel under the pointer, -1 for none. */
  readonly hover: number;
  readonly selected: number;
  readonly walk: readonly number[];
}

export function drawOverlay(pen: Pen, overlay: Overlay): void {
  const { view, height, palette, hover } = overlay;
  pen.clearRect(0, 0, view.width, height);
  pen.font = FONT;
  pen.textBaseline = 'middle';
  if (hover >= 0) {
    pen.fillStyle = palette.faint;
    pen.fillRect(hover, RULER_HEIGHT, 1, height);
  }
  pen.save();
  pen.beginPath();
  pen.rect(0, RULER_HEIGHT, view.width, height - RULER_HEIGHT);
  pen.clip();
  drawWalk(pen, overlay);
  pen.restore();
  drawCursor(pen, overlay);
}

function drawCursor(pen: Pen, { view, height, palette, cursor }: Overlay): void {
  const x = Math.round(toX(view, cursor));
  if (x < 0 || x > view.width) return;
  pen.fillStyle = palette.focus;
  pen.fillRect(x, RULER_HEIGHT - 6, 1, height);
  const words = moment(cursor);
  const width = pen.measureText(words).width + 12;
  const left = Math.max(0, Math.min(view.width - width, x - width / 2));
  pen.fillRect(left, 3, width, RULER_HEIGHT - 8);
  pen.fillStyle = palette.ground;
  pen.textAlign = 'left';
  pen.fillText(words, left + 6, RULER_HEIGHT / 2 - 0.5);
}

/** Curves from each event to its cause, and rings round the events of the walk. */
function drawWalk(pen: Pen, overlay: Overlay): void {
  const { view, palette, walk, selected } = overlay;
  const points = walk.slice(0, CURVES_MAX).map((ref) => pointOf(overlay, ref));
  pen.strokeStyle = palette.text;
  pen.lineWidth = 1.4;
  pen.setLineDash([4, 3]);
  for (let at = 0; at + 1 < points.length; at++) {
    const effect = points[at]!;
    const cause = points[at + 1]!;
    if (Math.max(effect.x, cause.x) < 0 || Math.min(effect.x, cause.x) > view.width) continue;
    const bend = Math.max(12, Math.min(60, Math.abs(effect.x - cause.x) / 2));
    pen.beginPath();
    pen.moveTo(cause.x, cause.y);
    pen.bezierCurveTo(cause.x + bend, cause.y, effect.x - bend, effect.y, effect.x, effect.y);
    pen.stroke();
  }
  pen.setLineDash([]);
  walk.slice(0, CURVES_MAX).forEach((ref, at) => {
    const { x, y } = points[at]!;
    if (x < -10 || x > view.width + 10) return;
    pen.beginPath();
    pen.arc(x, y, ref === selected ? 9 : 6, 0, 2 * Math.PI);
    pen.strokeStyle = ref === selected ? palette.focus : palette.text;
    pen.lineWidth = ref === selected ? 2.5 : 1.2;
    pen.stroke();
  });
}

function pointOf(overlay: Overlay, ref: number): { x: number; y: number } {
  const { geometry, run, view, scroll } = overlay;
  const lane = run.lane(ref);
  const row = geometry.rows.find((one: Row) => one.lane === lane);
  const y = row === undefined ? 0 : row.strip + 8;
  return { x: toX(view, run.time(ref)), y: y - scroll + RULER_HEIGHT };
}
