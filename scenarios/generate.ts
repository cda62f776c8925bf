/**
 * Random schedules as data. fast-check draws and shrinks a list of genes, each a few small numbers;
 * {@link schedule} reads them as faults. A swarm: each schedule allows only a few kinds of faults,
 * so that rare combinations are not drowned by frequent ones, and faults come in clusters, because
 * the interesting fault strikes inside the recovery from another one.
 */
import fc from 'fast-check';
import { type Fault, type FaultKind, INSTANT, PLAIN_FAULT } from '../backends/sim/fault.ts';
import { SAYINGS } from '../backends/sim/operators.ts';
import type { ClusterConfig } from '../engine/core/config.ts';
import { AIMED, AREA, CRASHING, DISK, NETWORK, PARTED } from './scenario.ts';

/** One fault before its numbers mean anything. */
interface Gene {
  readonly kind: number;
  readonly cluster: number;
  readonly offset: number;
  readonly length: number;
  readonly target: number;
  readonly peer: number;
  readonly links: number;
  readonly ways: number;
  readonly cache: number;
  readonly size: number;
  readonly when: number;
}

interface Genome {
  readonly families: number;
  /** Which family is asked first. */
  readonly first: number;
  readonly genes: readonly Gene[];
  /** Which ill of disks is allowed beside the families, in few schedules. */
  readonly ill: number;
}

/** The kinds of faults that a swarm switches on and off together, with their weights. */
const FAMILIES: readonly (readonly FaultKind[])[] = [
  ['cut', 'cut', 'cut'],
  ['clog', 'cut'],
  ['loss', 'cut'],
  ['power-off', 'reboot', 'power-off'],
  ['power-off-hosts', 'power-off-all', 'power-off'],
  ['kill-core', 'kill-monitor', 'kill-core'],
  ['pause-core'],
  ['freeze'],
  ['clock-rate'],
  ['wipe'],
  ['switch', 'quiesce', 'switch', 'switch'],
];

/**
 * Ills of disks, each with what brings them to light: what a disk lied about comes out at a loss of
 * power, and metadata is read only at a start. One schedule in {@link ILL_ONE_IN} has one of them,
 * so that the swarm finds everything else as soon as before.
 */
const ILLS: readonly (readonly FaultKind[])[] = [
  // Twice: the two copies of a block make more cases than one disk by itself.
  ['read-error', 'read-error', 'read-error', 'cut'],
  ['read-error', 'read-error', 'verify', 'verify', 'cut'],
  ['lying-flush', 'lying-flush', 'power-off', 'power-off-hosts'],
  ['lost-write', 'lost-write', 'verify', 'reboot'],
  ['misdirected-write', 'misdirected-write', 'verify', 'kill-core'],
  ['stale-read', 'stale-read', 'switch'],
  // A core that starts again must remember what its predecessor heard, also while the other host,
  // which has everything, is silent.
  ['write-error', 'write-error', 'cut', 'cut', 'kill-core', 'kill-core'],
  // What hangs when its core dies may fail when nobody hears of it.
  ['disk-stall', 'disk-stall', 'write-error', 'kill-core', 'cut'],
  ['bit-rot', 'bit-rot', 'bit-rot', 'bit-rot', 'verify', 'reboot', 'kill-core'],
  ['old-disk', 'old-disk', 'cut'],
];
const ILL_ONE_IN = 6;
/** Ills that strike some operations only. */
const PARTIAL: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'lost-write',
  'misdirected-write',
  'stale-read',
  'write-error',
]);

/** One schedule in so many wipes a host, not the witness. */
const WIPED_HOST_ONE_IN = 3;

const CLUSTERS = 5;
const FIRST = 3_000_000;
/** One schedule in eight begins while the cluster forms: hosts are up, the log may not be. */
const EARLY = 300_000;
const EARLY_ONE_IN = 8;
const DISTANCE = 6_000_000;
/**
 * Offsets within a cluster and lengths, in microseconds: small ones are as likely as large ones.
 */
