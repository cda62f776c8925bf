/**
 * The names of the rules that the models know; the engine's planted bugs carry the same ones. What
 * each says stands in ARCHITECTURE.md.
 */

export const RULES = [
  'RULE-01',
  'RULE-02',
  'RULE-03',
  'RULE-04',
  'RULE-05',
  'RULE-06',
  'RULE-07',
  'RULE-08',
  'RULE-09',
  'RULE-10',
  'RULE-11',
  'RULE-12',
  'RULE-13',
  'RULE-14',
] as const;

export type Rule = (typeof RULES)[number];

/**
 * What a third replica adds, as docs/decisions/0012 says. Three of them are about takers that keep
 * the members; the engine's lead alone at first, and have no use for those (docs/decisions/0021).
 */
export const RULES_OF_THREE = [
  'RULE-15',
  'RULE-16',
  'RULE-17',
  'RULE-18',
  'RULE-19',
  'RULE-20',
  'RULE-21',
  'RULE-22',
  'RULE-23',
  'RULE-24',
  'RULE-25',
] as const;

/** Two of them followed by half: as if a replica in step and not admitted yet did not count. */
export const HALF_RULES = ['RULE-18 for members only', 'RULE-19 for members only'] as const;

export type TrioRule = Rule | (typeof RULES_OF_THREE)[number] | (typeof HALF_RULES)[number];
