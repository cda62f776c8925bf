/** Metadata of the secondary rots while it runs, and comes to light at its next start. */
import type { ScenarioText } from '../scenario.ts';

const ROT = { kind: 'bit-rot', target: 'secondary', area: 'metadata' } as const;

export const metadataRot: ScenarioText = {
  name: 'metadata-rot',
  title: 'Metadata of the secondary rots, and its host is reset',
  about:
    'Five bits turn over, each in a page of the metadata. Pages that fail their checksum are ' +
    'never guessed round: what they may have named is copied again. A replica of which no ' +
    'superblock is left is refused, with a reason, until a person gives it another disk.',
  workload: { iops: 300 },
  faults: [
    ...Array.from({ length: 5 }, (_, i) => ({ ...ROT, at: `${5_000 + i * 500}ms` })),
    { at: '9s', kind: 'reboot', target: 'secondary', for: '2s' },
  ],
};
