/** Draws the whole run in small: how much happened when, the worst of it, who owned, the window. */
import { paintOf } from '../base/paint.ts';
import type { Palette } from '../base/palette.ts';
import { SEVERITY_CHANGE, SEVERITY_TROUBLE, SEVERITY_VIOLATION } from '../model/kinds.ts';
import { barRuns, DENSITY_MAX, eventRuns, Runs, type View } from '../model/lod.ts';
import type { Series } from '../model/series.ts';
import type { Track } from '../model/tracks.ts';
import type { Pen } from './pen.ts';
import { toX } from './plot.ts';

export const MINIMAP_HEIGHT = 40;
const RIBBON_HEIGHT = 6;

const runs = new Runs();

export interface Minimap {
  /** The whole run. */
  readonly view: View;
  readonly all: Series;
  readonly serving: Track | undefined;
  readonly window: { readonly from: number; readonly to: number };
  readonly cursor: number;
  readonly palette: Palette;
}

export function drawMinimap(pen: Pen, map: Minimap): void {
  const { view, palette, all, serving } = map;
  pen.fillStyle = palette.panel;
  pen.fillRect(0, 0, view.width, MINIMAP_HEIGHT);
  const floor = MINIMAP_HEIGHT - RIBBON_HEIGHT - 2;
  eventRuns(all, view, runs);
  for (let at = 0; at < runs.count; at++) {
    const severity = runs.severity[at]!;
    pen.fillStyle = inkOf(palette, severity);
    const share = severity >= SEVERITY_VIOLATION ? 1 : runs.value[at]! / DENSITY_MAX;
    const height = Math.round((floor - 4) * (0.25 + 0.75 * share));
    pen.fillRect(runs.x[at]!, floor - height, runs.width[at]!, height);
  }
  if (serving !== undefined) {
    barRuns(serving.series, view, runs);
    for (let at = 0; at < runs.count; at++) {
      const { colour } = paintOf('serving', serving.values[runs.value[at]!]!);
      if (colour === 'none') continue;
      pen.fillStyle = palette[colour];
      pen.fillRect(runs.x[at]!, MINIMAP_HEIGHT - RIBBON_HEIGHT, runs.width[at]!, RIBBON_HEIGHT);
    }
  }
  drawWindow(pen, map);
}

function inkOf(palette: Palette, severity: number): string {
  if (severity >= SEVERITY_VIOLATION) return palette.bad;
  if (severity >= SEVERITY_TROUBLE) return palette.resync;
  return severity >= SEVERITY_CHANGE ? palette.primary : palette.faint;
}

function drawWindow(pen: Pen, { view, window, cursor, palette }: Minimap): void {
  const from = Math.max(0, Math.round(toX(view, window.from)));
  const to = Math.min(view.width, Math.round(toX(view, window.to)));
  pen.fillStyle = palette.focus;
  pen.fillRect(Math.round(toX(view, cursor)), 0, 1, MINIMAP_HEIGHT);
  pen.strokeStyle = palette.focus;
  pen.lineWidth = 1.5;
  pen.strokeRect(from + 0.75, 0.75, Math.max(4, to - from - 1.5), MINIMAP_HEIGHT - 1.5);
}
