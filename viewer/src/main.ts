/** Starts the page: the session, what the address asks for, keys, dropped files, the clock. */
import './elements/viewer-page.ts';
import { applyTheme } from './base/theme.ts';
import { press } from './keys.ts';
import { loadFromAddress, openFiles } from './load/feed.ts';
import { Session } from './session.ts';
import { recall, remember } from './settings.ts';

const session = new Session();
recall(session);
applyTheme(session.theme, session.language);
session.addEventListener('change', () => {
  applyTheme(session.theme, session.language);
  remember(session);
});

const page = document.createElement('viewer-page');
page.session = session;
document.body.append(page);

addEventListener('keydown', (event) => {
  const [field] = event.composedPath();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (field instanceof HTMLInputElement && field.type === 'search') {
    if (event.key === 'Escape') field.blur();
    return;
  }
  // A button takes the space bar for itself, a choice takes letters and arrows.
  if (field instanceof HTMLSelectElement) return;
  if (event.key === ' ' && field instanceof HTMLButtonElement) return;
  if (press(session, event.key)) event.preventDefault();
});

addEventListener('dragover', (event) => {
  event.preventDefault();
  page.toggleAttribute('dropping', true);
});
addEventListener('dragleave', () => page.toggleAttribute('dropping', false));
addEventListener('drop', (event) => {
  event.preventDefault();
  page.toggleAttribute('dropping', false);
  void openFiles(session, [...(event.dataTransfer?.files ?? [])]);
});

/** A live page moves on ten times a second: oftener costs a core and shows nothing more. */
const FOLLOW_MS = 100;

let last = performance.now();
let followed = 0;
function tick(now: number): void {
  const passed = (now - last) * 1000;
  last = now;
  if (session.playing) session.advance(passed * session.speed);
  if (session.source.kind === 'live' && session.follow && now - followed > FOLLOW_MS) {
    followed = now;
    session.followNow();
  }
  if (session.match.pending) {
    session.match.work();
    session.changed();
  }
  requestAnimationFrame(tick);
}
requestAnimationFrame(tick);

loadFromAddress(session, location.search);
