import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeTimeline,
  ENTRIES_MAX,
  encodeEvent,
  encodeHeader,
  FAULTS_KEPT_MAX,
  LINE_CHARS_MAX,
  parseEvent,
  TimelineReader,
  VALUE_CHARS_MAX,
} from '../../../engine/timeline/codec.ts';
import {
  TIMELINE_SCHEMA,
  type TimelineEvent,
  type TimelineHeader,
} from '../../../engine/timeline/event.ts';

const header: TimelineHeader = {
  schema: TIMELINE_SCHEMA,
  build: '0.1.0',
  engineHash: 'dev',
  configHash: 'c0',
  config: { name: 'pair' },
  clockMap: [{ node: 1, mono: 0, wall: 0 }],
  replay: { command: 'understudy rehearse --seed 7', seed: 7, schedule: [] },
};

const word = fc.string({ minLength: 1, maxLength: 40, unit: 'binary' });
const anyEvent: fc.Arbitrary<TimelineEvent> = fc.record(
  {
    id: word,
    t: fc.nat(),
    node: fc.integer({ min: 0, max: 64 }),
    kind: word,
    cause: word,
    reads: fc.array(word, { minLength: 1, maxLength: 5 }),
    d: fc.dictionary(word, fc.oneof(fc.string(), fc.integer(), fc.boolean()), { maxKeys: 6 }),
  },
  { requiredKeys: ['id', 't', 'node', 'kind', 'd'] },
);

/** Reads `text` cut into pieces of the given sizes, over and over. */
function readInPieces(text: string, sizes: readonly number[]): TimelineEvent[] {
  const events: TimelineEvent[] = [];
  const reader = new TimelineReader({ header() {}, event: (event) => events.push(event) });
  let at = 0;
  for (let turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    reader.push(text.slice(at, at + size));
    at += size;
  }
  reader.end();
  return events;
}

