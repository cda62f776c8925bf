/**
 * Draws the lanes: one pass per pixel column and lane, so that a frame's cost is bounded by the
 * size of the picture. What is drawn depends on the arguments alone.
 */
import { axisTime } from '../base/format.ts';
import { paintOf } from '../base/paint.ts';
import { type Palette, textOn } from '../base/palette.ts';
import { tickStep, ticks } from '../base/ticks.ts';
import { lookOf, SEVERITY_CHANGE, SEVERITY_NOTE, SEVERITY_VIOLATION } from '../model/kinds.ts';
import type { Lane } from '../model/lanes.ts';
import { barRuns, DENSITY_MAX, eventRuns, glyphRuns, Runs, type View } from '../model/lod.ts';
import type { Series } from '../model/series.ts';
import type { Track, TrackValue } from '../model/tracks.ts';
import { type Geometry, type Row, RULER_HEIGHT, STRIP_HEIGHT, TICKS_HEIGHT } from './geometry.ts';
import { drawGlyph, GLYPH_CELL, glyphColour } from './glyphs.ts';
import type { Hatches, Pen } from './pen.ts';

export const FONT =
  '11px system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif';

/** Space between labels of the axis. */
export const TICK_SPACING = 96;

export interface Picture {
  readonly view: View;
  readonly height: number;
  /** How far the lanes are scrolled. */
  readonly scroll: number;
  readonly geometry: Geometry;
  readonly palette: Palette;
  readonly hatches: Hatches;
  readonly kinds: readonly string[];
  /** All events, for the marks that cross the lanes. */
  readonly all: Series;
  /** The events of a lane that the filter lets through. */
  readonly events: (lane: Lane) => Series;
  /** What may stand written in a bar, the longest first. */
  readonly words: (track: Track, value: TrackValue, length: number) => readonly string[];
  /** Where the known part of the run ends; beyond it nothing is claimed. */
  readonly end: number;
}

const runs = new Runs();

export function drawPlot(pen: Pen, picture: Picture): void {
  const { view, height, palette, geometry, scroll } = picture;
  pen.fillStyle = palette.ground;
  pen.fillRect(0, 0, view.width, height);
  pen.font = FONT;
  pen.textBaseline = 'middle';
  drawGrid(pen, picture);
  pen.save();
  pen.beginPath();
  pen.rect(0, RULER_HEIGHT, view.width, height - RULER_HEIGHT);
  pen.clip();
  for (const row of geometry.rows) {
    const top = row.top - scroll + RULER_HEIGHT;
    if (top > height || top + row.height < RULER_HEIGHT) continue;
    drawRow(pen, picture, row, RULER_HEIGHT - scroll);
  }
  drawViolations(pen, picture);
  pen.restore();
}

function drawGrid(pen: Pen, { view, height, palette }: Picture): void {
  const step = tickStep((view.to - view.from) / view.width, TICK_SPACING);
  pen.fillStyle = palette.panel;
  pen.fillRect(0, 0, view.width, RULER_HEIGHT);
  pen.textAlign = 'left';
  for (const tick of ticks(view.from, view.to, view.width, TICK_SPACING)) {
    const x = Math.round(toX(view, tick.time));
    pen.fillStyle = palette.line;
    if (!tick.major) {
      pen.fillRect(x, RULER_HEIGHT - 4, 1, 4);
      continue;
    }
    pen.fillRect(x, RULER_HEIGHT - 9, 1, height);
    pen.fillStyle = palette.muted;
    pen.fillText(axisTime(tick.time, step), x + 4, RULER_HEIGHT / 2 - 1);
  }
  pen.fillStyle = palette.line;
  pen.fillRect(0, RULER_HEIGHT - 1, view.width, 1);
}

function drawRow(pen: Pen, picture: Picture, row: Row, shift: number): void {
  const { view, palette } = picture;
  row.lane.bars.forEach((track, index) => {
    const place = row.bars[index]!;
    drawBar(pen, picture, track, place.top + shift, place.height);
  });
  if (row.strip >= 0) drawStrip(pen, picture, row.lane, row.strip + shift);
  pen.fillStyle = palette.line;
  pen.fillRect(0, row.top + row.height + shift - 1, view.width, 1);
}

