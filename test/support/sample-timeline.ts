/**
 * A timeline made by hand for tests of readers: two nodes `a` and `b` and the witness `w` boot and
 * form, `a` owns the group, its links are cut, the voters attest that its lease has run out, `b`
 * takes over, the links heal, `a` is resynced. With `violation` an oracle finds a lost write.
 * Causes and reads are complete, so that a walk from the take-over leads to the cut.
 */
import { encodeEvent, encodeHeader } from '../../engine/timeline/codec.ts';
import type { TimelineEvent, TimelineHeader, TimelineValue } from '../../engine/timeline/event.ts';

const A = 1;
const B = 2;
const W = 3;
const WORLD = 0;

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
    d(180 + node, node, 'data.attached', { volume: 'r0', disk: 'Consistent', epoch: 0 });
  }
  for (const [node, peer] of [
    [A, B],
    [B, A],
    [A, W],
    [W, A],
    [B, W],
    [W, B],
  ] as const) {
    for (const link of [0, 1]) c(400 + node * 7 + link, node, 'link.up', { peer, link });
    c(410 + node * 7, node, 'peer.up', { peer });
  }
  const campaign = c(900, A, 'log.campaign', { term: 1 }, boot[0]);
  const leader = c(960, A, 'log.leader', { term: 1 }, campaign);
  for (const node of [B, W]) c(970 + node, node, 'log.following', { leader: A, term: 1 }, leader);
  const formed = c(1010, A, 'log.formed', { voters: '1,2,3' }, leader);
  for (const node of [A, B]) c(1100, node, 'lease.held', { until: 2_100_000 }, leader);
  const start = c(1200, A, 'group.start', { group: 'mail', to: A, epoch: 1 }, formed);
  const owned = everyNode(story, 1260, start, 'group.owner', owner(A, 1, 'starting'));
  record(story, 1300, owned, { epoch: 1, primary: A, members: '1,2', generation: 81_001 });
  const primary = state(story, 1330, A, 'UpToDate', 'Primary', 'Connecting', 0, owned);
  state(story, 1335, B, 'UpToDate', 'Secondary', 'Connecting', 0, owned);
  state(story, 1380, A, 'UpToDate', 'Primary', 'Connected', 0, primary);
  state(story, 1385, B, 'UpToDate', 'Secondary', 'Connected', 0, primary);
  const active = c(1400, A, 'data.active', { volume: 'r0', epoch: 1 }, primary);
  c(1410, A, 'application.start', { group: 'mail', epoch: 1, until: 2_400_000 }, active);
  const running = application(story, 1900, A, 1, 'running');
  const online = c(1910, A, 'group.online', { group: 'mail', owner: A, epoch: 1 }, running);
  everyNode(story, 1950, online, 'group.owner', owner(A, 1, 'online'));

  const cut = world(8000, 'fault.cut', { from: A, to: B });
  for (const [node, peer] of [
    [A, B],
    [A, W],
    [B, A],
    [W, A],
  ] as const) {
    for (const link of [0, 1]) {
      c(8400 + node * 11 + link * 3, node, 'link.down', { peer, link }, cut);
    }
  }
  state(story, 8520, A, 'UpToDate', 'Primary', 'Connecting', 0, cut);
  state(story, 8530, B, 'UpToDate', 'Secondary', 'Connecting', 0, cut);
  const suspects = [B, W].map((node) =>
    c(9400 + node * 20, node, 'peer.suspect', { peer: A }, cut),
  );
  const resigned = c(9480, A, 'log.resigned', { term: 1, reason: 'no-quorum' }, cut);
  const lapsed = c(9600, A, 'lease.lapsed', { until: 9_500_000 }, resigned);
  state(story, 9605, A, 'UpToDate', 'Suspended', 'Connecting', 41, lapsed);
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
  const primary2 = state(story, 11_830, B, 'UpToDate', 'Primary', 'Connecting', 0, owned2);
  const active2 = c(11_850, B, 'data.active', { volume: 'r0', epoch: 2 }, primary2);
  c(11_860, B, 'application.start', { group: 'mail', epoch: 2, until: 12_800_000 }, active2);
  const running2 = application(story, 12_600, B, 2, 'running');
  const online2 = c(12_610, B, 'group.online', { group: 'mail', owner: B, epoch: 2 }, running2);
  everyNode(story, 12_640, online2, 'group.owner', owner(B, 2, 'online'), [B, W]);

  const healed = world(20_000, 'fault.heal', { from: A, to: B });
  for (const [node, peer] of [
    [A, B],
    [A, W],
    [B, A],
    [W, A],
  ] as const) {
    for (const link of [0, 1]) c(20_200 + node * 9 + link, node, 'link.up', { peer, link }, healed);
    c(20_240 + node * 9, node, 'peer.up', { peer }, healed);
  }
  const followed = c(20_400, A, 'log.following', { leader: B, term: 2 }, healed);
  c(20_420, A, 'group.owner', owner(B, 2, 'online'), followed);
  state(story, 20_500, A, 'Outdated', 'Secondary', 'Connecting', 41, followed);
  state(story, 20_600, A, 'Inconsistent', 'Secondary', 'SyncTarget', 1280, followed);
  state(story, 20_600, B, 'UpToDate', 'Primary', 'SyncSource', 1280, followed);
  const done = state(story, 24_200, A, 'UpToDate', 'Secondary', 'Connected', 0, followed);
  state(story, 24_210, B, 'UpToDate', 'Primary', 'Connected', 0, done);
  const want = c(
    24_220,
    B,
    'data.want',
    { volume: 'r0', epoch: 2, members: '1,2', reason: 'resync-done' },
    done,
  );
  record(story, 24_300, want, { epoch: 3, primary: B, members: '1,2', generation: 92_002 });
  const violated = options.violation
    ? world(23_600, 'law.broken', { law: 'LAW-acknowledged', detail: 'block 81920' })
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
  schema: 1,
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
    groups: [{ name: 'mail', volume: 'r0', nodes: [A, B] }],
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

function state(
  story: Story,
  at: number,
  node: number,
  disk: string,
  role: string,
  link: string,
  dirty: number,
  cause: string,
): string {
  return story.d(at, node, 'mirror.state', { volume: 'r0', disk, role, link, dirty }, cause);
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

  /** An event of a node's data actor. */
  d = (at: number, node: number, kind: string, d: Parameters, cause?: string): string =>
    this.#tell('d', at, node, kind, d, cause);

  /** What happens to the machines from outside. */
  world = (at: number, kind: string, d: Parameters): string => this.#tell('w', at, WORLD, kind, d);

  /** Renewals of leases, spread evenly over the run without chance. */
  fill(count: number): void {
    for (let index = 0; index < count; index++) {
      const node = (index % 2) + 1;
      const at = 1500 + (index * 26_000) / count;
      // While it is cut off, the first node renews nothing.
      if (node === A && at > 8000 && at < 20_000) continue;
      this.#tell('c', at, node, 'lease.held', { until: Math.round(at * 1000) + 1_000_000 });
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
    const id = `${node}.1.${actor}${this.#told.length + 1}`;
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
