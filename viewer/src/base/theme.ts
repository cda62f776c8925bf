/** Gives the page the colours of a theme, as custom properties that all elements inherit. */
import { contrast, PALETTES, type Theme, textOn } from './palette.ts';

const NAMES = [
  'ground',
  'panel',
  'raised',
  'line',
  'text',
  'muted',
  'faint',
  'focus',
  'primary',
  'secondary',
  'resync',
  'bad',
  'fence',
  'ok',
  'unknown',
] as const;

export function applyTheme(theme: Theme, language: string): void {
  const palette = PALETTES[theme];
  const { style } = document.documentElement;
  for (const name of NAMES) style.setProperty(`--${name}`, palette[name]);
  style.setProperty('--on-primary', textOn(palette, palette.primary));
  style.setProperty('--on-bad', textOn(palette, palette.bad));
  // State colours are for fills; as text some are too weak, and then the plain text colour serves.
  for (const [name, colour] of [
    ['good-text', palette.ok],
    ['warn-text', palette.resync],
    ['bad-text', palette.bad],
  ] as const) {
    const strong = contrast(colour, palette.panel) >= 4.5;
    style.setProperty(`--${name}`, strong ? colour : palette.text);
  }
  style.setProperty('color-scheme', theme);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
}
