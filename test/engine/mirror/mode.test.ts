import { describe, expect, it } from 'vitest';
import { linkStateOf, Mode } from '../../../engine/mirror/mode.ts';

describe('the use of a link', () => {
  it('is told to control: who is in step is connected, at either end', () => {
    expect([Mode.Sync, Mode.Follow].map(linkStateOf)).toEqual(['Connected', 'Connected']);
  });

  it('is a copy until the target is a member: nobody takes it for redundancy before', () => {
    const copies = [Mode.Copy, Mode.Adding, Mode.Target].map(linkStateOf);
    expect(copies).toEqual(['SyncSource', 'SyncSource', 'SyncTarget']);
    expect(linkStateOf(Mode.None)).toBe('Connecting');
  });
});