describe('the decisions stream', () => {
  it('gives back every event that was written', () => {
    fc.assert(
      fc.property(fc.array(anyEvent), (events) => {
        const read = decodeTimeline(encodeHeader(header) + events.map(encodeEvent).join(''));
        expect(read).toEqual({ header, events, faults: [], torn: false });
      }),
    );
  });

  it('reads the same whatever the sizes of the pieces', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 8 }), sizes, (events, pieces) => {
        const text = encodeHeader(header) + events.map(encodeEvent).join('');
        expect(readInPieces(text, pieces)).toEqual(events);
      }),
    );
  });

  it('keeps everything before a tear, wherever the file was torn', () => {
    const events = [1, 2, 3].map((seq) => event(seq));
    const lines = events.map(encodeEvent);
    const text = encodeHeader(header) + lines.join('');
    const start = encodeHeader(header).length;
    for (let length = start; length <= text.length; length++) {
      const read = decodeTimeline(text.slice(0, length));
      let whole = 0;
      // A line that lacks only its line feed is whole.
      for (let end = start; whole < 3 && end + lines[whole]!.length - 1 <= length; whole++) {
        end += lines[whole]!.length;
      }
      expect(read.events.length).toBe(whole);
      expect(read.faults).toEqual([]);
    }
  });

  it('names the line that is bad and goes on after it', () => {
    const bad = ['{"id":', '[]', '{"id":"1.1.9","t":0,"node":1,"kind":"k","d":{"x":[1]}}'];
    const text = `${encodeHeader(header) + encodeEvent(event(1))}${bad.join('\n')}\n`;
    const read = decodeTimeline(text + encodeEvent(event(2)));
    expect(read.events).toEqual([event(1), event(2)]);
    expect(read.faults).toEqual([
      { line: 3, code: 'not-json' },
      { line: 4, code: 'not-an-event' },
      { line: 5, code: 'not-an-event' },
    ]);
  });

  it('never throws and never keeps more faults than it may, whatever it is fed', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json()), { maxLength: 200 }), (lines) => {
        const read = decodeTimeline(lines.join('\n'));
        expect(read.faults.length).toBeLessThanOrEqual(FAULTS_KEPT_MAX);
      }),
    );
  });

  it('counts all faults and keeps the first ones', () => {
    const reader = new TimelineReader({ header() {}, event() {} });
    reader.push('x\n'.repeat(FAULTS_KEPT_MAX + 5));
    expect(reader.faults.length).toBe(FAULTS_KEPT_MAX);
    expect(reader.faultCount).toBe(FAULTS_KEPT_MAX + 5);
  });

  it('drops a line that is too long without holding it', () => {
    const events: TimelineEvent[] = [];
    const reader = new TimelineReader({ header() {}, event: (one) => events.push(one) });
    reader.push(encodeHeader(header));
    for (let piece = 0; piece < 5; piece++) reader.push('x'.repeat(LINE_CHARS_MAX / 4));
    reader.push(`tail\n${encodeEvent(event(1))}`);
    reader.end();
    expect(events).toEqual([event(1)]);
    expect(reader.faults).toEqual([{ line: 2, code: 'too-long' }]);
  });

  it('gives back how a timeline was merged, and nothing of a note that makes no sense', () => {
    const merge = {
      journals: [{ node: 1, name: 'a/timeline.jsonl', events: 3, damaged: 0 }],
      missing: [{ node: 2, name: 'b/timeline.jsonl' }],
      clocks: [{ node: 1, shift: -5, least: null, most: 7, sound: true }],
      duplicates: 1,
      renamed: 0,
      disordered: 0,
    };
    expect(decodeTimeline(encodeHeader({ ...header, merge })).header?.merge).toEqual(merge);
    const notes = fc.oneof(
      fc.jsonValue(),
      fc.record({ journals: fc.jsonValue(), missing: fc.constant([]), clocks: fc.constant([]) }),
      fc
        .tuple(fc.constantFrom(...Object.keys(merge)), fc.constantFrom(null, 'x', [null], [{}]))
        .map(([name, value]) => ({ ...merge, [name]: value })),
    );
    const run = fc.property(notes, (note) => {
      const line = `${JSON.stringify({ ...header, merge: note })}\n`;
      expect(decodeTimeline(line).header).toEqual(header);
    });
    fc.assert(run);
  });

  it('reads the schema before this one and refuses a later one', () => {
    const older = decodeTimeline(
      `{"schema":${TIMELINE_SCHEMA - 1},"build":"0"}\n${encodeEvent(event(1))}`,
    );
    expect(older.header).toMatchObject({ schema: TIMELINE_SCHEMA - 1, config: null, clockMap: [] });
    expect(older.events).toHaveLength(1);

    const later = decodeTimeline(
      `{"schema":${TIMELINE_SCHEMA + 1},"build":"9"}\n${encodeEvent(event(1))}`,
    );
    expect(later).toMatchObject({ header: null, events: [] });
    expect(later.faults).toEqual([{ line: 1, code: 'schema-unknown' }]);
  });

  it('shows the events of a journal that lost its head, and says so', () => {
    const read = decodeTimeline(encodeEvent(event(1)) + encodeEvent(event(2)));
    expect(read.events).toHaveLength(2);
    expect(read.faults).toEqual([{ line: 1, code: 'no-header' }]);
  });

  it('passes on the header that a restarted host wrote further down', () => {
    const headers: TimelineHeader[] = [];
    const reader = new TimelineReader({ header: (one) => headers.push(one), event() {} });
    const second = { ...header, clockMap: [{ node: 1, mono: 5, wall: 900 }] };
    reader.push(encodeHeader(header) + encodeEvent(event(1)) + encodeHeader(second));
    expect(headers).toEqual([header, second]);
  });

  it('writes only what it would read', () => {
    const d: { [name: string]: string } = { long: 'x'.repeat(5 * VALUE_CHARS_MAX) };
    for (let index = 0; index < 2 * ENTRIES_MAX; index++) d[`p${index}`] = 'y';
    const reads = Array.from({ length: 2 * ENTRIES_MAX }, (_, index) => `1.1.${index}`);
    const read = parseEvent(encodeEvent({ ...event(1), reads, d }));
    expect(Object.keys(read?.d ?? {})).toHaveLength(ENTRIES_MAX);
    expect(read?.reads).toHaveLength(ENTRIES_MAX);
  });
});

function event(seq: number): TimelineEvent {
  return { id: `1.1.${seq}`, t: seq * 1000, node: 1, kind: 'booted', d: { seq } };
}