const OFFSETS = [0, 300, 2_000, 20_000, 150_000, 400_000, 900_000, 1_600_000, 2_600_000, 4_000_000];
const LENGTHS = [
  30_000, 120_000, 400_000, 900_000, 1_700_000, 2_600_000, 3_500_000, 5_000_000, 8_000_000, 0,
];

/** How far back an old disk goes. */
const AGES = [
  0, 200_000, 500_000, 1_000_000, 1_500_000, 2_000_000, 3_000_000, 4_000_000, 6_000_000, 9_000_000,
];

const gene: fc.Arbitrary<Gene> = fc.record({
  kind: fc.nat(99),
  cluster: fc.nat(CLUSTERS - 1),
  offset: fc.nat(999),
  length: fc.nat(999),
  target: fc.nat(9),
  peer: fc.nat(9),
  links: fc.nat(9),
  ways: fc.nat(3),
  cache: fc.nat(3),
  size: fc.nat(9),
  when: fc.nat(9),
});

/** Without bias: small numbers are not more interesting here, the tables say what is. */
const genome: fc.Arbitrary<Genome> = fc.noBias(
  fc.record({
    families: fc.integer({ min: 1, max: (1 << FAMILIES.length) - 1 }),
    first: fc.nat(FAMILIES.length - 1),
    genes: fc.array(gene, { minLength: 1, maxLength: 8, size: 'max' }),
    // Last: what is drawn before stays what it was.
    ill: fc.nat(ILL_ONE_IN * ILLS.length - 1),
  }),
);

/** All of {@link Swarm}. */
export const SWARMS = ['swarm', 'disks', 'splits', 'receipts'] as const;
/**
 * A swarm of everything; one in which every schedule has an ill of disks; one in which each leads
 * to two branches, and then to people who order what is to become of them; and one about a core
 * that dies with writes which it had acknowledged on receipt, and about what its next one knows.
 */
export type Swarm = (typeof SWARMS)[number];

/** Random schedules for a configuration, shrinking towards few, early, plain faults. */
export function schedules(
  config: ClusterConfig,
  swarm: Swarm = 'swarm',
): fc.Arbitrary<readonly Fault[]> {
  return genome.map((drawn) => {
    if (swarm === 'splits') return splitSchedule(drawn, config);
    if (swarm === 'receipts') return receiptSchedule(drawn, config);
    const ill = swarm === 'disks' ? drawn.ill % ILLS.length : drawn.ill;
    return schedule({ ...drawn, ill }, config);
  });
}

/** The schedule that belongs to a seed, the same on every machine. */
export function scheduleOf(
  seed: number,
  config: ClusterConfig,
  swarm: Swarm = 'swarm',
): readonly Fault[] {
  let drawn: readonly Fault[] = [];
  fc.check(
    fc.property(schedules(config, swarm), (faults) => {
      drawn = faults;
      return true;
    }),
    { seed: seed | 0, numRuns: 1 },
  );
  return drawn;
}

function schedule(drawn: Genome, config: ClusterConfig): readonly Fault[] {
  const kinds: FaultKind[] = [];
  let chosen = 0;
  const ills = ILLS[drawn.ill] ?? [];
  const most = ills.length === 0 ? 3 : 1;
  // At most three families, or one beside an ill of disks, counted from a random one on, so that
  // each has the same chance.
  for (let i = 0; i < FAMILIES.length && chosen < most; i += 1) {
    const index = (drawn.first + i) % FAMILIES.length;
    if (((drawn.families >> index) & 1) === 0) continue;
    chosen += 1;
    kinds.push(...(FAMILIES[index] as readonly FaultKind[]));
  }
  kinds.push(...ills);
  // Without a side area there is nothing to put back.
  if (hasSide(config)) kinds.push('return');
  const early = (drawn.families + drawn.first) % EARLY_ONE_IN === 0;
  const wiped = wipedOf(drawn, config);
  const faults = drawn.genes.map((each) => {
    const made = fault(each, kinds, early ? EARLY : FIRST, config);
    return made.kind === 'wipe' ? { ...made, target: wiped } : made;
  });
  return atSwitches(atFailures(faults, config)).sort((a, b) => a.at - b.at);
}

