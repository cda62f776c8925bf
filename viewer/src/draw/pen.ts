/** The part of a canvas that drawing uses: tests hand in one that counts. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | 'fillStyle'
  | 'strokeStyle'
  | 'lineWidth'
  | 'font'
  | 'textAlign'
  | 'textBaseline'
  | 'fillRect'
  | 'strokeRect'
  | 'clearRect'
  | 'beginPath'
  | 'moveTo'
  | 'lineTo'
  | 'bezierCurveTo'
  | 'arc'
  | 'closePath'
  | 'fill'
  | 'stroke'
  | 'fillText'
  | 'measureText'
  | 'setLineDash'
  | 'rect'
  | 'clip'
  | 'save'
  | 'restore'
>;

/** A fill: a colour, or a hatch made of it. */
export type Fill = string | CanvasPattern;

/** Hatches cost a pattern each, so they are made once for a palette. */
export class Hatches {
  #patterns = new Map<string, Fill>();

  /** Stripes of `ink` rising or falling to the right; the ink itself where no pattern exists. */
  get(pen: Pen, ink: string, direction: 'rising' | 'falling'): Fill {
    const key = `${ink}${direction}`;
    let fill = this.#patterns.get(key);
    if (fill === undefined) {
      fill = hatch(pen, ink, direction) ?? ink;
      this.#patterns.set(key, fill);
    }
    return fill;
  }
}

const TILE = 8;

function hatch(pen: Pen, ink: string, direction: 'rising' | 'falling'): CanvasPattern | null {
  if (typeof document === 'undefined') return null;
  const tile = document.createElement('canvas');
  tile.width = TILE;
  tile.height = TILE;
  const brush = tile.getContext('2d');
  if (brush === null) return null;
  brush.strokeStyle = ink;
  brush.lineWidth = 2;
  brush.beginPath();
  for (const shift of [-TILE, 0, TILE]) {
    if (direction === 'rising') {
      brush.moveTo(shift - 1, TILE + 1);
      brush.lineTo(shift + TILE + 1, -1);
    } else {
      brush.moveTo(shift - 1, -1);
      brush.lineTo(shift + TILE + 1, TILE + 1);
    }
  }
  brush.stroke();
  return (pen as CanvasRenderingContext2D).createPattern(tile, 'repeat');
}
