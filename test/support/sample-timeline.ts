/**
 * A timeline made by hand for tests of readers: two nodes `a` and `b` and the witness `w` boot and
 * form, `a` owns the group, its links are cut, the voters attest that its lease has run out, `b`
 * takes over, the links heal, `a` is resynced. With `violation` an oracle finds a lost write.
 * Causes and reads are complete, so that a walk from the take-over leads to the cut.
 */
import { encodeEvent, encodeHeader } from '../../engine/timeline/codec.ts';
import {
  TIMELINE_SCHEMA,
  type TimelineEvent,
  type TimelineHeader,
  type TimelineValue,
} from '../../engine/timeline/event.ts';

const A = 1;
const B = 2;
const W = 3;

/** Every ordered pair of nodes. */
const PAIRS = [
  [A, B],
  [A, W],
  [B, A],
  [B, W],
  [W, A],
  [W, B],
] as const;

/** How long a host has been silent when it is missed, in microseconds. */
const SILENT = 1_390_000;

/** A fault's parameters at their plainest. */
const PLAIN = {
  fault: 0,
  peer: 0,
  links: 'all',
  ways: 'both',
  cache: 'random',
  ppm: 0,
} as const;

export interface SampleOptions {
  /** An oracle reports that an acknowledged write is gone. */
  readonly violation?: boolean;
  /** This many heartbeats and writes fill the run, a hundred or a million. */
  readonly filler?: number;
}

export interface Sample {
  readonly header: TimelineHeader;
  readonly events: readonly TimelineEvent[];
  /** Ids of the events that tests ask for. */
  readonly cut: string;
  readonly takeover: string;
  readonly owned: string;
  readonly violated: string;
}

