/**
 * The decisions stream as text: one header line, then one JSON object a line. Pure: text in, values
 * out, so that the daemon, the command line and the viewer read and write the very same form.
 *
 * The reader is for files that a power cut or a full disk may have damaged: a torn last line is
 * taken for what it is, a bad line is reported with its number and reading goes on. Whatever it
 * is fed, it holds at most one line of bounded length.
 */
import { invariant } from '../core/invariant.ts';
import type { TimelineEvent, TimelineHeader, TimelineValue } from './event.ts';
import { TIMELINE_SCHEMA } from './event.ts';

/** Longest line that is read; a header holds the configuration and a schedule. */
export const LINE_CHARS_MAX: number = 4 * 1024 * 1024;
/** Longest string that an event's parameter may have; the writer cuts longer ones. */
export const VALUE_CHARS_MAX = 1024;
/** Most parameters, and most ids in `reads`, of one event. */
export const ENTRIES_MAX = 64;
/** Longest id and longest kind. */
export const NAME_CHARS_MAX = 128;
/** Faults are all counted; this many are kept to be shown. */
export const FAULTS_KEPT_MAX = 100;

/** What can be wrong with a line. */
export type LineFaultCode =
  | 'no-header'
  | 'schema-unknown'
  | 'not-json'
  | 'not-an-event'
  | 'too-long';

/** A line that was not taken; `line` counts from 1. */
export interface LineFault {
  readonly line: number;
  readonly code: LineFaultCode;
}

/** Who gets what a {@link TimelineReader} finds, in the order of the text. */
export interface TimelineSink {
  /**
   * A header. A file has one on its first line; a journal that a restarted host went on writing
   * has another wherever that host began again, and its clock map then holds for what follows.
   */
  header(header: TimelineHeader): void;
  /** An event, and the line it stood on, from which {@link parseEvent} gives it again. */
  event(event: TimelineEvent, line: string): void;
}

/** The header as one line, its line feed included. */
export function encodeHeader(header: TimelineHeader): string {
  return `${JSON.stringify(header)}\n`;
}

/** An event as one line, its line feed included: fields in a fixed order, strings cut to size. */
export function encodeEvent(event: TimelineEvent): string {
  const { id, t, node, kind, cause, reads, d } = event;
  invariant(
    id.length <= NAME_CHARS_MAX && kind.length <= NAME_CHARS_MAX,
    'ids and kinds are short',
  );
  const entries = Object.entries(d).slice(0, ENTRIES_MAX);
  // Not by assignment: a parameter named "__proto__" would vanish.
  const parameters: TimelineEvent['d'] = Object.fromEntries(
    entries.map(([name, value]) => [name, cut(value)]),
  );
  const line = {
    id,
    t,
    node,
    kind,
    ...(cause === undefined || cause === '' ? {} : { cause }),
    ...(reads === undefined || reads.length === 0 ? {} : { reads: reads.slice(0, ENTRIES_MAX) }),
    d: parameters,
  };
  return `${JSON.stringify(line)}\n`;
}

/** The event on a line, or null when there is none. */
export function parseEvent(line: string): TimelineEvent | null {
  return toEvent(parseJson(line));
}

/** Reads a timeline that comes in pieces of any size: a file's chunks or a socket's messages. */
export class TimelineReader {
  /** Bad lines, the first {@link FAULTS_KEPT_MAX} of them. */
  readonly faults: LineFault[] = [];
  /** How many lines were bad in all. */
  faultCount = 0;
  /** The text ended in the middle of a line: what a crash of the writer leaves behind. */
  torn = false;
  /** The schema is not one we read: nothing after the header was taken. */
  refused = false;
  #sink: TimelineSink;
  #rest = '';
  #line = 0;
  #headed = false;
  /** Inside a line that grew too long: drop everything up to the next line feed. */
  #skipping = false;

  constructor(sink: TimelineSink) {
    this.#sink = sink;
  }

