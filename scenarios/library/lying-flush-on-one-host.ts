/** The primary’s disk answers flushes that it does not carry out, and its host loses power. */
import type { ScenarioText } from '../scenario.ts';

export const lyingFlushOnOneHost: ScenarioText = {
  name: 'lying-flush-on-one-host',
  title: 'The primary’s disk lies about flushes, and its host loses power',
  about:
    'Everything that the disk promised is gone with its cache. The other host has it all and ' +
    'takes over: no flushed write is lost. But its map says that both are equal, so the liar ' +
    'is not filled again, and when the service is switched back reads return old data. Only a ' +
    'checksum of every block could have told.',
  workload: { iops: 300, flushes: 6, hot: 20 },
  faults: [
    { at: '4s', kind: 'lying-flush', target: 'primary', for: '7s' },
    { at: '10s', kind: 'power-off', target: 'primary', cache: 'none', for: '4s' },
    { at: '24s', kind: 'switch', target: 'secondary' },
  ],
};
