import { describe, expect, it } from 'vitest';
import { encodeEvent, encodeHeader } from '../../../engine/timeline/codec.ts';
import { TIMELINE_SCHEMA } from '../../../engine/timeline/event.ts';
import { JournalReader } from '../../../engine/timeline/journal.ts';

const HEADER = {
  schema: TIMELINE_SCHEMA,
  build: '0.1.0',
  engineHash: 'dev',
  configHash: 'c',
  config: null,
  clockMap: [{ node: 1, mono: 0, wall: 0 }],
};

describe('a reader of journals', () => {
  it('reads rotated files as one journal and counts what it left out', () => {
    const reader = new JournalReader('a');
    const header = encodeHeader(HEADER);
    const line = (n: number) => encodeEvent({ id: `1.1.c${n}`, t: n, node: 1, kind: 'x', d: {} });
    reader.push(header + line(1) + line(2));
    reader.endFile();
    reader.push(`${header}not json\n${line(3)}{"id":"1.1`);
    reader.endFile();
    const { segments, damaged } = reader.journal;
    expect(segments.map(({ events }) => events.length)).toEqual([2, 1]);
    expect(damaged).toBe(2);
    expect(reader.refused).toBe(false);
  });

  it('keeps events of a file that lost its head, and refuses a schema it does not know', () => {
    const reader = new JournalReader('a');
    reader.push(encodeEvent({ id: '1.1.c1', t: 1, node: 1, kind: 'x', d: {} }));
    reader.endFile();
    expect(reader.journal.segments).toMatchObject([{ header: null }]);
    const newer = new JournalReader('b');
    newer.push(`{"schema":${TIMELINE_SCHEMA + 1}}\n`);
    newer.endFile();
    expect(newer.refused).toBe(true);
  });
});