  /** Takes the next piece of text. */
  push(piece: string): void {
    let from = 0;
    for (;;) {
      const feed = piece.indexOf('\n', from);
      if (feed < 0) break;
      // Only a line that straddles two pieces is joined; the others are cut from the piece.
      const line =
        this.#rest === '' ? piece.slice(from, feed) : this.#rest + piece.slice(from, feed);
      this.#rest = '';
      from = feed + 1;
      this.#line += 1;
      if (this.#skipping) this.#skipping = false;
      else if (line.length > LINE_CHARS_MAX) this.#report('too-long');
      else this.#take(line, true);
    }
    if (this.#skipping) return;
    this.#rest += piece.slice(from);
    if (this.#rest.length <= LINE_CHARS_MAX) return;
    this.#line += 1;
    this.#report('too-long');
    this.#line -= 1;
    this.#rest = '';
    this.#skipping = true;
  }

  /** Says that no more text comes. A last line without its line feed counts if it is whole. */
  end(): void {
    const line = this.#rest;
    this.#rest = '';
    if (this.#skipping || line.trim() === '') return;
    this.#line += 1;
    this.torn = !this.#take(line, false);
  }

  /** Takes one line; `false` when it was bad, which is reported only when `whole`. */
  #take(line: string, whole: boolean): boolean {
    if (this.refused || line === '' || line.trim() === '') return true;
    const value = parseJson(line);
    if (value === undefined) return whole ? this.#report('not-json') : false;
    if (isHeaderLike(value)) return this.#takeHeader(value);
    const event = toEvent(value);
    if (event === null) return whole ? this.#report('not-an-event') : false;
    if (!this.#headed) {
      // A ring that lost its head still has events worth seeing.
      this.#headed = true;
      this.#report('no-header');
    }
    this.#sink.event(event, line);
    return true;
  }

  #takeHeader(value: object): boolean {
    const header = toHeader(value);
    if (header === null) {
      this.refused = !this.#headed;
      return this.#report('schema-unknown');
    }
    this.#headed = true;
    this.#sink.header(header);
    return true;
  }

  #report(code: LineFaultCode): false {
    this.faultCount += 1;
    if (this.faults.length < FAULTS_KEPT_MAX) this.faults.push({ line: this.#line, code });
    return false;
  }
}

/** A whole timeline at once, for texts that fit in memory. */
export interface Timeline {
  readonly header: TimelineHeader | null;
  readonly events: readonly TimelineEvent[];
  readonly faults: readonly LineFault[];
  readonly torn: boolean;
}

/** Reads a whole timeline. */
export function decodeTimeline(text: string): Timeline {
  let first: TimelineHeader | null = null;
  const events: TimelineEvent[] = [];
  const reader = new TimelineReader({
    header(header) {
      first ??= header;
    },
    event(event) {
      events.push(event);
    },
  });
  reader.push(text);
  reader.end();
  return { header: first, events, faults: reader.faults, torn: reader.torn };
}

function cut(value: TimelineValue): TimelineValue {
  return typeof value === 'string' ? value.slice(0, VALUE_CHARS_MAX) : value;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isHeaderLike(value: unknown): value is object {
  return isObject(value) && value['schema'] !== undefined && value['id'] === undefined;
}

/** This schema and the one before; the older one may lack what came later. */
function toHeader(value: object): TimelineHeader | null {
  const raw = value as { readonly [name: string]: unknown };
  const schema = raw['schema'];
  if (schema !== TIMELINE_SCHEMA && schema !== TIMELINE_SCHEMA - 1) return null;
  const { build, engineHash, configHash, config, clockMap, replay, merge } = raw;
  const kept = {
    schema,
    build: typeof build === 'string' ? build : '',
    engineHash: typeof engineHash === 'string' ? engineHash : '',
    configHash: typeof configHash === 'string' ? configHash : '',
    config: config ?? null,
    clockMap: Array.isArray(clockMap) ? clockMap.filter(isClockPoint) : [],
  };
  return {
    ...kept,
    ...(isReplay(replay) ? { replay } : {}),
    ...(isMerge(merge) ? { merge } : {}),
  };
}

function isClockPoint(value: unknown): value is TimelineHeader['clockMap'][number] {
  return isObject(value) && [value['node'], value['mono'], value['wall']].every(isNumber);
}

function isReplay(value: unknown): value is NonNullable<TimelineHeader['replay']> {
  return isObject(value) && typeof value['command'] === 'string' && isNumber(value['seed']);
}

function isMerge(value: unknown): value is NonNullable<TimelineHeader['merge']> {
  if (!isObject(value)) return false;
  const { journals, missing, clocks, duplicates, renamed, disordered } = value;
  const named = (one: unknown): boolean => {
    return isObject(one) && isNumber(one['node']) && typeof one['name'] === 'string';
  };
  const bound = (one: unknown): boolean => one === null || isNumber(one);
  return (
    [duplicates, renamed, disordered].every(isNumber) &&
    [journals, missing].every((list) => Array.isArray(list) && list.every(named)) &&
    (journals as readonly { readonly [name: string]: unknown }[]).every((one) => {
      return isNumber(one['events']) && isNumber(one['damaged']);
    }) &&
    Array.isArray(clocks) &&
    clocks.every((one) => {
      if (!isObject(one) || typeof one['sound'] !== 'boolean') return false;
      return (
        isNumber(one['node']) && isNumber(one['shift']) && bound(one['least']) && bound(one['most'])
      );
    })
  );
}

function toEvent(value: unknown): TimelineEvent | null {
  if (!isObject(value)) return null;
  const { id, t, node, kind, cause, reads, d } = value;
  if (!isName(id) || !isName(kind) || !isNumber(t) || !isNumber(node) || !isObject(d)) return null;
  if (cause !== undefined && !isShort(cause)) return null;
  if (reads !== undefined && !isReads(reads)) return null;
  if (!areParameters(d)) return null;
  return {
    id,
    t,
    node,
    kind,
    ...(cause === undefined || cause === '' ? {} : { cause }),
    ...(reads === undefined || reads.length === 0 ? {} : { reads }),
    d,
  };
}

function areParameters(d: object): d is TimelineEvent['d'] {
  const entries = Object.entries(d);
  return (
    entries.length <= ENTRIES_MAX &&
    entries.every(([name, value]) => {
      if (name.length > NAME_CHARS_MAX) return false;
      if (typeof value === 'string') return value.length <= VALUE_CHARS_MAX;
      return typeof value === 'number' || typeof value === 'boolean';
    })
  );
}

function isReads(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= ENTRIES_MAX && value.every(isShort);
}

function isName(value: unknown): value is string {
  return isShort(value) && value !== '';
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= NAME_CHARS_MAX;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
