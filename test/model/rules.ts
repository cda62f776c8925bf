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
