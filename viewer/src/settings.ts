/** Language and theme: what the reader chose last time, else what the browser prefers. */
import type { Session } from './session.ts';

const KEY = 'understudy.viewer';

export function recall(session: Session): void {
  const saved = load();
  const dark = !matchMedia('(prefers-color-scheme: light)').matches;
  session.theme =
    saved.theme === 'dark' || saved.theme === 'light' ? saved.theme : dark ? 'dark' : 'light';
  const chinese = navigator.language.toLowerCase().startsWith('zh');
  session.language =
    saved.language === 'en' || saved.language === 'zh' ? saved.language : chinese ? 'zh' : 'en';
}

export function remember({ theme, language }: Session): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ theme, language }));
  } catch {
    // A browser may forbid storage; the page then starts with what the browser prefers.
  }
}

function load(): { theme?: unknown; language?: unknown } {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {};
  } catch {
    return {};
  }
}