function hasSide({ volumes }: ClusterConfig): boolean {
  return volumes.some(({ replicas }) => replicas.some(({ sideBytes = 0 }) => sideBytes > 0));
}

/** What is done once there are two branches, with weights. */
const AFTER_SPLIT: readonly FaultKind[] = [
  ...repeat('resolve', 5),
  ...repeat('take-back', 4),
  ...repeat('old-disk', 2),
  ...repeat('power-off', 3),
  ...repeat('cut', 3),
  'new-disk',
  'reboot',
  'kill-core',
  'kill-core',
  'pause-core',
  'power-off-hosts',
  'switch',
];
/** When the two branches have met, at the latest, and what comes after begins. */
const SPLIT_AT = 13_000_000;
const SPLIT_SPAN = 2_600_000;

/**
 * The secondary is away for a while; the primary loses power, the other one takes over, and its
 * disk goes back to some moment before; then the first one returns. What follows is drawn.
 */
function splitSchedule(drawn: Genome, config: ClusterConfig): readonly Fault[] {
  const { families, first, ill } = drawn;
  const away = 400_000 + (families % 9) * 300_000;
  const back = 3_000_000 + (ill % 12) * 500_000;
  const age = 1_000_000 + ((families >> 4) % 10) * 1_000_000;
  const plain = { ...PLAIN_FAULT, cache: cacheOf(first % 4) };
  const led: readonly Fault[] = [
    { ...plain, kind: 'power-off', at: 3_000_000, target: 'secondary', for: away },
    { ...plain, kind: 'power-off', at: 8_000_000, target: 'primary', for: back },
    { ...plain, kind: 'old-disk', at: 11_000_000, target: 'primary', age, for: 1_200_000 },
  ];
  const faults = drawn.genes.map((each) => {
    const made = fault(each, AFTER_SPLIT, FIRST, config);
    const order = made.kind === 'resolve' || made.kind === 'take-back';
    // What is said of one order comes within the second or so that it takes to stop an application.
    const soon = order ? (each.offset % 12) * 60_000 : spread(OFFSETS, each.offset);
    const at = SPLIT_AT + each.cluster * SPLIT_SPAN + soon;
    const target = order && each.target < 6 ? 1 + (each.target % 2) : made.target;
    const spare = made.kind === 'new-disk' ? 'secondary' : target;
    const span = made.for === 0 && !INSTANT.has(made.kind) ? 2_000_000 : made.for;
    return {
      ...made,
      at,
      for: span,
      target: spare,
      when: order ? ('at-once' as const) : made.when,
      ppm: order ? each.size % SAYINGS : made.ppm,
    };
  });
  return [...led, ...faults.sort((a, b) => a.at - b.at)];
}

/** What happens beside a receiver whose core has died, with weights. */
const AFTER_RECEIPTS: readonly FaultKind[] = [
  ...repeat('cut', 5),
  ...repeat('kill-core', 3),
  ...repeat('disk-stall', 2),
  ...repeat('power-off', 2),
  'reboot',
  'write-error',
  'pause-core',
];
const RECEIPT_AT = 8_800_000;

/**
 * The disk of whoever follows stands still, so that it acknowledges what its disk has not; its core
 * dies; and the primary, which has everything, is out of reach of the log, or of everybody. What
 * is drawn strikes while the next core attaches and wants to lead: links flap most of all.
 */
