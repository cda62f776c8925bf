/**
 * What one reader looks at: the run, the window, the cursor, the selection, the filter and the
 * settings. It changes only through its verbs, each of which tells the elements once.
 */

import type { Theme } from './base/palette.ts';
import type { Language } from './catalogue/catalogue.ts';
import { Match } from './model/match.ts';
import { Run } from './model/run.ts';
import { outage, takeOver, walkBack } from './model/why.ts';
import { clampWindow, type TimeWindow, zoomed } from './model/window.ts';

/** Seconds of the run in one second of playing. */
export const SPEEDS: readonly number[] = [0.01, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 60];

const MINUTE = 60_000_000;

export type Source =
  | { readonly kind: 'none' }
  | { readonly kind: 'loading'; readonly name: string; readonly done: number; readonly of: number }
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'failed'; readonly name: string; readonly reason: string }
  | { readonly kind: 'live'; readonly name: string; readonly state: LiveState };

export type LiveState = 'connecting' | 'open' | 'lost';

/** What the reader of the text found wrong, as the reader itself says it. */
export interface Damage {
  readonly faults: readonly { readonly line: number; readonly code: string }[];
  readonly faultCount: number;
  readonly torn: boolean;
}

const UNDAMAGED: Damage = { faults: [], faultCount: 0, torn: false };

export class Session extends EventTarget {
  run: Run = new Run();
  match: Match = new Match(this.run);
  source: Source = { kind: 'none' };
  damage: Damage = UNDAMAGED;
  window: TimeWindow = { from: 0, to: 1_000_000 };
  cursor = 0;
  /** Index of the selected event, -1 for none. */
  selected = -1;
  /** Where the shown walk begins; it stays while its steps are visited. */
  walkFrom = -1;
  playing = false;
  speed = 1;
  /** The right edge stays at "now". */
  follow = false;
  language: Language = 'en';
  theme: Theme = 'dark';
  helpOpen = false;
  /** When the last live event came, in milliseconds of the page's clock. */
  arrived = 0;
  #announced = false;

  /** The right edge of a live run: it goes on even when nothing happens. */
  now(): number {
    const silence = this.arrived === 0 ? 0 : performance.now() - this.arrived;
    return this.run.end + silence * 1000;
  }

