/** An event's glyph outside the picture: the very same drawing, on a canvas of its own. */
import { html, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import { PALETTES, type Theme } from '../base/palette.ts';
import { drawGlyph, glyphColour } from '../draw/glyphs.ts';
import { type Glyph, lookOf } from '../model/kinds.ts';

const SIZE = 16;

/** The glyph of a kind of event. */
export function kindIcon(theme: Theme, kind: string, severity: number): TemplateResult {
  return glyphIcon(theme, lookOf(kind).glyph, severity);
}

/** A glyph as such. */
export function glyphIcon(theme: Theme, glyph: Glyph, severity: number): TemplateResult {
  return html`<canvas width=${SIZE * 2} height=${SIZE * 2} class="glyph" aria-hidden="true"
    ${ref((canvas) => {
      const pen = (canvas as HTMLCanvasElement | undefined)?.getContext('2d');
      if (!pen) return;
      pen.setTransform(2, 0, 0, 2, 0, 0);
      pen.clearRect(0, 0, SIZE, SIZE);
      drawGlyph(pen, glyph, SIZE / 2, SIZE / 2, glyphColour(PALETTES[theme], glyph, severity));
    })}></canvas>`;
}
