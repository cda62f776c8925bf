/**
 * The filter: which events are let through, as series of the same form as the run's own, so that
 * drawing and stepping need not know whether a filter is set. Work is done in slices.
 */
import { type Language, say } from '../catalogue/catalogue.ts';
import type { Run } from './run.ts';
import { Series } from './series.ts';

/** What one slice may cost: some ten milliseconds. */
export const SLICE = 40_000;
/** Making an event's sentence costs this many times a look at its line. */
const SENTENCE_COST = 10;

export class Match {
  text = '';
  #run: Run;
  #hidden = new Set<string>();
  #pattern: RegExp | null = null;
  #language: Language = 'en';
  #cost = 0;
  /** Kinds whose words contain the text: they match without a look at the line. */
  #kinds = new Set<string>();
  #all = new Series();
  #lanes: Series[] = [];
  #done = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  get active(): boolean {
    return this.#pattern !== null || this.#hidden.size > 0;
  }

  /** Whether events remain to be looked at. */
  get pending(): boolean {
    return this.active && this.#done < this.#run.length;
  }

  /** Events let through, over all lanes. */
  get all(): Series {
    return this.active ? this.#all : this.#run.all;
  }

  /** Index in the run of the event at a place in {@link all}. */
  ref(at: number): number {
    return this.active ? this.#all.refs[at]! : at;
  }

  /** Events let through in one lane, by the lane's index. */
  lane(index: number): Series {
    if (!this.active) return this.#run.lanes.all[index]!.events;
    let series = this.#lanes[index];
    if (series === undefined) {
      series = new Series();
      this.#lanes[index] = series;
    }
    return series;
  }

  /** Place of an event in {@link all} or, with a lane, in that lane's series; -1 when hidden. */
  position(ref: number, lane = -1): number {
    if (lane < 0 && !this.active) return ref;
    const { refs, length } = lane < 0 ? this.#all : this.lane(lane);
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (refs[middle]! < ref) low = middle + 1;
      else high = middle;
    }
    return low < length && refs[low] === ref ? low : -1;
  }

  isHidden(kind: string): boolean {
    return this.#hidden.has(kind);
  }

  setText(text: string, language: Language): void {
    this.text = text;
    this.#language = language;
    const wanted = text.trim().toLowerCase();
    this.#pattern = wanted === '' ? null : new RegExp(escaped(wanted), 'i');
    this.#kinds.clear();
    if (wanted !== '') {
      for (const kind of this.#run.kinds) {
        const words = say(language, `event.${kind}`).toLowerCase();
        if (words.includes(wanted) || kind.includes(wanted)) this.#kinds.add(kind);
      }
    }
    this.#restart();
  }

  toggleKind(kind: string): void {
    if (!this.#hidden.delete(kind)) this.#hidden.add(kind);
    this.#restart();
  }

  /** Looks at the next events; call it until nothing is {@link pending}. */
  work(slice: number = SLICE): void {
    if (!this.active) return;
    const run = this.#run;
    let ref = this.#done;
    for (this.#cost = 0; this.#cost < slice && ref < run.length; ref++) {
      if (!this.#passes(ref)) continue;
      const kind = run.all.values[ref]!;
      const lane = run.all.refs[ref]!;
      this.#all.push(run.time(ref), kind, run.severity(ref), ref);
      this.lane(lane).push(run.time(ref), kind, run.severity(ref), ref);
    }
    this.#done = ref;
  }

  /** By the kind's words, by the line as it stands in the file, or by the whole sentence. */
  #passes(ref: number): boolean {
    this.#cost += 1;
    const run = this.#run;
    const kind = run.kind(ref);
    if (this.#hidden.has(kind)) return false;
    if (this.#pattern === null || this.#kinds.has(kind)) return true;
    if (this.#pattern.test(run.line(ref))) return true;
    this.#cost += SENTENCE_COST;
    const names = { node: (id: number) => run.names.node(id) };
    return this.#pattern.test(say(this.#language, `event.${kind}`, run.at(ref).d, names));
  }

  #restart(): void {
    this.#all = new Series();
    this.#lanes = [];
    this.#done = 0;
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
