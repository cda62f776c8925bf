/**
 * What arrives as JSON from a network becomes a `ControlMessage` here, or nothing. Every field is
 * checked and every list and text is bounded; unknown fields of a known message are kept, so that
 * a newer version may add some.
 */
import { SPLIT_POLICIES } from '../core/config.ts';
import { VOIDED_MAX } from '../data/messages.ts';
import { CHANGES_MAX } from './changes.ts';
import type { ConfigureCommand } from './interface.ts';
import type { ControlMessage } from './messages.ts';
import { COMMANDS_MAX } from './state.ts';

type Check = (value: unknown) => boolean;

const TEXT_MAX = 256;
const LIST_MAX = 1024;
/** Of a path in a file system. */
const PLACE_MAX = 4096;

const integer: Check = (v) => typeof v === 'number' && Number.isSafeInteger(v) && v >= -1;
const text: Check = (v) => typeof v === 'string' && v.length <= TEXT_MAX;
const place: Check = (v) => typeof v === 'string' && v.length <= PLACE_MAX;
const flag: Check = (v) => typeof v === 'boolean';

function list(of: Check, max: number = LIST_MAX): Check {
  return (v) => Array.isArray(v) && v.length <= max && v.every(of);
}

function shape(fields: { readonly [name: string]: Check }): Check {
  const checks = Object.entries(fields);
  return (v) => {
    if (typeof v !== 'object' || v === null || Array.isArray(v)) return false;
    const record = v as { readonly [name: string]: unknown };
    return checks.every(([name, check]) => Object.hasOwn(record, name) && check(record[name]));
  };
}

function orNull(check: Check): Check {
  return (v) => v === null || check(v);
}

function orAbsent(check: Check): Check {
  return (v) => v === undefined || check(v);
}

function oneOf(...values: readonly string[]): Check {
  return (v) => typeof v === 'string' && values.includes(v);
}

/** A union by `kind`. */
function kinds(table: { readonly [kind: string]: Check }): Check {
  return (v) => {
    if (typeof v !== 'object' || v === null) return false;
    const kind = (v as { readonly kind?: unknown }).kind;
    if (typeof kind !== 'string' || !Object.hasOwn(table, kind)) return false;
    return table[kind]?.(v) ?? false;
  };
}

const plainMember = shape({ node: integer, boot: integer });
const member: Check = (v) =>
  plainMember(v) && orAbsent(integer)((v as { readonly disk?: unknown }).disk);
const plainDiscard = shape({
  node: integer,
  generation: integer,
  keeps: integer,
  order: integer,
  by: oneOf('operator', 'accept-loss', ...SPLIT_POLICIES),
  atMost: integer,
  confirmed: flag,
});
const discarding: Check = (v) =>
  plainDiscard(v) && orAbsent(integer)((v as { readonly taker?: unknown }).taker);
const plainRecord = shape({
  volume: text,
  epoch: integer,
  primary: integer,
  members: list(member, 64),
  generation: integer,
});
const record: Check = (v) => {
  if (!plainRecord(v)) return false;
  const { voided = [], discard, takenBack } = v as { readonly [field: string]: unknown };
  const orders = orAbsent(discarding)(discard) && orAbsent(discarding)(takenBack);
  return list(integer, VOIDED_MAX)(voided) && orders;
};
const blocked = shape({ reason: text, remedy: text });
const group = shape({
  group: text,
  serial: integer,
  epoch: integer,
  owner: integer,
  ownerBoot: integer,
  ownerLife: integer,
  recordEpoch: integer,
  base: list(member, 64),
  phase: oneOf('offline', 'starting', 'online', 'stopping', 'stopped'),
  wanted: oneOf('run', 'stop'),
  target: integer,
  last: integer,
  failed: list(integer, 64),
  blocked: orNull(blocked),
});
const ref = shape({ node: integer, life: integer, id: integer });
const voter = shape({ node: integer, identity: integer, past: list(integer, 64) });
const proof = kinds({
  none: shape({}),
  self: shape({ node: integer }),
  stopped: shape({ node: integer, epoch: integer }),
  idle: shape({ node: integer, life: integer }),
  rebooted: shape({ node: integer, boot: integer }),
  'lease-expired': shape({
    node: integer,
    lease: integer,
    voters: list(shape({ node: integer, identity: integer }), 64),
  }),
  assumed: shape({ node: integer }),
});
const genesis = shape({
  event: text,
  proposer: integer,
  ballot: integer,
  voters: list(voter, 64),
  volumes: list(record),
  boots: list(plainMember, 64),
});
const configEntry: Check = (v) =>
  shape({ event: text, from: integer, change, command: orNull(ref) })(v);
