/** What each key does: one list for the handler and for the help. */
import { SEVERITY_TROUBLE, SEVERITY_VIOLATION } from './model/kinds.ts';
import type { Session } from './session.ts';

export interface Key {
  /** As `KeyboardEvent.key` says them; the first of several is enough. */
  readonly keys: readonly string[];
  /** Code of what it does. */
  readonly code: string;
  readonly act: (session: Session, key: string) => void;
}

const ZOOM = 1.35;
const PAN = 0.12;

export const KEYS: readonly Key[] = [
  { keys: [' ', 'p'], code: 'page.key-play', act: (session) => session.play() },
  {
    keys: ['w', 's'],
    code: 'page.key-zoom',
    act: (session, key) => session.zoom(key === 'w' ? 1 / ZOOM : ZOOM),
  },
  {
    keys: ['a', 'd'],
    code: 'page.key-pan',
    act: (session, key) => session.pan(key === 'a' ? -PAN : PAN),
  },
  { keys: ['f'], code: 'page.fit', act: (session) => session.fit() },
  {
    keys: [',', '.'],
    code: 'page.key-step',
    act: (session, key) => session.step(key === '.' ? 1 : -1),
  },
  {
    keys: ['ArrowLeft', 'ArrowRight'],
    code: 'page.key-step-lane',
    act(session, key) {
      const { selected } = session;
      const lane = selected >= 0 ? session.run.lane(selected).index : -1;
      session.step(key === 'ArrowRight' ? 1 : -1, lane);
    },
  },
  {
    keys: ['[', ']'],
    code: 'page.key-cause',
    act: (session, key) => (key === '[' ? session.toCause() : session.toEffect()),
  },
  { keys: ['{'], code: 'page.key-root', act: (session) => session.toRoot() },
  { keys: ['y'], code: 'page.why-failover', act: (session) => session.why() },
  {
    keys: ['n', 'N'],
    code: 'page.key-problem',
    act: (session, key) => session.stepProblem(key === 'n' ? 1 : -1, SEVERITY_TROUBLE),
  },
  {
    keys: ['v', 'V'],
    code: 'page.key-violation',
    act: (session, key) => session.stepProblem(key === 'v' ? 1 : -1, SEVERITY_VIOLATION),
  },
  {
    keys: ['Home', 'End'],
    code: 'page.key-ends',
    act(session, key) {
      session.setFollow(key === 'End' && session.source.kind === 'live');
      session.setCursor(key === 'Home' ? session.run.start : session.run.end, true);
    },
  },
  {
    keys: ['+', '-'],
    code: 'page.key-speed',
    act: (session, key) => session.changeSpeed(key === '+' ? 1 : -1),
  },
  { keys: ['/'], code: 'page.search', act: (session) => session.askSearch() },
  {
    keys: ['l'],
    code: 'page.key-language',
    act: (session) => session.setLanguage(session.language === 'en' ? 'zh' : 'en'),
  },
  {
    keys: ['t'],
    code: 'page.key-theme',
    act: (session) => session.setTheme(session.theme === 'dark' ? 'light' : 'dark'),
  },
  { keys: ['?'], code: 'page.help', act: (session) => session.setHelp(!session.helpOpen) },
  {
    keys: ['Escape'],
    code: 'page.key-escape',
    // Handled here, the key no longer reaches the dialog's own handling of it.
    act: (session) => (session.helpOpen ? session.setHelp(false) : session.select(-1)),
  },
];

/** Handles a key press; `true` when it meant something. */
export function press(session: Session, key: string): boolean {
  const found = KEYS.find(({ keys }) => keys.includes(key));
  if (found === undefined || (session.helpOpen && !['?', 'Escape'].includes(key))) return false;
  found.act(session, key);
  return true;
}
