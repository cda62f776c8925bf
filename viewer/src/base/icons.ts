/** The page's few icons, drawn with strokes so that they take the colour of the text. */
import { html, svg, type TemplateResult } from 'lit';

function icon(paths: TemplateResult): TemplateResult {
  return html`<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor"
    stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
    ${paths}
  </svg>`;
}

export const ICONS = {
  play: icon(svg`<path d="M4.5 3v10l8-5z" fill="currentColor"/>`),
  pause: icon(svg`<path d="M5 3.5v9M11 3.5v9" stroke-width="2.4"/>`),
  next: icon(svg`<path d="M4 3.5 9.5 8 4 12.5zM12.5 3.5v9" fill="currentColor"/>`),
  previous: icon(svg`<path d="M12 3.5 6.5 8l5.5 4.5zM3.5 3.5v9" fill="currentColor"/>`),
  fit: icon(svg`<path d="M2.5 3v10M13.5 3v10M4.8 8h6.4M6.5 6 4.5 8l2 2M9.5 6l2 2-2 2"/>`),
  zoomIn: icon(svg`<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3 3M5 7h4M7 5v4"/>`),
  zoomOut: icon(svg`<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3 3M5 7h4"/>`),
  open: icon(svg`<path d="M2 12.5v-9h4l1.5 2H14v7z"/>`),
  dark: icon(svg`<path d="M13 9.8A5.5 5.5 0 0 1 6.2 3 5.5 5.5 0 1 0 13 9.8z"/>`),
  light: icon(svg`<circle cx="8" cy="8" r="2.8"/><path d="M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3
    M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9"/>`),
  search: icon(svg`<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3 3"/>`),
  why: icon(svg`<path d="M12.5 3.5c0 5-2 7-8 7M7 7.5l-3 3 3 3"/>`),
  close: icon(svg`<path d="m4 4 8 8M12 4l-8 8"/>`),
} as const;

/** The mark of the product: two figures, the one behind ready to step in. */
export const LOGO = html`<svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true">
  <circle cx="15" cy="8" r="4" class="behind"/>
  <path d="M8 21c0-5 3-8 7-8s7 3 7 8z" class="behind"/>
  <circle cx="9" cy="7" r="4" class="front"/>
  <path d="M2 21c0-5.500 3-9 7-9s7 3.500 7 9z" class="front"/>
</svg>`;