const plainVolume = shape({ event: text, from: integer, record, reason: text });
const entry = kinds({
  noop: shape({ event: text }),
  genesis,
  readmit: shape({ event: text, node: integer, was: integer, identity: integer }),
  volume: (v) => {
    const { command, changed, inUse } = v as { readonly [field: string]: unknown };
    const counts = orAbsent(integer)(changed) && orAbsent(integer)(inUse);
    return plainVolume(v) && orAbsent(ref)(command) && counts;
  },
  group: shape({
    event: text,
    from: integer,
    next: group,
    record: orNull(record),
    recordFrom: integer,
    proof,
    command: orNull(ref),
  }),
  settle: shape({ event: text, node: integer, lease: integer }),
  boot: shape({ event: text, node: integer, was: integer, boot: integer }),
  config: (v) => configEntry(v),
  'config-step': shape({
    event: text,
    of: integer,
    to: oneOf('begun', 'done', 'withdrawn'),
    record: integer,
    command: orNull(ref),
  }),
});
const replica: Check = (v) => {
  const plain = shape({ node: integer, path: place, meta: place });
  if (!plain(v)) return false;
  const { sideBytes, side, mode, spill } = v as { readonly [field: string]: unknown };
  const kinds = orAbsent(oneOf('sync', 'async'));
  const places = orAbsent(place)(side) && orAbsent(place)(spill);
  return orAbsent(integer)(sideBytes) && places && kinds(mode);
};
const change = kinds({
  'add-replica': shape({ volume: text, replica, listen: list(place, 16), place: integer }),
  'remove-replica': shape({ volume: text, node: integer }),
  'grow-volume': shape({ volume: text, servedBytes: integer }),
  'replace-replica': shape({ volume: text, node: integer, path: place, meta: place }),
});
const plainAgreed = shape({
  version: integer,
  changes: list(shape({ version: integer, change }), CHANGES_MAX),
});
const agreed: Check = (v) => {
  const { stage, unproved } = v as { readonly [field: string]: unknown };
  const known = orAbsent(list(integer, CHANGES_MAX))(unproved);
  return plainAgreed(v) && known && orAbsent(oneOf('ordered', 'begun'))(stage);
};
const begun = shape({
  volume: text,
  generation: integer,
  epoch: integer,
  active: flag,
  after: integer,
  changed: integer,
});
const plainState = shape({
  voters: list(voter, 64),
  volumes: list(record),
  groups: list(group),
  leases: list(shape({ node: integer, epoch: integer }), 64),
  boots: list(shape({ node: integer, boot: integer, past: list(integer, 64) }), 64),
  commands: list(ref, COMMANDS_MAX),
});
const state: Check = (v) => {
  const { begun: began, agreed: known } = v as { readonly [field: string]: unknown };
  return plainState(v) && orAbsent(list(begun))(began) && orAbsent(agreed)(known);
};
const plainWant = shape({
  epoch: integer,
  members: list(member, 64),
  reason: oneOf('peer-lost', 'peer-failed', 'resync-done', 'settle', 'disk-failed'),
  cause: text,
});
const want: Check = (v) =>
  plainWant(v) && orAbsent(integer)((v as { readonly changed?: unknown }).changed);
const plainBranch = shape({
  verdict: oneOf('split-brain', 'unrelated'),
  generation: integer,
  parents: list(integer, 64),
  peer: integer,
  shared: integer,
  epoch: integer,
  dirty: integer,
  padded: integer,
  settled: flag,
});
const branch: Check = (v) =>
  plainBranch(v) && orAbsent(text)((v as { readonly event?: unknown }).event);
const finding = shape({
  block: integer,
  blocks: integer,
  what: oneOf('differs', 'unreadable', 'dirty'),
  right: integer,
  why: oneOf('no-checksums', 'checksum', 'medium-error', 'both-lost', 'dirty', 'other-dirty'),
  repaired: integer,
  copies: list(shape({ node: integer, holds: text }), 8),
});
const plainNote = shape({
  serial: integer,
  id: integer,
  level: oneOf('direct', 'digest', 'quick'),
  repair: flag,
  bytesPerSecond: integer,
  state: oneOf('open', 'stopped', 'done'),
  cursor: integer,
  checked: integer,
  differing: integer,
  repaired: integer,
  unreadable: integer,
  findings: list(finding, 64),
});
const note: Check = (v) =>
  plainNote(v) && orAbsent(integer)((v as { readonly rested?: unknown }).rested);