function receiptSchedule(drawn: Genome, config: ClusterConfig): readonly Fault[] {
  const { families, first, ill, genes } = drawn;
  const stands = 100_000 + (families % 60) * 10_000;
  const dies = RECEIPT_AT + Math.floor(((ill + 1) * (stands + 50_000)) / 60);
  const share = families % 2 === 0 ? 1_000_000 : 500_000;
  const silent = 5_000_000 + (families % 13) * 1_000_000;
  const cut = { kind: 'cut', links: first % 3 > 0 ? 'control' : 'all', for: silent } as const;
  const plain = { ...PLAIN_FAULT, target: 'secondary' } as const;
  const led: readonly Fault[] = [
    { ...plain, kind: 'disk-stall', at: RECEIPT_AT, ppm: share, for: stands },
    { ...plain, kind: 'kill-core', at: dies },
    { ...plain, ...cut, target: 'primary', at: dies - 200_000 + (first % 11) * 25_000 },
  ];
  const faults = genes.slice(0, genes.length >> 1).map((each): Fault => {
    const made = fault(each, AFTER_RECEIPTS, FIRST, config);
    const { kind } = made;
    const at = dies + each.cluster * 200_000 + spread(OFFSETS, each.offset);
    const target = kind === 'cut' || each.target === 9 ? 'primary' : 'secondary';
    // What waits for the next core is there before it starts.
    const waits = each.when < 5 ? whenAttaching(kind) : undefined;
    const nth = waits === 'meta-write' ? 1 + (each.size % 4) : 1;
    if (waits !== undefined) {
      return { ...made, at: dies, target: 'secondary', when: waits, after: each.offset * 3, nth };
    }
    // A link that flaps is soon there again.
    const span = kind === 'cut' ? made.for % 1_500_000 : made.for;
    const most = kind === 'disk-stall' ? 6_000_000 : 2_000_000;
    const length = INSTANT.has(kind) ? 0 : 1 + Math.min(most, span);
    return { ...made, at, target, peer: 0, for: length, when: 'at-once' };
  });
  return [...led, ...faults].sort((a, b) => a.at - b.at);
}

/** The moment of a core that attaches at which a fault of this kind is worth most. */
function whenAttaching(kind: FaultKind): Fault['when'] | undefined {
  if (kind === 'disk-stall') return 'attach';
  if (kind === 'kill-core') return 'meta-write';
  return kind === 'cut' ? 'link-up' : undefined;
}

function repeat(kind: FaultKind, times: number): readonly FaultKind[] {
  return new Array<FaultKind>(times).fill(kind);
}

/**
 * Who loses what it knows of the cluster: one node in a schedule, mostly the witness. Two that lost
 * it are no majority any more that remembers, and only a person can help.
 */
function wipedOf(drawn: Genome, config: ClusterConfig): Fault['target'] {
  const hosts = config.nodes.filter(({ witness }) => !witness);
  if (drawn.first % WIPED_HOST_ONE_IN > 0) return 'witness';
  return hosts[drawn.families % hosts.length]?.id ?? 'witness';
}

/** A host is silent long enough for the other one to start again and ask to go on alone. */
const SILENT = 9_000_000;
/** When the core of a host whose disk fails is killed: with it, or when it has told of it. */
const KILLS = [
  0, 40, 400, 1_000, 100_000, 300_000, 500_000, 800_000, 1_200_000, 2_000_000, 3_500_000,
];

/**
 * What happens beside a disk that fails is worth most where everything depends on that disk: half
 * of the cuts silence the other host, and half of the kills are of the core that heard of it.
 */
function atFailures(faults: readonly Fault[], config: ClusterConfig): Fault[] {
  const failures = faults.filter(({ kind }) => kind === 'write-error');
  const [first] = failures;
  if (first === undefined) return [...faults];
  // Two disks that fail are beyond the promise: mostly it is one.
  const one = failures.length % 3 > 0 ? first.target : 0;
  const hosts = config.nodes.filter(({ witness }) => !witness).map(({ id }) => id);
  return faults.map((each) => {
    const { kind } = each;
    if (kind === 'write-error' && one !== 0) return { ...each, target: one };
    const failure = nearest(failures, each.at);
    if (failure === undefined || each.at % 2 > 0) return each;
    const target = one === 0 ? failure.target : one;
    if (kind === 'kill-core') {
      const after = spread(KILLS, (each.at >> 1) % 1_000);
      // With the failure: while a write is on its way to that disk.
      const when = after < 1_000 ? 'write' : 'at-once';
      return { ...each, at: failure.at + after, target, when };
    }
    if (kind !== 'cut') return each;
    const at = failure.at + (each.at % 200) - 100;
    const other = hosts.find((host) => host !== target) ?? each.target;
    const span = each.for === 0 ? 0 : Math.max(each.for, SILENT);
    return {
      ...each,
      at,
      target: other,
      peer: 0,
      links: 'all',
      ways: 'both',
      for: span,
      when: 'at-once',
    };
  });
}

