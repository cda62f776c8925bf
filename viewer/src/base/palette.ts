/**
 * Colours, in one place for the canvas and for the style sheets. The seven state colours keep
 * apart under the three kinds of colour blindness (a test measures it), and nothing is told by
 * colour alone: states have words and hatches, events have shapes.
 */
export interface Palette {
  readonly ground: string;
  readonly panel: string;
  readonly raised: string;
  readonly line: string;
  readonly text: string;
  readonly muted: string;
  readonly faint: string;
  readonly focus: string;
  readonly primary: string;
  readonly secondary: string;
  readonly resync: string;
  readonly bad: string;
  readonly fence: string;
  readonly ok: string;
  readonly unknown: string;
  /** Text on each of the fills above. */
  readonly onFill: string;
  readonly onPale: string;
}

export type Theme = 'dark' | 'light';

export const PALETTES: { readonly [theme in Theme]: Palette } = {
  dark: {
    ground: '#0e1318',
    panel: '#141b22',
    raised: '#1c252e',
    line: '#2b3743',
    text: '#e8eef4',
    muted: '#a3b3c2',
    faint: '#5d6e7e',
    focus: '#8fd0ff',
    primary: '#56b4e9',
    secondary: '#5b6b7b',
    resync: '#e69f00',
    bad: '#ff6b4a',
    fence: '#cc79a7',
    ok: '#009e73',
    unknown: '#f0e442',
    onFill: '#0a0f13',
    onPale: '#f4f8fb',
  },
  light: {
    ground: '#ffffff',
    panel: '#f4f6f8',
    raised: '#ffffff',
    line: '#d3dbe3',
    text: '#182028',
    muted: '#4f5d6a',
    faint: '#94a2af',
    focus: '#0a5fb4',
    primary: '#0a5fb4',
    secondary: '#b8c2cc',
    resync: '#d08a00',
    bad: '#8b1a1a',
    fence: '#b5438a',
    ok: '#2a9d6f',
    unknown: '#30363c',
    onFill: '#ffffff',
    onPale: '#182028',
  },
};

/** The colours that stand for states, whose distances are tested. */
export const STATE_COLOURS = [
  'primary',
  'secondary',
  'resync',
  'bad',
  'fence',
  'ok',
  'unknown',
] as const;

export type StateColour = (typeof STATE_COLOURS)[number];

/** Relative luminance of "#rrggbb" as WCAG defines it. */
export function luminance(colour: string): number {
  const [red, green, blue] = channels(colour).map((value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

/** Contrast of two colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

/** Whichever of the two text colours reads better on `fill`. */
export function textOn(palette: Palette, fill: string): string {
  const { onFill, onPale } = palette;
  return contrast(onFill, fill) >= contrast(onPale, fill) ? onFill : onPale;
}

/** Red, green and blue of "#rrggbb", 0 to 1. */
export function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
}
