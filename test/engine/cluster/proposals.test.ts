import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../engine/cluster/entries.ts';
import { Proposals } from '../../../engine/cluster/proposals.ts';
import type { Raft } from '../../../engine/cluster/raft.ts';

const SETTLE: Entry = { kind: 'settle', event: '', node: 1, lease: 1 };

describe('proposals', () => {
  it('keep a subject busy until its entry is applied, and no other', () => {
    const log: Entry[] = [];
    const raft = { propose: (entry: Entry) => log.push(entry) } as unknown as Raft;
    const proposals = new Proposals(raft);
    proposals.propose(SETTLE);
    expect(log).toEqual([SETTLE]);
    expect(proposals.busy('lease', 1)).toBe(true);
    expect(proposals.busy('lease', 2)).toBe(false);
    proposals.applied({ kind: 'noop', event: '' });
    expect(proposals.busy('lease', 1)).toBe(true);
    proposals.applied(SETTLE);
    expect(proposals.busy('lease', 1)).toBe(false);
  });

  it('are forgotten with the leadership under which they were made', () => {
    const raft = { propose: () => undefined } as unknown as Raft;
    const proposals = new Proposals(raft);
    proposals.propose(SETTLE);
    proposals.reset();
    expect(proposals.busy('lease', 1)).toBe(false);
  });
});