const keptNote = shape({ generation: integer, holds: flag });
const plainFacts = shape({
  volume: text,
  attached: flag,
  disk: oneOf('Diskless', 'Failed', 'Inconsistent', 'Outdated', 'Consistent', 'UpToDate'),
  generation: integer,
  epoch: integer,
  want: orNull(want),
  doubted: flag,
});
const volumeFacts: Check = (v) => {
  if (!plainFacts(v)) return false;
  const facts = v as { readonly [field: string]: unknown };
  const { keeps, branch: apart, verify, lacking, proxies, active, device, keptBranch } = facts;
  if (![keeps, lacking, proxies].every(orAbsent(flag))) return false;
  if (!orAbsent(integer)(active) || !orAbsent(integer)(device)) return false;
  return orAbsent(branch)(apart) && orAbsent(note)(verify) && orAbsent(keptNote)(keptBranch);
};
const groupFacts = shape({
  group: text,
  running: integer,
  active: integer,
  stopped: integer,
  failed: integer,
  stable: integer,
  stopFailed: flag,
  clean: flag,
  readopt: integer,
  event: text,
});
const configure = shape({ from: integer, change });
const command = kinds({
  switch: shape({ group: text, to: integer }),
  'stop-group': shape({ group: text }),
  'start-group': shape({ group: text }),
  resolve: shape({
    volume: text,
    keep: integer,
    keeps: integer,
    discards: integer,
    epoch: integer,
    atMost: integer,
    adopt: flag,
  }),
  'take-back': shape({ volume: text, order: integer }),
  'take-over': shape({ volume: text, to: integer, epoch: integer }),
  configure,
});

const plainNodeFacts = shape({
  version: integer,
  identity: integer,
  formed: flag,
  attested: list(shape({ node: integer, lease: integer, event: text }), 64),
  volumes: list(volumeFacts),
  groups: list(groupFacts),
});
const base = shape({ boot: integer, life: integer, event: text });

const snapshot = shape({ term: integer, index: integer, indexTerm: integer, state });
const direct: { readonly [kind: string]: Check } = {
  heartbeat: shape({
    identity: integer,
    sent: integer,
    yours: integer,
    heard: integer,
    term: integer,
    leader: integer,
    commit: integer,
    matched: integer,
    facts: integer,
    factsHeard: integer,
    lease: integer,
    hears: list(integer, 64),
  }),
  vote: shape({ term: integer, pre: flag, last: integer, lastTerm: integer }),
  'vote-ack': shape({ term: integer, pre: flag, granted: flag, identity: integer }),
  append: shape({
    term: integer,
    previous: integer,
    previousTerm: integer,
    entries: list(shape({ term: integer, entry }), 64),
    commit: integer,
  }),
  'append-ack': shape({
    term: integer,
    ok: flag,
    previous: integer,
    matched: integer,
    identity: integer,
  }),
  snapshot,
  'agreed-snapshot': snapshot,
  'lease-ack': shape({ of: integer, sent: integer, identity: integer }),
  'attest-request': shape({ node: integer, lease: integer }),
  attest: shape({ node: integer, lease: integer, identity: integer }),
  facts: (v) => {
    const { config, ready } = v as { readonly [field: string]: unknown };
    return plainNodeFacts(v) && orAbsent(integer)(config) && orAbsent(integer)(ready);
  },
  'genesis-offer': shape({ entry: genesis }),
  'genesis-accept': shape({ proposer: integer, ballot: integer, identity: integer }),
  'genesis-commit': shape({ proposer: integer, ballot: integer }),
  command: shape({ ref, command }),
  'command-refused': shape({ ref, reason: text, remedy: text }),
};

const checkDirect: Check = (v) => base(v) && kinds(direct)(v);
const checkAny: Check = (v) =>
  checkDirect(v) ||
  (base(v) && kinds({ relay: shape({ from: integer, to: integer, inner: checkDirect }) })(v));

/** A person's command to change the configuration, or null when it is none. */
export function parseConfigure(value: unknown): ConfigureCommand | null {
  return kinds({ configure: configure })(value) ? (value as ConfigureCommand) : null;
}

/** The message, or null when it is none of ours. */
export function parseControlMessage(value: unknown): ControlMessage | null {
  return checkAny(value) ? (value as ControlMessage) : null;
}