/** The sample as events. */
export function sampleTimeline(options: SampleOptions = {}): Sample {
  const story = new Story();
  const { d, c, world } = story;

  const boot = [A, B, W].map((node, index) =>
    c(100 + index * 40, node, 'core.start', { boot: 7000 + node, session: 1, blank: true }),
  );
  for (const node of [A, B]) {
    const attach = { disk: 'Consistent', generation: 0, epoch: 0, hot: false, rebooted: false };
    d(180 + node, node, 'mirror.attach', attach);
    d(181 + node, node, 'mirror.disk', { disk: 'Consistent' });
    c(182 + node, node, 'data.attached', { volume: 'r0', disk: 'Consistent', epoch: 0 });
  }
  for (const [node, peer] of PAIRS) links(story, 400, node, peer, 'up');
  const campaign = c(900, A, 'log.campaign', { term: 1 }, boot[0]);
  const leader = c(960, A, 'log.leader', { term: 1 }, campaign);
  for (const node of [B, W]) c(970 + node, node, 'log.following', { leader: A, term: 1 }, leader);
  const formed = c(1010, A, 'log.formed', { voters: 3 }, leader);
  for (const node of [A, B]) c(1100, node, 'lease.held', { until: 2_100_000 });
  const start = c(1200, A, 'group.start', { group: 'mail', to: A, epoch: 1 }, formed);
  const owned = everyNode(story, 1260, start, 'group.owner', owner(A, 1, 'starting'));
  record(story, 1300, owned, { epoch: 1, primary: A, members: '1,2', generation: 81_001 });
  for (const node of [A, B]) {
    const d1 = { epoch: 1, primary: A, generation: 81_001, members: '1 2' };
    const applied = d(1320 + node, node, 'mirror.record', d1, owned);
    d(1330, node, 'mirror.link', { state: 'up', link: 1 });
    d(1360, node, node === A ? 'mirror.link.sync' : 'mirror.link.follow', { link: 1, epoch: 1 });
    d(1370, node, 'mirror.disk', { disk: 'UpToDate' }, applied);
    d(1371, node, 'mirror.role', { role: node === A ? 'Primary' : 'Secondary', epoch: 1 }, applied);
  }
  const serving = d(1390, A, 'mirror.active', { epoch: 1, hot: 0 }, owned);
  const active = c(1400, A, 'data.active', { volume: 'r0', epoch: 1 }, serving);
  c(1410, A, 'application.start', { group: 'mail', epoch: 1, until: 2_400_000 }, active);
  const running = application(story, 1900, A, 1, 'running');
  const online = c(1910, A, 'group.online', { group: 'mail', owner: A, epoch: 1 }, running);
  everyNode(story, 1950, online, 'group.owner', owner(A, 1, 'online'));

  const cut = world(8000, A, 'fault.cut', { ...PLAIN, for: 12_000_000 });
  const missed = new Map<number, string>();
  for (const [node, peer] of PAIRS) {
    if (node === A || peer === A) missed.set(node, links(story, 9390, node, peer, 'down'));
  }
  for (const node of [A, B]) {
    d(8510 + node, node, 'mirror.link.drop', { reason: 'timeout', link: 1 });
  }
  const suspects = [B, W].map((node) =>
    c(9400 + node * 20, node, 'peer.suspect', { peer: A, silent: SILENT }, missed.get(node)),
  );
  c(9480, A, 'log.resigned', { term: 1, reason: 'no-quorum' });
  const lapsed = c(9600, A, 'lease.lapsed', { until: 9_500_000 });
  d(9605, A, 'mirror.role', { role: 'Suspended', epoch: 1 }, lapsed);
  c(9610, A, 'application.stop', { group: 'mail', epoch: 1, reason: 'lapsed' }, lapsed);
  application(story, 9900, A, 1, 'stopped');
  const campaign2 = c(9900, B, 'log.campaign', { term: 2 }, suspects[0]);
  const leader2 = c(9950, B, 'log.leader', { term: 2 }, campaign2);
  c(9960, W, 'log.following', { leader: B, term: 2 }, leader2);
  const attested = [B, W].map((node, index) =>
    c(11_700 + index * 30, node, 'lease.attested', { peer: A, lease: 1 }, suspects[index]),
  );
  const takeover = c(
    11_760,
    B,
    'group.takeover',
    { group: 'mail', from: A, to: B, proof: 'lease-expired', epoch: 2 },
    attested[1],
    [attested[0]!, attested[1]!, suspects[0]!],
  );
  const owned2 = everyNode(story, 11_800, takeover, 'group.owner', owner(B, 2, 'starting'), [B, W]);
  record(story, 11_805, owned2, { epoch: 2, primary: B, members: '2', generation: 92_002 }, [B, W]);
  const d2 = { epoch: 2, primary: B, generation: 92_002, members: '2' };
  const applied2 = d(11_820, B, 'mirror.record', d2, owned2);
  const serving2 = d(11_830, B, 'mirror.active', { epoch: 2, hot: 3 }, applied2);
  d(11_831, B, 'mirror.role', { role: 'Primary', epoch: 2 }, applied2);
  const active2 = c(11_850, B, 'data.active', { volume: 'r0', epoch: 2 }, serving2);
  c(11_860, B, 'application.start', { group: 'mail', epoch: 2, until: 12_800_000 }, active2);
  const running2 = application(story, 12_600, B, 2, 'running');
  const online2 = c(12_610, B, 'group.online', { group: 'mail', owner: B, epoch: 2 }, running2);
  everyNode(story, 12_640, online2, 'group.owner', owner(B, 2, 'online'), [B, W]);

  world(20_000, A, 'fault.over', { fault: 0, kind: 'cut' });
  for (const [node, peer] of PAIRS) {
    if (node === A || peer === A) links(story, 20_200, node, peer, 'up');
  }
  const followed = c(20_400, A, 'log.following', { leader: B, term: 2 });
  c(20_420, A, 'group.owner', owner(B, 2, 'online'), followed);
  c(20_440, A, 'lease.held', { until: 21_400_000 });
  const applied3 = d(20_450, A, 'mirror.record', d2, followed);
  d(20_500, A, 'mirror.disk', { disk: 'Outdated' }, applied3);
  d(20_501, A, 'mirror.role', { role: 'Secondary', epoch: 2 }, applied3);
  const verdict = { verdict: 'source', reason: 'descendant', epoch: 2 };
  const shaken = d(20_590, B, 'mirror.handshake', verdict);
  const copy = d(20_600, B, 'mirror.resync.start', { dirty: 1280, epoch: 2, target: A }, shaken);
  const target = d(20_610, A, 'mirror.target.start', { epoch: 2, generation: 81_001 }, copy);
  d(20_611, A, 'mirror.disk', { disk: 'Inconsistent' }, target);
  for (let part = 1; part < 5; part++) {
    const copied = part * 256;
    d(20_600 + part * 700, B, 'mirror.resync.progress', { copied, dirty: 1280 - copied }, copy);
  }
  const done = d(24_200, B, 'mirror.resync.end', { copied: 1280 }, copy);
  const whole = d(24_205, A, 'mirror.target.end', { generation: 92_002 }, done);
  d(24_206, A, 'mirror.disk', { disk: 'UpToDate' }, whole);
  const want = c(
    24_220,
    B,
    'data.want',
    { volume: 'r0', epoch: 2, members: '1,2', reason: 'resync-done' },
    done,
  );
  record(story, 24_300, want, { epoch: 3, primary: B, members: '1,2', generation: 92_002 });
  const violated = options.violation
    ? world(23_600, B, 'violation', {
        law: 'LAW-acknowledged',
        code: 'acknowledged.lost',
        volume: 'r0',
        sector: 81_920,
      })
    : '';
  story.fill(options.filler ?? 400);
  const events = story.inOrder();
  return { header: HEADER, events, cut, takeover, owned: owned2, violated };
}

