import { describe, expect, it } from 'vitest';
import { TimelineReader } from '../../../engine/timeline/codec.ts';
import { Match } from '../../../viewer/src/model/match.ts';
import { Run } from '../../../viewer/src/model/run.ts';
import { sampleText } from '../../support/sample-timeline.ts';

function matched(set: (match: Match) => void): string[] {
  const run = new Run();
  new TimelineReader(run).push(sampleText());
  const match = new Match(run);
  set(match);
  // In small slices, as the page works between two frames.
  while (match.pending) match.work(7);
  return [...Array(match.all.length).keys()].map((at) => run.kind(match.ref(at)));
}

describe('the filter', () => {
  it('lets everything through when nothing is asked', () => {
    const run = new Run();
    new TimelineReader(run).push(sampleText());
    expect(new Match(run).all).toBe(run.all);
  });

  it('finds words of the sentences in the language of the reader', () => {
    expect(new Set(matched((match) => match.setText('suspect', 'en')))).toContain('peer.suspect');
    expect(new Set(matched((match) => match.setText('可疑', 'zh')))).toEqual(
      new Set(['peer.suspect']),
    );
  });

  it('finds words that only the whole sentence has, names of nodes among them', () => {
    expect(matched((match) => match.setText('takes mail over from a', 'en'))).toEqual([
      'group.takeover',
    ]);
  });

  it('finds kinds, ids and values, taking signs of patterns for themselves', () => {
    expect(matched((match) => match.setText('lease-expired', 'en'))).toEqual(['group.takeover']);
    expect(matched((match) => match.setText('(*', 'en'))).toEqual([]);
  });

  it('hides kinds', () => {
    const kinds = matched((match) => match.toggleKind('mirror.resync.progress'));
    expect(kinds.length).toBeGreaterThan(50);
    expect(kinds).not.toContain('mirror.resync.progress');
  });
});
