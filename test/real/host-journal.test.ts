import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOST_EVENTS, HostJournal } from '../../backends/real/host-journal.ts';
import { TimelineFile } from '../../backends/real/timeline-file.ts';
import { decodeTimeline, encodeHeader } from '../../engine/timeline/codec.ts';
import { TIMELINE_SCHEMA } from '../../engine/timeline/event.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'us-monitor-'));
});
afterEach(() => rm(folder, { recursive: true }));

const header = () => ({
  schema: TIMELINE_SCHEMA,
  build: '0',
  engineHash: 'dev',
  configHash: '',
  config: null,
  clockMap: [{ node: 2, mono: 0, wall: 0 }],
});

function journal(run: number) {
  let now = 0;
  const file = new TimelineFile(join(folder, 'monitor.jsonl'), header);
  return new HostJournal(file, { node: 2, clock: () => ++now, run });
}

const read = () => decodeTimeline(readFileSync(join(folder, 'monitor.jsonl'), 'utf8'));

describe('the monitor’s journal', () => {
  it('tells of a core that was killed, and is on disk before anything else happens', () => {
    const monitor = journal(1);
    const lines: string[] = [];
    const log = monitor.listening((_, code) => lines.push(code));
    log('warn', 'core-ended', { exit: undefined, signal: 'SIGKILL' });
    const { events, faults } = read();
    expect(faults).toEqual([]);
    expect(events.map(({ kind }) => kind)).toEqual(['host.monitor-started', 'host.core-ended']);
    expect(events[1]?.d).toEqual({ exit: 'none', signal: 'SIGKILL' });
    expect(lines).toEqual(['core-ended']);
    monitor.close();
  });

  it('takes no other line of the log, and all declared parameters of those it takes', () => {
    const monitor = journal(1);
    const log = monitor.listening(() => undefined);
    for (const code of ['core-spawn', 'ended', 'toString', 'monitor-silent']) log('info', code);
    for (const code of ['core-silent', 'core-lost', 'core-refused', 'stopping']) log('info', code);
    monitor.close();
    const { events } = read();
    expect(events).toHaveLength(6);
    for (const { kind, d } of events) expect(Object.keys(d)).toEqual(HOST_EVENTS[kind]);
  });

  it('never gives an id twice, through restarts of the monitor', () => {
    for (const run of [1_700_000_000_000, 1_700_000_000_001]) journal(run).close();
    const ids = read().events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(4);
    expect(encodeHeader(header())).toContain('clockMap');
  });
});
