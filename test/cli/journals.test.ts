import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configTemplate } from '../../cli/config/template.ts';
import { findJournals, mergeSources } from '../../cli/journals.ts';
import { encodeEvent, encodeHeader } from '../../engine/timeline/codec.ts';
import { TIMELINE_SCHEMA } from '../../engine/timeline/event.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'us-journals-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A journal with one event for each of `numbers`. */
function write(path: string, node: number, numbers: readonly number[], schema = TIMELINE_SCHEMA) {
  const clockMap = [{ node, mono: 0, wall: 1_790_000_000_000 }];
  const rest = { build: '0', engineHash: 'dev', configHash: '', config: null };
  const lines = numbers.map((n) => {
    return encodeEvent({ id: `${node}.1.c${n}`, t: n, node, kind: 'core.start', d: {} });
  });
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), encodeHeader({ schema, ...rest, clockMap }) + lines.join(''));
}

function writeConfig(): string {
  const volumeUuid = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
  const text = configTemplate({ cluster: 'pair', volumeUuid, size: '16MiB', port: 7411 });
  writeFileSync(join(folder, 'understudy.yaml'), text);
  writeFileSync(join(folder, 'understudy.key'), 'k');
  return join(folder, 'understudy.yaml');
}

const order = (named: readonly string[]) =>
  mergeSources(findJournals(named)).events.map(({ event }) => event.id);

describe('the journals of a cluster', () => {
  it('are found from the configuration or its folder, with those that are missing named', () => {
    const config = writeConfig();
    write('a/timeline.jsonl', 1, [1, 4]);
    write('a/monitor.jsonl', 1, [2]);
    write('w/timeline.jsonl', 3, [3]);
    for (const named of [config, folder]) {
      expect(order([named])).toEqual(['1.1.c1', '1.1.c2', '3.1.c3', '1.1.c4']);
      const { merge } = mergeSources(findJournals([named])).header;
      expect(merge?.journals.map(({ name }) => name)).toEqual([
        'a/monitor.jsonl',
        'a/timeline.jsonl',
        'w/timeline.jsonl',
      ]);
      expect(merge?.missing).toEqual([{ node: 2, name: join(folder, 'b/timeline.jsonl') }]);
    }
  });

  it('are found in a node’s own folder, and in a folder of such folders', () => {
    write('x/a/timeline.jsonl', 1, [1]);
    write('x/b/timeline.jsonl', 2, [2]);
    expect(order([join(folder, 'x/a')])).toEqual(['1.1.c1']);
    expect(order([join(folder, 'x')])).toEqual(['1.1.c1', '2.1.c2']);
    expect(order([join(folder, 'x/b'), join(folder, 'x/a/timeline.jsonl')])).toEqual([
      '1.1.c1',
      '2.1.c2',
    ]);
  });

  it('are read with their rotated files, the oldest first', () => {
    write('a/timeline.jsonl', 1, [5, 6]);
    write('a/timeline.jsonl.1', 1, [3, 4]);
    write('a/timeline.jsonl.2', 1, [1, 2]);
    expect(order([join(folder, 'a')])).toEqual([1, 2, 3, 4, 5, 6].map((n) => `1.1.c${n}`));
  });

  it('are refused with a remedy where there are none, or of a schema of the future', () => {
    expect(() => findJournals([join(folder, 'nowhere')])).toThrow('there is no file');
    expect(() => findJournals([folder])).toThrow('there is no timeline in');
    const config = writeConfig();
    expect(() => findJournals([config])).toThrow('has a timeline here');
    write('new.jsonl', 1, [1], TIMELINE_SCHEMA + 1);
    expect(() => mergeSources(findJournals([join(folder, 'new.jsonl')]))).toThrow('cannot read');
  });
});
