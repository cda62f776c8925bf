/** What each kind of event says beyond its parameters, one line a kind. */
import type { Statement } from './fold.ts';

export const RULES: { readonly [kind: string]: (says: Statement) => void } = {
  'core.start'(says) {
    says.node('state', 'up');
    says.node('rank', 'follower');
    says.node('lease', '');
  },
  'log.campaign': (says) => says.node('rank', 'candidate'),
  'log.leader': (says) => says.node('rank', 'leader'),
  'log.resigned': (says) => says.node('rank', 'follower'),
  'log.following': (says) => says.node('rank', 'follower'),
  'lease.held': (says) => says.node('lease', says.number('until')),
  'lease.lapsed': (says) => says.node('lease', 'lapsed'),
  'group.owner': ownerStands,
  'volume.record'(says) {
    says.volume('epoch', says.number('epoch'));
    says.volume('generation', says.number('generation'));
  },
};

/** Every node that applies the entry says it; the first one counts, and a late one never. */
function ownerStands(says: Statement): void {
  const group = says.text('group');
  const epoch = says.number('epoch');
  const known = says.now('ownerEpoch', 0, group);
  if (typeof known === 'number' && epoch < known) return;
  says.group('ownerEpoch', epoch, group);
  says.group('owner', says.number('owner'), group);
  says.group('service', says.text('phase'), group);
}