/** The sample as the text of a file. */
export function sampleText(options: SampleOptions = {}): string {
  const { header, events } = sampleTimeline(options);
  return encodeHeader(header) + events.map(encodeEvent).join('');
}

const HEADER: TimelineHeader = {
  schema: TIMELINE_SCHEMA,
  build: '0.1.0',
  engineHash: 'dev',
  configHash: '5a3b1e',
  config: {
    name: 'mail-pair',
    nodes: [
      { id: A, name: 'a', witness: false },
      { id: B, name: 'b', witness: false },
      { id: W, name: 'w', witness: true },
    ],
    volumes: [
      {
        name: 'r0',
        uuid: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
        replicas: [{ node: A }, { node: B }],
      },
    ],
    groups: [{ name: 'mail', volume: 'r0', nodes: [A, B], application: { start: 'start' } }],
  },
  clockMap: [A, B, W].map((node) => ({ node, mono: 0, wall: 0 })),
  replay: { command: 'understudy rehearse --seed 24301', seed: 24301, schedule: [] },
};

type Parameters = { readonly [name: string]: TimelineValue };

function owner(node: number, epoch: number, phase: string): Parameters {
  return { group: 'mail', owner: node, epoch, phase };
}

function everyNode(
  story: Story,
  at: number,
  cause: string,
  kind: string,
  parameters: Parameters,
  nodes: readonly number[] = [A, B, W],
): string {
  const ids = nodes.map((node, index) => story.c(at + index * 4, node, kind, parameters, cause));
  return ids[0]!;
}

function record(
  story: Story,
  at: number,
  cause: string,
  parameters: Parameters,
  nodes: readonly number[] = [A, B, W],
): void {
  everyNode(story, at, cause, 'volume.record', { volume: 'r0', ...parameters }, nodes);
}

function application(story: Story, at: number, node: number, epoch: number, state: string): string {
  return story.c(at, node, 'application.state', { group: 'mail', epoch, state });
}

/** The last event that it tells. */
function links(story: Story, at: number, node: number, peer: number, state: 'up' | 'down'): string {
  const why = state === 'down' ? { reason: 'silence', silent: SILENT } : {};
  let last = '';
  for (const link of [0, 1]) {
    last = story.c(at + node * 7 + link, node, `link.${state}`, { peer, link, ...why });
  }
  return state === 'up' ? story.c(at + 10 + node * 7, node, 'peer.up', { peer }) : last;
}

/** Collects events. Ids rise with the telling; the file has the order of time. */
class Story {
  #told: TimelineEvent[] = [];

  /** An event of a node's control actor; `at` in milliseconds. */
  c = (
    at: number,
    node: number,
    kind: string,
    d: Parameters,
    cause?: string,
    reads?: readonly string[],
  ): string => this.#tell('c', at, node, kind, d, cause, reads);

  /** An event of a node's data actor for the volume r0. */
  d = (at: number, node: number, kind: string, d: Parameters, cause?: string): string =>
    this.#tell('r0.', at, node, kind, { volume: 'r0', ...d }, cause);

  /** What the simulated world does or finds; ids are those that its kernel gives. */
  world = (at: number, node: number, kind: string, d: Parameters): string =>
    this.#tell('world.', at, node, kind, d);

  /** Proposals of nothing new, spread evenly over the run without chance: bulk for the drawing. */
  fill(count: number): void {
    for (let index = 0; index < count; index++) {
      const node = (index % 2) + 1;
      const at = 1500 + (index * 26_000) / count;
      this.d(at, node, 'mirror.resync.progress', { copied: index, dirty: 0 });
    }
  }

  /** All events by time. */
  inOrder(): TimelineEvent[] {
    return [...this.#told].sort((one, other) => one.t - other.t);
  }

  #tell(
    actor: string,
    at: number,
    node: number,
    kind: string,
    d: Parameters,
    cause?: string,
    reads?: readonly string[],
  ): string {
    const session = actor === 'world.' ? '' : '1.';
    const id = `${node}.${session}${actor}${this.#told.length + 1}`;
    this.#told.push({
      id,
      t: Math.round(at * 1000),
      node,
      kind,
      d,
      ...(cause === undefined ? {} : { cause }),
      ...(reads === undefined ? {} : { reads }),
    });
    return id;
  }
}
