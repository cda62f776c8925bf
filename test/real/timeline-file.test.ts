import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TimelineFile } from '../../backends/real/timeline-file.ts';
import { decodeTimeline } from '../../engine/timeline/codec.ts';
import { TIMELINE_SCHEMA } from '../../engine/timeline/event.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'us-timeline-'));
});
afterEach(() => rm(folder, { recursive: true }));

const header = () => ({
  schema: TIMELINE_SCHEMA,
  build: '0',
  engineHash: 'dev',
  configHash: '',
  config: null,
  clockMap: [{ node: 1, mono: 0, wall: 0 }],
});

function write(file: TimelineFile, from: number, count: number): void {
  for (let n = from; n < from + count; n++) {
    const d = { text: 'x'.repeat(200) };
    file.write({ id: `1.1.c${n}`, t: n, node: 1, kind: 'core.start', d });
  }
}

describe('the timeline of a node', () => {
  it('goes on after a restart, with a header where it began again', () => {
    const path = join(folder, 'timeline.jsonl');
    for (const life of [0, 1]) {
      const file = new TimelineFile(path, header);
      write(file, life * 10, 10);
      file.close();
    }
    const { events, faults } = decodeTimeline(readFileSync(path, 'utf8'));
    expect(events.map(({ t }) => t)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(faults).toEqual([]);
  });

  it('maps its clock to wall time anew after ten minutes, for hosts that run for months', () => {
    const path = join(folder, 'timeline.jsonl');
    let now = 0;
    const file = new TimelineFile(path, header, 1_000_000, () => now);
    for (const [at, minutes] of [0, 9, 11, 12, 22].entries()) {
      now = minutes * 60_000;
      write(file, at, 1);
    }
    file.close();
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    expect(lines.map((line) => (line.includes('"schema"') ? 'map' : 'event')).join(' ')).toBe(
      'map event event map event event map event',
    );
  });

  it('loses one line at most when a core died within it', () => {
    const path = join(folder, 'timeline.jsonl');
    const first = new TimelineFile(path, header);
    write(first, 0, 3);
    first.close();
    appendFileSync(path, '{"id":"1.1.c3","t":3,');
    const second = new TimelineFile(path, header);
    write(second, 4, 2);
    second.close();
    const { events, faults } = decodeTimeline(readFileSync(path, 'utf8'));
    expect(events.map(({ t }) => t)).toEqual([0, 1, 2, 4, 5]);
    expect(faults).toHaveLength(1);
  });

  it('is rotated at its bound and keeps so many older files, each readable by itself', () => {
    const path = join(folder, 'timeline.jsonl');
    const file = new TimelineFile(path, header, 10_000);
    for (let n = 0; n < 400; n += 10) {
      write(file, n, 10);
      file.flush();
    }
    file.close();
    const paths = [4, 3, 2, 1].map((n) => `${path}.${n}`);
    expect(existsSync(`${path}.5`)).toBe(false);
    const times = [...paths, path].flatMap((each) => {
      const { header: found, events, faults } = decodeTimeline(readFileSync(each, 'utf8'));
      expect(found).not.toBeNull();
      expect(faults).toEqual([]);
      return events.map(({ t }) => t);
    });
    const first = times[0] as number;
    expect(first).toBeGreaterThan(0);
    expect(times).toEqual(Array.from({ length: 400 - first }, (_, n) => first + n));
  });
});
