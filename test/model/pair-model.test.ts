import { describe, expect, it } from 'vitest';
import { CLUSTER_CANARIES } from '../../engine/cluster/canaries.ts';
import { MIRROR_CANARIES } from '../../engine/mirror/canaries.ts';
import { plantedBugs } from '../../scenarios/canaries.ts';
import { pairRow } from './rule-table.ts';
import { RULES, RULES_OF_THREE, type Rule } from './rules.ts';

/** How few events it takes to break which law when a rule is dropped. */
const BROKEN: readonly [rule: Rule, events: number, violation: string][] = [
  ['RULE-01', 3, 'two writable primaries'],
  ['RULE-02', 4, 'acknowledged write lost'],
  ['RULE-03', 5, 'silent divergence'],
  ['RULE-04', 5, 'silent divergence'],
  ['RULE-05', 5, 'flushed write in a volatile cache alone'],
  ['RULE-06', 6, 'acknowledged write lost'],
  ['RULE-07', 8, 'acknowledged write lost'],
  ['RULE-08', 7, 'acknowledged write lost'],
  ['RULE-09', 7, 'acknowledged write lost'],
  ['RULE-10', 7, 'flushed write in a volatile cache alone'],
  ['RULE-11', 8, 'acknowledged write lost'],
  ['RULE-12', 10, 'acknowledged write lost'],
  ['RULE-13', 10, 'flushed write lost'],
];

describe('two replicas that follow all fourteen rules', () => {
  const row = pairRow(null, 'liveness');

  it('break no law in any of the 476,000 states that they can reach', () => {
    expect(row.complete).toBe(true);
    expect(row.states).toBe(476_000);
    expect(row.violation).toBeNull();
  });

  it('can serve again, and be equal again, from each of them without a further fault', () => {
    expect(row.stuck).toEqual({ unserved: 0, degraded: 0 });
  });
});

describe('two replicas that drop one rule', () => {
  for (const [rule, events, violation] of BROKEN) {
    it(`break a law after ${events} events without ${rule}: ${violation}`, () => {
      const row = pairRow(rule, 'safety');
      expect(row.violation).toBe(violation);
      expect(row.schedule).toHaveLength(events);
    });
  }

  it('serve for ever without RULE-14, but never as equals again from 15,820 states', () => {
    const row = pairRow('RULE-14', 'liveness');
    expect(row.violation).toBeNull();
    expect(row.stuck).toEqual({ unserved: 0, degraded: 15_820 });
  });

  it('tell their story in words', () => {
    expect(pairRow('RULE-12', 'safety').schedule).toEqual([
      'promote A',
      'write A',
      'apply B',
      'acknowledge A',
      'cut',
      'heal',
      'begin to copy A to B',
      'crash A',
      'restart A',
      'begin to copy A to B',
    ]);
  });
});

/** Of the rules of three those that the engine has a guard for (docs/decisions/0021). */
const AMONG_SEVERAL = ['RULE-15', 'RULE-17', 'RULE-18', 'RULE-19', 'RULE-20'];
const OF_THE_LOG = 'RULE-22';
/** Of two, the log keeps these; the mirror's guards behind it have names of their own. */
const LOG_FIRST: readonly string[] = ['RULE-01', 'RULE-06', 'RULE-09'];

describe('the rules of the models', () => {
  const numbered = (ids: readonly { id: string }[]): string[] =>
    ids.map(({ id }) => id).filter((id) => id.startsWith('RULE-'));

  it('are planted bugs of the data actor, or of the log where that keeps them first', () => {
    const others = RULES.filter((rule) => !LOG_FIRST.includes(rule));
    expect(numbered(MIRROR_CANARIES)).toEqual([...others, ...AMONG_SEVERAL]);
    expect(numbered(CLUSTER_CANARIES)).toEqual([...LOG_FIRST, OF_THE_LOG]);
  });

  it('are those that campaigns must find', () => {
    const all = [...RULES, ...AMONG_SEVERAL, OF_THE_LOG];
    expect([...new Set(numbered(plantedBugs()))].sort(byName)).toEqual(all);
    for (const rule of [...AMONG_SEVERAL, OF_THE_LOG]) expect(RULES_OF_THREE).toContain(rule);
  });

  it('each stand in the table of what dropping them breaks', () => {
    expect([...BROKEN.map(([rule]) => rule), 'RULE-14']).toEqual([...RULES]);
  });
});

function byName(left: string, right: string): number {
  return left < right ? -1 : 1;
}