  /** Tells the elements, once for all changes of one turn. */
  changed(): void {
    if (this.#announced) return;
    this.#announced = true;
    queueMicrotask(() => {
      this.#announced = false;
      this.dispatchEvent(new Event('change'));
    });
  }

  /** Starts over with an empty run. */
  begin(source: Source): Run {
    this.run = new Run();
    this.match = new Match(this.run);
    this.source = source;
    this.damage = UNDAMAGED;
    this.selected = -1;
    this.walkFrom = -1;
    this.playing = false;
    this.follow = false;
    this.changed();
    return this.run;
  }

  setSource(source: Source, damage: Damage = this.damage): void {
    this.source = source;
    this.damage = damage;
    this.changed();
  }

  /** Shows everything. */
  fit(): void {
    const { start, end } = this.run;
    const margin = Math.max(1000, (end - start) * 0.01);
    this.setWindow({ from: start - margin, to: end + margin });
  }

  setWindow(window: TimeWindow): void {
    // A journal that has just begun may be looked at as widely as one that is a minute old.
    const end =
      this.source.kind === 'live' ? Math.max(this.now(), this.run.start + MINUTE) : this.run.end;
    this.window = clampWindow(window, this.run.start, end);
    this.changed();
  }

  /** Zooms about a moment; `factor` below 1 comes nearer. */
  zoom(factor: number, about = this.#pivot()): void {
    this.setWindow(zoomed(this.window, factor, about));
  }

  /** Moves the window by a part of its width. */
  pan(part: number): void {
    const { from, to } = this.window;
    const by = (to - from) * part;
    this.follow = false;
    this.setWindow({ from: from + by, to: to + by });
  }

  setCursor(time: number, show = false): void {
    this.cursor = Math.max(this.run.start, Math.min(this.run.end, time));
    if (show) this.#reveal(this.cursor);
    this.changed();
  }

  /** Selects an event and moves the cursor to it; `keepWalk` when it is a step of the walk. */
  select(ref: number, keepWalk = false): void {
    this.selected = ref;
    if (!keepWalk || ref < 0) this.walkFrom = ref;
    if (ref >= 0) this.setCursor(this.run.time(ref), true);
    this.changed();
  }

  /** Selects the event before or after among those that the filter lets through. */
  step(by: 1 | -1, lane = -1): void {
    const series = lane >= 0 ? this.match.lane(lane) : this.match.all;
    const refOf = (at: number) => (lane >= 0 ? series.refs[at]! : this.match.ref(at));
    let at = this.selected >= 0 ? this.match.position(this.selected, lane) : -1;
    if (at < 0) {
      const after = series.lowerBound(this.cursor + (by > 0 ? 0 : 1));
      at = by > 0 ? after : after - 1;
    } else at += by;
    if (at >= 0 && at < series.length) this.select(refOf(at));
  }

  /** Selects the next or previous event that is at least so severe; past the end it begins anew. */
  stepProblem(by: 1 | -1, severity: number): void {
    const { all } = this.run;
    const { length } = all;
    const from =
      this.selected >= 0 ? this.selected : all.lowerBound(this.cursor) - (by > 0 ? 1 : 0);
    for (let step = 1; step <= length; step++) {
      const at = (((from + by * step) % length) + length) % length;
      if (all.severity(at) < severity) continue;
      this.select(at);
      return;
    }
  }

  /** What can be asked of this run: why it failed over, else why nobody served. */
  get question(): 'failover' | 'outage' | 'none' {
    if (this.run.takeOvers.length > 0) return 'failover';
    return outage(this.run) >= 0 ? 'outage' : 'none';
  }

  /** Answers the question: selects the take-over, or the outage, that is to be explained. */
  why(): void {
    const { cursor, run } = this;
    const ref =
      run.takeOvers.length > 0 ? takeOver(run, cursor > run.start ? cursor : run.end) : outage(run);
    if (ref >= 0) this.select(ref);
  }

  /** Goes one step back in the walk, to the cause of the selected event. */
  toCause(): void {
    const cause = this.selected < 0 ? -1 : this.run.cause(this.selected);
    if (cause >= 0) this.select(cause, true);
  }

  /** Goes one step forth: along the walk while there is one, else to the first effect. */
  toEffect(): void {
    if (this.selected < 0) return;
    const { steps } = walkBack(this.run, this.walkFrom);
    const at = steps.indexOf(this.selected);
    if (at > 0) this.select(steps[at - 1]!, true);
    else {
      const effect = this.run.effects(this.selected)[0];
      if (effect !== undefined) this.select(effect);
    }
  }

  /** Goes to the first cause that is known. */
  toRoot(): void {
    if (this.walkFrom >= 0) this.select(walkBack(this.run, this.walkFrom).steps.at(-1)!, true);
  }

  play(on = !this.playing): void {
    this.playing = on && this.run.length > 0;
    if (this.playing && this.cursor >= this.run.end) this.cursor = this.run.start;
    this.changed();
  }

  /** Moves the cursor on by so many microseconds of the run; playing ends at the end. */
  advance(by: number): void {
    const next = this.cursor + by;
    if (next >= this.run.end && this.source.kind !== 'live') this.playing = false;
    this.setCursor(next);
    const { from, to } = this.window;
    const width = to - from;
    // The cursor keeps at most nine tenths into the window, so that what comes is seen.
    if (this.cursor > to - width * 0.1 || this.cursor < from) {
      this.setWindow({ from: this.cursor - width * 0.9, to: this.cursor + width * 0.1 });
    }
  }

  /** Keeps "now" at the right edge, and the cursor on it unless an event is being looked at. */
  followNow(): void {
    const now = this.now();
    const width = this.window.to - this.window.from;
    if (this.selected < 0) this.cursor = this.run.end;
    this.setWindow({ from: now - width * 0.95, to: now + width * 0.05 });
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    this.changed();
  }

  changeSpeed(by: 1 | -1): void {
    const at = SPEEDS.indexOf(this.speed) + by;
    this.setSpeed(SPEEDS[at] ?? this.speed);
  }

  /** Asks the page to put the caret into the search field. */
  askSearch(): void {
    this.dispatchEvent(new Event('search'));
  }

  setFollow(on: boolean): void {
    this.follow = on;
    this.changed();
  }

  setLanguage(language: Language): void {
    this.language = language;
    this.match.setText(this.match.text, language);
    this.changed();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.changed();
  }

  setHelp(open: boolean): void {
    this.helpOpen = open;
    this.changed();
  }

  setFilterText(text: string): void {
    this.match.setText(text, this.language);
    this.changed();
  }

  toggleKind(kind: string): void {
    this.match.toggleKind(kind);
    this.changed();
  }

  #pivot(): number {
    const { from, to } = this.window;
    return this.cursor >= from && this.cursor <= to ? this.cursor : (from + to) / 2;
  }

  #reveal(time: number): void {
    const { from, to } = this.window;
    const width = to - from;
    if (time >= from + width * 0.02 && time <= to - width * 0.02) return;
    this.follow = false;
    this.setWindow({ from: time - width / 2, to: time + width / 2 });
  }
}
