import { describe, expect, it } from 'vitest';
import type { UndoLayout } from '../../../engine/mirror/undo-log.ts';
import { undoLayout } from '../../../engine/mirror/undo-log.ts';
import { SIDE_PAGE } from '../../support/mirror-hosts.ts';
import { copying, SIDE_CONFIG } from '../../support/mirror-undo.ts';

describe('pages of the side area', () => {
  it('stand there twice, each sealed for its own place', () => {
    const { pair } = copying(3);
    pair.runFor(30_000);
    const { copies } = undoLayout(SIDE_CONFIG.sideBytes) as UndoLayout;
    const { meta } = pair.hosts[1];
    let both = 0;
    for (let number = 0; number < 4; number += 1) {
      const [a, b] = copies.map((first) => meta.get(SIDE_PAGE + first + number));
      if (a === undefined || b === undefined) continue;
      both += 1;
      const differs = [...a.keys()].filter((at) => a[at] !== b[at]);
      // The number of the page, and the checksum over it.
      expect(differs.every((at) => (at >= 24 && at < 28) || (at >= 60 && at < 64))).toBe(true);
      expect(differs.length).toBeGreaterThan(0);
    }
    expect(both).toBeGreaterThan(2);
  });

  it('cost the replica when they cannot be written: what the disk took is in doubt', () => {
    const { pair } = copying(3);
    pair.hosts[1].metaBroken = true;
    pair.runFor(200_000);
    expect(pair.hosts[1].disk).toBe('Failed');
    expect(pair.violations).toEqual([]);
  });
});