/** A taker waits three seconds for the host that gave up; what is over before changes nothing. */
const TAKER_WAITS = 3_500_000;

/**
 * What waits for a moment of a switch is there when the nearest one is asked for. Nothing depends
 * on the place in the list: taking one fault out leaves the others as they are.
 */
function atSwitches(faults: readonly Fault[]): Fault[] {
  const switches = faults.filter(({ kind }) => kind === 'switch');
  return faults.map((each) => {
    const waits = each.when === 'stop' || each.when === 'hand-over';
    const asked = waits ? nearest(switches, each.at) : undefined;
    // Without a switch there is no such moment: it would wait in vain.
    if (asked === undefined) return waits ? { ...each, when: 'at-once' } : each;
    // The other host is the better aim only now and then: it has nothing to give up.
    const target = typeof each.target === 'number' && each.at % 4 > 0 ? 'primary' : each.target;
    const links = each.links === 'control-1' ? 'replication' : each.links;
    const least = INSTANT.has(each.kind) || each.for === 0 ? 0 : TAKER_WAITS;
    const span = Math.max(each.for, each.when === 'hand-over' ? least : 0);
    return {
      ...each,
      at: asked.at,
      for: span,
      target: AIMED.has(each.kind) ? target : each.target,
      links,
    };
  });
}

function nearest(faults: readonly Fault[], at: number): Fault | undefined {
  let best: Fault | undefined;
  for (const each of faults) {
    if (best === undefined || Math.abs(each.at - at) < Math.abs(best.at - at)) best = each;
  }
  return best;
}

function fault(
  drawn: Gene,
  kinds: readonly FaultKind[],
  first: number,
  config: ClusterConfig,
): Fault {
  const kind = kinds[drawn.kind % kinds.length] as FaultKind;
  const at =
    (drawn.cluster === 0 ? first : FIRST) +
    drawn.cluster * DISTANCE +
    spread(OFFSETS, drawn.offset);
  const length = spread(LENGTHS, drawn.length);
  const [target, peer] = ends(drawn, kind, config);
  const bounded = kind === 'freeze' || kind === 'pause-core' ? Math.min(length, 9_000_000) : length;
  return {
    ...PLAIN_FAULT,
    kind,
    at,
    for: INSTANT.has(kind) ? 0 : bounded,
    target,
    peer,
    links: NETWORK.has(kind) ? linksOf(drawn.links) : PLAIN_FAULT.links,
    ways: NETWORK.has(kind) ? waysOf(drawn.ways) : PLAIN_FAULT.ways,
    cache: CRASHING.has(kind) ? cacheOf(drawn.cache) : PLAIN_FAULT.cache,
    ppm: ppmOf(kind, drawn.size, config),
    clockStops: kind === 'freeze' && drawn.size >= 7,
    when: momentOf(kind, drawn.when, kinds.includes('switch')),
    area: areaOf(kind, drawn.ways),
    age: kind === 'old-disk' ? spread(AGES, drawn.links * 100 + drawn.peer * 10) : 0,
    ...partOf(kind, drawn, config),
  };
}

/** One disk of a volume in parts fails by itself as often as all of them do together. */
function partOf(kind: FaultKind, drawn: Gene, { volumes }: ClusterConfig): { part?: string } {
  if (!PARTED.has(kind) || areaOf(kind, drawn.ways) !== PLAIN_FAULT.area) return {};
  const names = volumes.flatMap(({ parts = [] }) => parts.map(({ name }) => name));
  const part = names[(drawn.offset + drawn.links) % (2 * Math.max(1, names.length))];
  return part === undefined ? {} : { part };
}

/** A value between two steps of a table of which each step is equally likely. */
function spread(steps: readonly number[], die: number): number {
  const step = Math.floor(die / 100);
  const low = steps[step] ?? 0;
  const high = steps[step + 1] ?? low;
  return low + Math.floor(((high - low) * (die % 100)) / 100);
}