function drawBar(pen: Pen, picture: Picture, track: Track, top: number, height: number): void {
  const { view, palette, hatches } = picture;
  barRuns(track.series, known(view, picture.end), runs);
  pen.textAlign = 'left';
  for (let at = 0; at < runs.count; at++) {
    const value = track.values[runs.value[at]!]!;
    const { colour, hatch } = paintOf(track.attribute, value);
    if (colour === 'none') continue;
    const x = runs.x[at]!;
    const width = runs.width[at]!;
    const ink = palette[colour];
    // One pixel of ground keeps neighbours apart where there is room for it.
    const drawn = width > 3 ? width - 1 : width;
    pen.fillStyle = hatch === '' ? ink : palette.raised;
    pen.fillRect(x, top, drawn, height);
    if (hatch !== '') {
      pen.fillStyle = hatches.get(pen, ink, hatch);
      pen.fillRect(x, top, drawn, height);
    }
    if (width < 26) continue;
    const point = runs.point[at]!;
    const until = track.series.times[point + 1] ?? picture.end;
    const last = point + 1 >= track.series.length ? picture.end : until;
    const words = picture.words(track, value, last - track.series.times[point]!);
    drawWords(pen, palette, words, { x, top, width: drawn, height, ink, hatched: hatch !== '' });
  }
}

interface WordBox {
  readonly x: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly ink: string;
  readonly hatched: boolean;
}

/** Writes the longest words that fit; none when none do. */
function drawWords(pen: Pen, palette: Palette, all: readonly string[], box: WordBox): void {
  const words = all.find((one) => pen.measureText(one).width + 10 <= box.width);
  if (words === undefined) return;
  const { width } = pen.measureText(words);
  const x = box.x + 6;
  if (box.hatched) {
    // Words on a hatch stand on a plate, or nobody could read them.
    pen.fillStyle = palette.raised;
    pen.fillRect(x - 3, box.top + 1, width + 6, box.height - 2);
  }
  pen.fillStyle = box.hatched ? palette.text : textOn(palette, box.ink);
  pen.fillText(words, x, box.top + box.height / 2 + 0.5);
}

function drawStrip(pen: Pen, picture: Picture, lane: Lane, top: number): void {
  const { view, palette } = picture;
  const series = picture.events(lane);
  eventRuns(series, view, runs);
  const floor = top + STRIP_HEIGHT;
  let ink = '';
  for (let at = 0; at < runs.count; at++) {
    const next = tickColour(palette, runs.severity[at]!);
    // Changing the fill is what costs, so it is changed only when it differs.
    if (next !== ink) {
      pen.fillStyle = next;
      ink = next;
    }
    const height = (TICKS_HEIGHT * (runs.value[at]! + 1)) / (DENSITY_MAX + 1);
    pen.fillRect(runs.x[at]!, floor - height, runs.width[at]!, height);
  }
  // Plain events get their dots only when the picture is not crowded with them.
  const crowded = runs.count > view.width / 8;
  glyphRuns(series, view, GLYPH_CELL, crowded ? SEVERITY_CHANGE : SEVERITY_NOTE, runs);
  for (let at = 0; at < runs.count; at++) {
    const severity = runs.severity[at]!;
    const { glyph } = lookOf(picture.kinds[runs.value[at]!]!);
    drawGlyph(pen, glyph, runs.x[at]!, top + 8, glyphColour(palette, glyph, severity));
  }
}

function tickColour(palette: Palette, severity: number): string {
  if (severity >= SEVERITY_VIOLATION) return palette.bad;
  if (severity > SEVERITY_CHANGE) return palette.resync;
  return severity === SEVERITY_CHANGE ? palette.primary : palette.faint;
}

/** A broken law crosses all lanes; one line per pixel column. */
function drawViolations(pen: Pen, { view, palette, all, height }: Picture): void {
  let to = all.lowerBound(view.to);
  const from = all.lowerBound(view.from);
  const perPixel = (view.to - view.from) / view.width;
  pen.fillStyle = palette.bad;
  for (;;) {
    const at = all.lastOf(SEVERITY_VIOLATION, from, to);
    if (at < 0) return;
    const column = Math.floor((all.times[at]! - view.from) / perPixel);
    pen.fillRect(column, RULER_HEIGHT, 2, height);
    to = Math.min(at, all.lowerBound(view.from + column * perPixel));
  }
}

/** The part of the view in which something is known. */
function known(view: View, end: number): View {
  if (view.to <= end) return view;
  const perPixel = (view.to - view.from) / view.width;
  const width = Math.max(0, Math.ceil((end - view.from) / perPixel));
  return { from: view.from, to: view.from + width * perPixel, width };
}

export function toX(view: View, time: number): number {
  return ((time - view.from) / (view.to - view.from)) * view.width;
}

export function toTime(view: View, x: number): number {
  return view.from + (x / view.width) * (view.to - view.from);
}
