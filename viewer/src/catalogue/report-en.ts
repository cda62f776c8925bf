/** The rehearsal report in English. */
export const reportEn: { readonly [code: string]: string } = {
  'report.column-fault': 'fault',
  'report.column-runs': 'runs',
  'report.column-outage': 'longest outage',
  'report.column-at-risk': 'data on one copy only',
  'report.column-took-over': 'took over',
  'report.column-laws': 'laws',
  'report.row-held': 'held',
  'report.row-broken': 'BROKEN in {runs} runs',
  'report.row-detected': 'held; outside the promise in {runs} runs',
  'report.unflushed': '(unflushed writes may be gone)',
  'report.summary':
    '{runs} runs, {hours} simulated hours, {ios} I/Os, {crashes} crashes ({inFlight} with I/O in ' +
    'flight), {takeOvers} take-overs, {resyncs} resyncs.',
  'report.held': 'All laws held in every run.',
  'report.broken': 'BROKEN: {law} ({meaning}).',
  'report.violation': '{law}, seed {seed}: {schedule}.',
  'report.replay': 'Replay: {command}',
  'report.more-violations': '… and {more} more.',
  'report.detected':
    'In {runs} runs a fault lay outside what the configuration promises to withstand; it was ' +
    'detected, as the table of laws demands.',
  'report.not-exercised':
    'Not exercised: faults {faults}; rare branches {marks}. What no run met is not tested.',
  'report.not-exercised-due': 'A swarm of {runs} runs or more has to exercise everything.',
  'report.hash': 'Trace hash of all runs: {hash}',
};
