import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CanaryTable, HuntedRow } from '../../cli/rehearse/canary-report.ts';
import { median } from '../../cli/rehearse/canary-report.ts';
import { plantedBugs } from '../../scenarios/canaries.ts';
import { shownBy } from '../../scenarios/shown-by.ts';
import {
  CANARY_PAGE,
  canaryPage,
  classicSection,
  measuredRows,
  testedSection,
} from '../../tools/canary-page.ts';

const page = readFileSync(CANARY_PAGE, 'utf8');

describe('docs/canaries.md', () => {
  it('has a measured row for every planted bug that campaigns must find, in order', () => {
    const sought = plantedBugs().filter(({ id }) => 'campaign' in shownBy(id));
    // A row that is missing: CONTRIBUTING.md, "To add a property".
    expect(measuredRows(page).map(({ id }) => id)).toEqual(sought.map(({ id }) => id));
  });

  it('shows schedules of three faults at most in the median', () => {
    expect(median(measuredRows(page).map(({ faults }) => faults))).toBeLessThanOrEqual(3);
  });

  it('names the tests of all others, and the classic bugs, as the sources have them', () => {
    expect(page).toContain(testedSection());
    expect(page).toContain(classicSection());
  });

  it('keeps what was not measured again, and takes over what was', () => {
    const [first, second] = measuredRows(page);
    if (first === undefined || second === undefined) throw new Error('the page is empty');
    const bug = { ...row(second.id), runs: 77, faults: 5 };
    const after = canaryPage(page, { ...TABLE, bugs: [bug], date: '2031-02-03' });
    const rows = measuredRows(after);
    expect(rows).toHaveLength(measuredRows(page).length);
    expect(rows[0]).toEqual(first);
    expect(rows[1]).toMatchObject({ id: second.id, law: 'LAW-cover', runs: 77, faults: 5 });
    expect(after).toContain('2031-02-03');
  });

  it('is what the sources make of it, with the rows that it has', () => {
    // Else: node --import tsx tools/canary-page.ts
    expect(canaryPage(page, null)).toBe(page);
  });

  it('has no row for a bug that was not found', () => {
    const [first] = measuredRows(page);
    const missed = { ...row(first?.id ?? ''), found: false, law: null };
    expect(measuredRows(canaryPage('', { ...TABLE, bugs: [missed], date: 'today' }))).toEqual([]);
  });
});

const TABLE: CanaryTable = {
  seed: 1,
  runsMax: 3000,
  sought: 1,
  found: 1,
  medianFaults: 1,
  mostFaults: 1,
  medianRuns: 1,
  cpuSeconds: 1,
  bugs: [],
  tests: [],
};

function row(id: string): HuntedRow {
  return {
    id,
    numbers: [],
    faultsOf: 'swarm',
    found: true,
    law: 'LAW-cover',
    code: 'cover.crash',
    runs: 1,
    cpuSeconds: 0.5,
    drawnFaults: 8,
    faults: 1,
    schedule: 'cut the link',
    shrinkRuns: 9,
    shrinkCpuSeconds: 1,
    replay: null,
  };
}
