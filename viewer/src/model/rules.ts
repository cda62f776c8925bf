/** What each kind of event says beyond its parameters, one line a kind. */
import type { Statement } from './fold.ts';
import { servers, withoutServer, withServer } from './servers.ts';

export const RULES: { readonly [kind: string]: (says: Statement) => void } = {
  'core.start'(says) {
    says.node('state', 'up');
    says.node('rank', 'follower');
    if (!says.isWitness) says.node('lease', 'none');
    // Applications outlive a core, but not their host.
    const before = says.now('boot', says.event.node, '');
    if (before !== '' && before !== says.number('boot')) stopsAll(says);
    says.node('boot', says.number('boot'));
    judge(says);
  },
  'log.campaign': (says) => says.node('rank', 'candidate'),
  'log.leader': (says) => says.node('rank', 'leader'),
  'log.resigned': (says) => says.node('rank', 'follower'),
  'log.following': (says) => says.node('rank', 'follower'),
  'lease.held'(says) {
    says.node('lease', 'held');
    judge(says);
  },
  'lease.lapsed'(says) {
    says.node('lease', 'lapsed');
    judge(says);
  },
  'peer.suspect'(says) {
    const peer = says.number('peer');
    if (!says.simulated && says.now('state', peer, '') === 'up') says.node('state', 'silent', peer);
  },
  'group.takeover'(says) {
    // A dead host writes no end of its lease: the voters' proof stands for it.
    if (says.simulated || says.text('proof') !== 'lease-expired') return;
    const from = says.number('from');
    if (says.now('state', from, '') === 'silent') {
      leavesLog(says, from);
      forgetsReplicas(says, from);
    }
    says.node('lease', 'lapsed', from);
    judge(says, from);
  },
  'group.owner': ownerStands,
  'application.state'(says) {
    says.application(says.text('state'), says.text('group'));
    judge(says);
  },
  'volume.record': recordStands,

  'mirror.attach': recordStands,
  'mirror.role': (says) => says.volume('epoch', says.number('epoch')),
  'mirror.record': recordStands,
  'mirror.link': (says) => says.volume('link', 'Connecting'),
  'mirror.link.drop': (says) => says.volume('link', 'Connecting'),
  'mirror.link.sync': connected,
  'mirror.link.follow': connected,
  'mirror.link.refused': (says) => says.volume('link', 'Refused'),
  'mirror.resync.start': (says) => copies(says, 'SyncSource'),
  'mirror.resync.progress': (says) => says.volume('dirty', says.number('dirty')),
  'mirror.resync.interrupted': (says) => says.volume('dirty', says.number('dirty')),
  'mirror.resync.end': connected,
  'mirror.target.start': (says) => says.volume('link', 'SyncTarget'),
  'mirror.target.end'(says) {
    says.volume('link', 'Connected');
    says.volume('generation', says.number('generation'));
  },

  'world.core-started': (says) => says.node('state', 'up'),
  'world.core-died'(says) {
    if (says.now('state', says.event.node, '') !== 'off') says.node('state', 'stopped');
    leavesLog(says);
    forgetsReplicas(says);
  },
  'host.core-ended': coreEnds,
  'host.core-lost': coreEnds,
  'host.stopped': coreEnds,
  'world.power-lost'(says) {
    says.node('state', 'off');
    leavesLog(says);
    stopsAll(says);
    forgetsReplicas(says);
    judge(says);
  },
  'world.application-starting': (says) => worldApplication(says, 'starting'),
  'world.application-running': (says) => worldApplication(says, 'running'),
  'world.application-stopping': (says) => worldApplication(says, 'stopping'),
  'world.application-stopped': (says) => worldApplication(says, 'stopped'),
  'fault.pause-core': pauses,
  'fault.freeze': pauses,
  'fault.over'(says) {
    if (says.now('state', says.event.node, '') === 'paused') says.node('state', 'up');
  },
};

/** Every node that applies the entry says it; the first one counts, and a late one never. */
function ownerStands(says: Statement): void {
  const group = says.text('group');
  const epoch = says.number('epoch');
  const known = says.now('ownerEpoch', 0, group);
  if (typeof known === 'number' && epoch < known) return;
  const owner = says.number('owner');
  const phase = says.text('phase');
  says.group('ownerEpoch', epoch, group);
  says.group('owner', owner, group);
  says.group('service', phase, group);
  const bare = says.groups.some(({ name, application }) => name === group && !application);
  if (bare && owner === says.event.node) {
    says.application(phase === 'online' ? 'running' : 'stopped', group);
  }
  if (bare && !says.simulated) {
    // A group without an application serves where its volume is primary: at its owner alone.
    for (const node of servers(says.now('serving', 0, group))) {
      if (node === owner) continue;
      says.application('stopped', group, node);
      judge(says, node);
    }
  }
  judge(says);
}

/** Who serves follows from what runs where, under which lease, on a host that lives. */
function judge(says: Statement, node: number = says.event.node): void {
  const able = says.now('lease', node, '') !== 'lapsed' && says.now('state', node, '') !== 'off';
  for (const { name } of says.groups) {
    const now = says.now('serving', 0, name);
    const runs = able && says.now('application', node, name) === 'running';
    // Nobody serves before the group is known to belong to somebody.
    if (!runs && now === '' && says.now('owner', 0, name) === '') continue;
    says.group('serving', runs ? withServer(now, node) : withoutServer(now, node), name);
  }
}

/** Applications are children of the monitor: they outlive the core, and its lease does not. */
function coreEnds(says: Statement): void {
  says.node('state', 'stopped');
  leavesLog(says);
  forgetsReplicas(says);
}

function stopsAll(says: Statement): void {
  for (const { name } of says.groups) {
    if (says.now('application', says.event.node, name) !== '') says.application('stopped', name);
  }
}

function leavesLog(says: Statement, node: number = says.event.node): void {
  says.node('rank', '', node);
  if (!says.isWitness) says.node('lease', 'none', node);
}

/** Nobody runs who could say what state a replica is in. */
function forgetsReplicas(says: Statement, node: number = says.event.node): void {
  for (const attribute of ['role', 'disk', 'link'] as const) {
    says.volume(attribute, '', node, '*');
  }
}

/** The world names a group by its place in the configuration. */
function worldApplication(says: Statement, state: string): void {
  const group = says.groups[says.number('group')];
  if (group === undefined) return;
  says.application(state, group.name);
  judge(says);
}

function pauses(says: Statement): void {
  if (says.event.node !== 0) says.node('state', 'paused');
}

function recordStands(says: Statement): void {
  says.volume('epoch', says.number('epoch'));
  says.volume('generation', says.number('generation'));
}

function connected(says: Statement): void {
  says.volume('link', 'Connected');
  says.volume('dirty', 0);
}

function copies(says: Statement, link: string): void {
  says.volume('link', link);
  says.volume('dirty', says.number('dirty'));
}
