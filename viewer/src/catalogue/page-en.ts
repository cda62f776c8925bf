/** The page's newer prose in English: journals, outages, the legend: `page.CODE`. */
export const pageEn: { readonly [code: string]: string } = {
  'page.why-outage': 'Why was it down?',
  'page.after': '{span} after',
  'page.peer-then': 'What the journal of {node:node} says',
  'page.peer-silent': 'After its last word it wrote nothing for {span}.',
  'page.peer-end': 'Its journal ends there.',
  'page.peer-none': 'No journal of {node:node} is open here.',
  'page.journals': 'Journals: {n}',
  'page.journals-missing': 'missing: {n}',
  'page.journal-missing': 'journal of {node:node} is missing',
  'page.journal-events': '{n:count} events',
  'page.journal-damaged': '· lines left out: {n}',
  'page.merge-order':
    'Order: causes first, then clocks. Events that no cause connects may have happened in ' +
    'another order.',
  'page.clocks-kept': 'Times are the hosts’ own clocks: no cause contradicts them.',
  'page.clock-moved':
    'Estimated: the clock of {node:node} is moved by {shift}; causes allow {least} to {most}.',
  'page.clock-drifted':
    'The clock of {node:node} drifted while it wrote: its times against others are rough.',
  'page.merge-renamed': 'Different events with one id: {n}; the later ones got a new id.',
  'page.merge-disordered': 'Events before their own cause: {n}; a journal is damaged.',
  'page.colours': 'Colours',
  'page.colour-primary': 'Primary, leader, who serves',
  'page.colour-ok': 'Up to date, connected, held',
  'page.colour-secondary': 'Secondary, follower, up',
  'page.colour-resync': 'Outdated, or being resynced',
  'page.colour-unknown': 'Waiting, suspended or silent',
  'page.colour-bad': 'Down, failed, nobody serves',
  'page.colour-fence': 'Fenced',
};