function ends(
  drawn: Gene,
  kind: FaultKind,
  config: ClusterConfig,
): readonly [Fault['target'], Fault['peer']] {
  const nodes = config.nodes.map(({ id }) => id);
  const hosts = config.nodes.filter(({ witness }) => !witness).map(({ id }) => id);
  const pick = (from: readonly number[], die: number): number => from[die % from.length] as number;
  if (!AIMED.has(kind)) return [PLAIN_FAULT.target, 0];
  if (kind === 'read-error') {
    // The primary reads; the other only for it.
    const both = drawn.peer === 9 && drawn.size % 2 === 0;
    return [drawn.target < 7 ? 'primary' : 'secondary', both ? 'secondary' : 0];
  }
  // Most switches are to where the service is not: the others are refused.
  if (kind === 'switch' && drawn.target >= 3) return ['secondary', 0];
  // Only whoever leads can compare, or hold still.
  if (kind === 'verify' || kind === 'quiesce') return ['primary', 0];
  if (kind === 'switch' || kind === 'kill-monitor' || DISK.has(kind))
    return [pick(hosts, drawn.target), 0];
  const target = ((): Fault['target'] => {
    if (drawn.target < 4) return pick(hosts, drawn.target);
    if (drawn.target === 4) return 'primary';
    if (drawn.target === 5) return 'secondary';
    if (drawn.target === 6) return 'leader';
    return pick(nodes, drawn.target);
  })();
  const others = nodes.filter((node) => node !== target);
  const peer = drawn.peer < 3 ? 0 : pick(others, drawn.peer);
  return [target, NETWORK.has(kind) ? peer : 0];
}

function cacheOf(die: number): Fault['cache'] {
  return (['none', 'random', 'newest', 'all'] as const)[die] ?? 'random';
}

function linksOf(die: number): Fault['links'] {
  if (die < 4) return 'all';
  if (die < 7) return 'replication';
  if (die < 9) return 'control';
  return 'control-1';
}

function waysOf(die: number): Fault['ways'] {
  return die < 2 ? 'both' : die === 2 ? 'out' : 'in';
}

/** Only a disk that fails altogether fails in both areas at once. */
function areaOf(kind: FaultKind, die: number): Fault['area'] {
  if (!AREA.has(kind)) return 'data';
  if (kind === 'write-error' && die === 1) return 'everything';
  return die < 2 ? 'data' : 'metadata';
}

/** What strikes at once leaves nothing half done: half of it waits for a write to be under way. */
const STRIKING: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'cut',
  'power-off',
  'reboot',
  'power-off-hosts',
  'power-off-all',
  'kill-core',
]);

function momentOf(kind: FaultKind, die: number, switching: boolean): Fault['when'] {
  const strikes = STRIKING.has(kind);
  if (strikes && die < (switching ? 2 : 4)) return 'write';
  // Where services are switched, what strikes between two owners is worth more.
  if (switching && strikes) return kind === 'kill-core' || die % 2 === 0 ? 'stop' : 'hand-over';
  if (die < 6) return 'at-once';
  if (switching && die > 7) return die === 8 ? 'stop' : 'hand-over';
  // A removal leaves one copy behind for some moments: what strikes then is worth more runs.
  if (die < 8) return strikes && die === 7 ? 'removal' : 'resync';
  return die === 8 ? 'removal' : 'take-over';
}

function ppmOf(kind: FaultKind, size: number, config: ClusterConfig): number {
  if (kind === 'loss') return 50_000 + size * 80_000;
  // Odd: for once; even: until the sector is written.
  if (kind === 'read-error') return size % 2 === 0 ? 0 : 2_000 + size * 2_000;
  // Half of the failing disks do nothing at all any more.
  if (kind === 'write-error' && size >= 5) return 0;
  // Some disks stand still as a whole, others never end a few operations, and do all the rest.
  if (kind === 'disk-stall') return size < 4 ? 2_000 + size * 6_000 : 0;
  if (PARTIAL.has(kind)) return 10_000 + size * 30_000;
  if (kind !== 'clock-rate') return 0;
  const most = config.timing.clockRatePpm;
  return size % 2 === 0 ? most : -most;
}
