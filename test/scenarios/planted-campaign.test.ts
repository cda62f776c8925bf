/**
 * Beside canaries.test.ts, and apart from it so that two processors share the work: planted bugs
 * other than those of the rules, each looked for in long campaigns from one seed.
 */
import { describe, expect, it } from 'vitest';
import { plantedBugs } from '../../scenarios/canaries.ts';
import { shownBy } from '../../scenarios/shown-by.ts';
import { found, isOfRule, RUNS, SEEDS } from '../support/campaigns.ts';

const MINUTE = 60_000;

describe.skipIf(process.env['UNDERSTUDY_CI'] !== '1')('a long campaign', () => {
  for (const { id, what } of plantedBugs()) {
    const by = shownBy(id);
    if ('test' in by || (isOfRule(id) && by.on === undefined)) continue;
    const title = `of ${by.campaign} faults finds ${id} within ${RUNS} runs: ${what}`;
    it(title, { timeout: 20 * MINUTE }, () => {
      expect(found(id, by.from ?? SEEDS[0]!, RUNS, by.campaign)).toBeGreaterThan(0);
    });
  }
});
