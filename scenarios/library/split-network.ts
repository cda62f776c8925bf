/** The network between the hosts splits. */
import type { ScenarioText } from '../scenario.ts';

export const splitNetwork: ScenarioText = {
  name: 'split-network',
  title: 'The network between the hosts splits',
  about:
    'Both hosts still reach the witness, neither reaches the other. The primary’s mirror ' +
    'is gone, so it has the log leave the peer out and goes on alone; the peer never gets ' +
    'a majority for a take-over, because the witness keeps renewing the primary’s lease.',
  faults: [{ at: '6s', kind: 'cut', target: 'primary', peer: 'secondary', for: '12s' }],
};
