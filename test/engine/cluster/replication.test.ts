import { describe, expect, it } from 'vitest';
import { Links } from '../../../engine/cluster/heartbeat.ts';
import { RaftLog } from '../../../engine/cluster/raft-log.ts';
import { Replication } from '../../../engine/cluster/replication.ts';
import { contextOf, FORMED, ofKind, STILL } from '../../support/control-fixtures.ts';

function setup(...canaries: string[]) {
  const { context } = contextOf(1, canaries);
  const replication = new Replication(context, new Links(context, () => STILL), { state: FORMED });
  return { context, replication };
}

describe('replication', () => {
  it('agrees on what a majority of admitted voters has', () => {
    const { replication } = setup();
    expect(replication.agreed(9)).toBe(0);
    replication.note(2, 5, 102);
    expect(replication.agreed(9)).toBe(5);
    replication.note(3, 7, 103);
    expect(replication.agreed(9)).toBe(7);
  });

  it('does not count a voter whose disk is another than the log knows', () => {
    const { replication } = setup();
    replication.note(2, 5, 999);
    expect(replication.agreed(9)).toBe(0);
  });

  it('starts from nothing when a voter comes back with another disk', () => {
    const { replication } = setup();
    replication.note(2, 50, 102);
    expect(replication.note(2, 3, 202)).toBe(true);
    expect(replication.matched(2)).toBe(3);
    expect(replication.agreed(99)).toBe(0);
  });

  it('answers a refusal once, though it comes over every link', () => {
    const { replication } = setup();
    replication.begin(10, '1.1.c5');
    expect(replication.refused(2, 10, 4, 102)).toBe(true);
    expect(replication.refused(2, 10, 4, 102)).toBe(false);
    expect(replication.refused(2, 4, 2, 102)).toBe(true);
  });

  // A follower that lay so behind for good: each snapshot that it took was no news.
  it('goes back behind nothing that a voter has agreed to, however late it refused', () => {
    const sent = (...canaries: string[]) => {
      const { context, replication } = setup(...canaries);
      replication.begin(12, '1.1.c5');
      // Refused twice, over two links; the second comes when all is there.
      replication.refused(2, 12, 4, 102);
      replication.note(2, 12, 102);
      replication.refused(2, 12, 4, 102);
      const entries = Array.from({ length: 13 }, () => ({ term: 1 }) as never);
      replication.send(2, new RaftLog(0, 0, entries), 4, 12, FORMED);
      return ofKind(context.take(), 'send').map(({ message }) => {
        return message.kind === 'append' ? message.previous : message.kind;
      });
    };
    expect(sent()).toEqual([12]);
    expect(sent('late-refusal')).toEqual([4]);
  });

  it('begins anew with a voter that has another disk and refuses', () => {
    const { replication } = setup();
    replication.begin(12, '1.1.c5');
    replication.note(2, 12, 102);
    expect(replication.refused(2, 12, 0, 202)).toBe(true);
  });

  it('sends the snapshot when the entries are gone', () => {
    const { context, replication } = setup();
    const log = new RaftLog(20, 3, []);
    replication.begin(20, '1.1.c5');
    replication.send(2, log, 4, 20, FORMED);
    replication.refused(2, 20, 1, 102);
    replication.send(2, log, 4, 20, FORMED);
    // A program of before knows of no changed configuration, and does not know this word either.
    replication.send(2, log, 4, 20, { ...FORMED, agreed: { version: 1, changes: [] } });
    const kinds = ofKind(context.take(), 'send').map((d) => d.message.kind);
    expect(kinds).toEqual(['append', 'snapshot', 'agreed-snapshot']);
  });
});
