/** The table of planted bugs in English. */
export const canariesEn: { readonly [code: string]: string } = {
  'canaries.column-bug': 'planted bug',
  'canaries.column-number': 'no.',
  'canaries.column-law': 'law broken',
  'canaries.column-runs': 'runs',
  'canaries.column-cpu': 'CPU s',
  'canaries.column-faults': 'faults',
  'canaries.column-test': 'shown by',
  'canaries.not-found': 'NOT FOUND',
  'canaries.summary':
    '{found} of {sought} planted bugs found, each within {runs} runs from seed {seed}; {cpu} CPU ' +
    'seconds, shrinking included.',
  'canaries.median':
    'Faults in the shrunk schedules: median {median} (bar: {bar} at most), most {most}. Runs ' +
    'needed: median {runs}.',
  'canaries.tests': 'Shown by a test of their own, not by campaigns: {count}.',
};
