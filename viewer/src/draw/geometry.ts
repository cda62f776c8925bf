/** Where each lane's bars and strip lie, in CSS pixels from the top of the first lane. */
import type { Lane } from '../model/lanes.ts';

export const RULER_HEIGHT = 26;
export const BAR_HEIGHT = 15;
export const BAR_GAP = 2;
/** The strip of events: ticks below, glyphs above them. */
export const STRIP_HEIGHT = 24;
export const TICKS_HEIGHT = 8;
const OWNER_HEIGHT = 24;
const LANE_MARGIN = 5;

export interface Row {
  readonly lane: Lane;
  readonly top: number;
  readonly height: number;
  readonly bars: readonly { readonly top: number; readonly height: number }[];
  /** Top of the strip of events; the owners' ribbon has none. */
  readonly strip: number;
}

export interface Geometry {
  readonly rows: readonly Row[];
  readonly height: number;
}

export function geometryOf(lanes: readonly Lane[]): Geometry {
  const rows: Row[] = [];
  let top = 0;
  for (const lane of lanes) {
    const barHeight = lane.kind === 'owner' ? OWNER_HEIGHT : BAR_HEIGHT;
    const bars = lane.bars.map((_, index) => ({
      top: top + LANE_MARGIN + index * (barHeight + BAR_GAP),
      height: barHeight,
    }));
    const strip = top + LANE_MARGIN + bars.length * (barHeight + BAR_GAP);
    const height = strip - top + (lane.kind === 'owner' ? 0 : STRIP_HEIGHT) + LANE_MARGIN;
    rows.push({ lane, top, height, bars, strip: lane.kind === 'owner' ? -1 : strip });
    top += height;
  }
  return { rows, height: top };
}

/** The row at a height, and what in it: a bar's number, or -1 for its strip. */
export function rowAt(geometry: Geometry, y: number): { row: Row; bar: number } | null {
  const row = geometry.rows.find((one) => y >= one.top && y < one.top + one.height);
  if (row === undefined) return null;
  const bar = row.bars.findIndex((one) => y >= one.top && y < one.top + one.height + BAR_GAP);
  return { row, bar };
}
