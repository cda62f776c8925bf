/**
 * A scenario: a configuration, a workload, faults and the laws that must hold. It is plain data
 * (JSON or YAML) that an operator can read and write; this module reads and writes it, and says
 * place, reason and remedy where it is wrong.
 */

import { DEFAULT_WORKLOAD, type Workload } from '../backends/sim/client.ts';
import type { CrashMode } from '../backends/sim/disk-cache.ts';
import {
  AIMED_MOMENTS,
  AREAS,
  BY_CHANCE,
  FAULT_KINDS,
  type Fault,
  type FaultKind,
  LINKS,
  MOMENTS,
  PLAIN_FAULT,
  ROLES,
  type Role,
  WAYS,
} from '../backends/sim/fault.ts';
import { LAWS, type Law } from '../backends/sim/oracle/verdict.ts';
import type { ClusterConfig } from '../engine/core/config.ts';
import { DEMO_CONFIG } from './demo.ts';
import { STEPS_MAX, SWEPT, type Sweep, type Swept } from './sweep.ts';
import { readTime, readTimeOr, writeTime } from './time.ts';

/** A scenario, checked and in microseconds. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly config: ClusterConfig;
  readonly workload: Workload;
  readonly faults: readonly Fault[];
  readonly laws: readonly Law[];
  readonly seed: number;
  /** Length of the run; its last part is healed, its last two seconds quiet. */
  readonly duration: number;
  /** Of the bugs that docs/history.md tells of, the number of the one that it puts. */
  readonly history?: number;
  /** The critical instant, swept over: see {@link Sweep}. */
  readonly sweep?: Sweep;
}

/** A fault as it stands in a file. Times are texts such as "2.9s" and "100ms". */
export interface FaultText {
  readonly at: string;
  readonly kind: string;
  readonly target?: string;
  readonly peer?: string;
  readonly links?: string;
  readonly ways?: string;
  readonly for?: string;
  readonly cache?: string;
  readonly ppm?: number;
  readonly clockStops?: boolean;
  readonly when?: string;
  /** Exactly so long after its moment. */
  readonly after?: string;
  /** The n-th such moment, from the fault's time on. */
  readonly nth?: number;
  readonly area?: string;
  readonly age?: string;
  /** Of a volume in parts: the only disk that it concerns. */
  readonly part?: string;
}

/** A sweep as it stands in a file: `by` is a time, or for `nth` left out. */
export interface SweepText {
  readonly faults: readonly number[];
  readonly moves: string;
  readonly by?: string;
  readonly steps: number;
}

/** A scenario as it stands in a file. */
export interface ScenarioText {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly config?: ClusterConfig;
  readonly workload?: Partial<Workload>;
  readonly faults: readonly FaultText[];
  readonly laws?: readonly string[];
  readonly seed?: number;
  readonly duration?: string;
  readonly history?: number;
  readonly sweep?: SweepText;
}

/** What is wrong with a scenario, where, and what to do. */
export interface ScenarioProblem {
  readonly place: string;
  readonly reason: string;
  readonly remedy: string;
}

export type ScenarioRead =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly ScenarioProblem[] };

/** A run's length when nothing else is said, and the shortest that can be judged. */
export const DEFAULT_DURATION = 61_000_000;
const DURATION_MIN = 40_000_000;
const DURATION_MAX = 3_600_000_000;
/** The last part of a run: everything heals under load, then two quiet seconds. */
export const HEALED_PART = 24_000_000;
export const CALM_PART = 2_000_000;
const FAULTS_MAX = 64;
const NTH_MAX = 1000;
/** The bugs of docs/history.md. */
export const HISTORY_BUGS = 38;

const CACHES: readonly CrashMode[] = ['none', 'all', 'random', 'newest'];
const SCENARIO_FIELDS = [
  'name',
  'title',
  'about',
  'config',
  'workload',
  'faults',
  'laws',
  'seed',
  'duration',
  'history',
  'sweep',
];
const FAULT_FIELDS = [
  'at',
  'kind',
  'target',
  'peer',
  'links',
  'ways',
  'for',
  'cache',
  'ppm',
  'clockStops',
  'when',
  'after',
  'nth',
  'area',
  'age',
  'part',
];

/** Reads a scenario. `config` is used where the file has none of its own. */
export function readScenario(data: unknown, config: ClusterConfig = DEMO_CONFIG): ScenarioRead {
  const problems: ScenarioProblem[] = [];
  if (!isRecord(data)) {
    const remedy = 'write name, title, about and faults, as in scenarios/library';
    return { ok: false, problems: [{ place: '', reason: 'a scenario is an object', remedy }] };
  }
  unknownFields(data, SCENARIO_FIELDS, '', problems);
  const own = (data['config'] as ClusterConfig | undefined) ?? config;
  const duration = readTimeOr(data['duration'], DEFAULT_DURATION);
  if (duration === null || duration < DURATION_MIN || duration > DURATION_MAX) {
    problems.push({
      place: 'duration',
      reason: 'is not a time between 40s and 3600s',
      remedy: 'write for example "62s"; the last 24 seconds are the healed part',
    });
  }
  const seed = data['seed'] ?? 1;
  if (!Number.isInteger(seed) || (seed as number) < 0 || (seed as number) > 0xffffffff) {
    problems.push({ place: 'seed', reason: 'is not a whole number below 2^32', remedy: 'write 1' });
  }
  const end = duration ?? DEFAULT_DURATION;
  const faults = readFaults(data['faults'], own, end - HEALED_PART, problems);
  const workload = readWorkload(data['workload'], problems);
  const laws = readLaws(data['laws'], problems);
  const history = readCount(data, 'history', '', [0, HISTORY_BUGS], 0, problems);
  const sweep = readSweep(data['sweep'], faults.length, problems);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    scenario: {
      name: text(data['name'], 'unnamed'),
      title: text(data['title'], text(data['name'], 'unnamed')),
      about: text(data['about'], ''),
      config: own,
      workload,
      faults,
      laws,
      seed: seed as number,
      duration: end,
      ...(history === 0 ? {} : { history }),
      ...(sweep === null ? {} : { sweep }),
    },
  };
}

/** Writes a scenario so that {@link readScenario} reads the same again. */
export function writeScenario(scenario: Scenario): ScenarioText {
  const { name, title, about, config, workload, faults, laws, seed, duration } = scenario;
  const { history, sweep } = scenario;
  const changed: { [field: string]: number } = {};
  for (const field of WORKLOAD_FIELDS) {
    if (workload[field] !== DEFAULT_WORKLOAD[field]) changed[field] = workload[field];
  }
  return {
    name,
    title,
    about,
    ...(config === DEMO_CONFIG ? {} : { config }),
    ...(Object.keys(changed).length === 0 ? {} : { workload: changed }),
    faults: faults.map((fault) => writeFault(fault, config)),
    ...(laws.length === LAWS.length ? {} : { laws }),
    seed,
    duration: writeTime(duration),
    ...(history === undefined ? {} : { history }),
    ...(sweep === undefined ? {} : { sweep: writeSweep(sweep) }),
  };
}

/** The fields of a fault that say something, in reading order. */
export function writeFault(fault: Fault, config: ClusterConfig): FaultText {
  const plain = PLAIN_FAULT;
  const name = (target: number | Role | 0): string =>
    typeof target === 'string' ? target : nodeName(config, target);
  return {
    at: writeTime(fault.at),
    kind: fault.kind,
    ...(AIMED.has(fault.kind) ? { target: name(fault.target) } : {}),
    ...(PAIRED.has(fault.kind) && fault.peer !== 0 ? { peer: name(fault.peer) } : {}),
    ...(NETWORK.has(fault.kind) && fault.links !== plain.links ? { links: fault.links } : {}),
    ...(NETWORK.has(fault.kind) && fault.ways !== plain.ways ? { ways: fault.ways } : {}),
    ...(fault.for === 0 ? {} : { for: writeTime(fault.for) }),
    ...(CRASHING.has(fault.kind) && fault.cache !== plain.cache ? { cache: fault.cache } : {}),
    ...(fault.ppm === 0 ? {} : { ppm: fault.ppm }),
    ...(fault.clockStops ? { clockStops: true } : {}),
    ...(fault.when === 'at-once' ? {} : { when: fault.when }),
    ...(fault.after === BY_CHANCE ? {} : { after: writeTime(fault.after) }),
    ...(fault.nth === 1 ? {} : { nth: fault.nth }),
    ...(AREA.has(fault.kind) && fault.area !== plain.area ? { area: fault.area } : {}),
    ...(fault.age === 0 ? {} : { age: writeTime(fault.age) }),
    ...(fault.part === undefined ? {} : { part: fault.part }),
  };
}

/** The name of a node in a configuration. */
export function nodeName(config: ClusterConfig, node: number): string {
  return config.nodes.find(({ id }) => id === node)?.name ?? String(node);
}

/** Faults of the network, with two ends. */
export const NETWORK: ReadonlySet<FaultKind> = new Set<FaultKind>(['cut', 'clog', 'loss']);
/** Faults that may concern a second node. */
export const PAIRED: ReadonlySet<FaultKind> = new Set<FaultKind>([...NETWORK, 'read-error']);
/** Faults that lose volatile caches. */
export const CRASHING: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'power-off',
  'reboot',
  'power-off-hosts',
  'power-off-all',
  'wipe',
  'old-disk',
]);
/** Faults that concern the data of a disk, its metadata, or both. */
export const AREA: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'lost-write',
  'misdirected-write',
  'write-error',
  'bit-rot',
]);
/** Faults of the disks of a host that holds replicas. */
export const DISK: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'lying-flush',
  'lost-write',
  'misdirected-write',
  'stale-read',
  'write-error',
  'disk-stall',
  'bit-rot',
  'old-disk',
  'path-loss',
]);
/** Faults that one disk of a volume in parts may have by itself. */
export const PARTED: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'lying-flush',
  'lost-write',
  'stale-read',
  'write-error',
  'disk-stall',
  'old-disk',
  'path-loss',
]);
/** Faults that strike one node. */
export const AIMED: ReadonlySet<FaultKind> = new Set<FaultKind>(
  FAULT_KINDS.filter((kind) => kind !== 'power-off-hosts' && kind !== 'power-off-all'),
);
const WORKLOAD_FIELDS = [
  'iops',
  'reads',
  'flushes',
  'fua',
  'zeroes',
  'hot',
  'scattered',
  'bursts',
] as const;

function readWorkload(data: unknown, problems: ScenarioProblem[]): Workload {
  if (data === undefined) return DEFAULT_WORKLOAD;
  if (!isRecord(data)) {
    const remedy = 'write for example { iops: 200, reads: 30 }';
    problems.push({ place: 'workload', reason: 'is not an object', remedy });
    return DEFAULT_WORKLOAD;
  }
  unknownFields(data, WORKLOAD_FIELDS, 'workload.', problems);
  const workload = { ...DEFAULT_WORKLOAD };
  for (const field of WORKLOAD_FIELDS) {
    const value = data[field];
    if (value === undefined) continue;
    const most = field === 'iops' ? 20_000 : 100;
    const least = field === 'iops' ? 1 : 0;
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
      problems.push({
        place: `workload.${field}`,
        reason: `is not a whole number from ${least} to ${most}`,
        remedy: `write for example ${DEFAULT_WORKLOAD[field]}`,
      });
    } else workload[field] = value as number;
  }
  return workload;
}

function writeSweep({ faults, moves, by, steps }: Sweep): SweepText {
  return { faults, moves, ...(moves === 'nth' ? {} : { by: writeTime(by) }), steps };
}

function readSweep(data: unknown, faults: number, problems: ScenarioProblem[]): Sweep | null {
  if (data === undefined) return null;
  const place = 'sweep';
  const before = problems.length;
  if (!isRecord(data)) {
    const remedy = 'write for example { faults: [1], moves: at, by: 100us, steps: 30 }';
    problems.push({ place, reason: 'is not an object', remedy });
    return null;
  }
  unknownFields(data, ['faults', 'moves', 'by', 'steps'], 'sweep.', problems);
  const moves = SWEPT.find((one) => one === data['moves']);
  if (moves === undefined) {
    const remedy = `write one of ${SWEPT.join(', ')}`;
    problems.push({ place: 'sweep.moves', reason: 'is none of them', remedy });
  }
  const by = moves === 'nth' ? 1 : readTime(data['by']);
  if (by === null) {
    const remedy = 'write for example "100us"';
    problems.push({ place: 'sweep.by', reason: 'is not a time', remedy });
  }
  const list = Array.isArray(data['faults']) ? (data['faults'] as readonly unknown[]) : [];
  const known = list.filter((n): n is number => Number.isInteger(n) && (n as number) >= 0);
  if (known.length === 0 || known.length < list.length || known.some((n) => n >= faults)) {
    const remedy = 'write the places of the faults that move, the first being 0';
    problems.push({ place: 'sweep.faults', reason: 'does not name faults', remedy });
  }
  const steps = readCount(data, 'steps', 'sweep.', [2, STEPS_MAX], 2, problems);
  if (problems.length > before) return null;
  return { faults: known, moves: moves as Swept, by: by as number, steps };
}

/** A whole number within bounds. */
function readCount(
  data: { readonly [name: string]: unknown },
  field: string,
  place: string,
  [least, most]: readonly [number, number],
  otherwise: number,
  problems: ScenarioProblem[],
): number {
  const value = data[field] ?? otherwise;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
    return value as number;
  }
  const reason = `is not a whole number from ${least} to ${most}`;
  problems.push({ place: `${place}${field}`, reason, remedy: `write for example ${least}` });
  return otherwise;
}

function readLaws(data: unknown, problems: ScenarioProblem[]): readonly Law[] {
  if (data === undefined) return LAWS;
  const known = Array.isArray(data) ? data.filter((law): law is Law => LAWS.includes(law)) : [];
  if (Array.isArray(data) && known.length === data.length) return known;
  const remedy = `leave it out for all, or name some of ${LAWS.join(', ')}`;
  problems.push({ place: 'laws', reason: 'is not a list of laws', remedy });
  return LAWS;
}

function readFaults(
  data: unknown,
  config: ClusterConfig,
  latest: number,
  problems: ScenarioProblem[],
): readonly Fault[] {
  if (!Array.isArray(data) || data.length > FAULTS_MAX) {
    const remedy = `write a list of at most ${FAULTS_MAX}, for example { at: 3s, kind: power-off }`;
    problems.push({ place: 'faults', reason: 'is not a list of faults', remedy });
    return [];
  }
  const faults: Fault[] = [];
  for (const [index, item] of data.entries()) {
    const fault = readFault(item, `faults[${index}]`, config, latest, problems);
    if (fault !== null) faults.push(fault);
  }
  return faults;
}

function readFault(
  data: unknown,
  place: string,
  config: ClusterConfig,
  latest: number,
  problems: ScenarioProblem[],
): Fault | null {
  const before = problems.length;
  if (!isRecord(data)) {
    const remedy = 'write for example { at: 3s, kind: power-off, target: a }';
    problems.push({ place, reason: 'is not an object', remedy });
    return null;
  }
  unknownFields(data, FAULT_FIELDS, `${place}.`, problems);
  const pick = <T extends string>(field: string, known: readonly T[], plain: T): T => {
    const value = data[field];
    if (value === undefined) return plain;
    if (known.includes(value as T)) return value as T;
    const remedy = `write one of ${known.join(', ')}`;
    problems.push({ place: `${place}.${field}`, reason: `«${String(value)}» is unknown`, remedy });
    return plain;
  };
  const node = (field: string, plain: Fault['target'] | 0): Fault['target'] | 0 => {
    const value = data[field];
    if (value === undefined) return plain;
    const named = config.nodes.find(({ name }) => name === value);
    if (named !== undefined) return named.id;
    if (ROLES.includes(value as Role)) return value as Role;
    const names = config.nodes.map(({ name }) => name);
    const remedy = `write one of ${[...names, ...ROLES].join(', ')}`;
    problems.push({ place: `${place}.${field}`, reason: `no node «${String(value)}»`, remedy });
    return plain;
  };
  if (data['kind'] === undefined) {
    const remedy = `write one of ${FAULT_KINDS.join(', ')}`;
    problems.push({ place: `${place}.kind`, reason: 'is missing', remedy });
  }
  const at = readTime(data['at']);
  if (at === null || at > latest) {
    problems.push({
      place: `${place}.at`,
      reason: 'is not a time within the part of the run that has faults',
      remedy: `write a time up to ${writeTime(latest)}, or make the run longer`,
    });
  }
  const length = readTimeOr(data['for'], 0);
  if (length === null) {
    const remedy = 'write for example "500ms", or leave it out: until the world heals';
    problems.push({ place: `${place}.for`, reason: 'is not a time', remedy });
  }
  const age = readTimeOr(data['age'], 0);
  if (age === null) {
    const remedy = 'write for example "2s": the disk comes back as it was two seconds before';
    problems.push({ place: `${place}.age`, reason: 'is not a time', remedy });
  }
  const after = readTimeOr(data['after'], BY_CHANCE);
  if (after === null) {
    const remedy = 'write for example "300us", or leave it out: some time soon after the moment';
    problems.push({ place: `${place}.after`, reason: 'is not a time', remedy });
  }
  const ppm = data['ppm'] ?? 0;
  if (!Number.isInteger(ppm) || Math.abs(ppm as number) > 1_000_000) {
    const remedy = 'write a whole number of parts per million, for example 1000';
    problems.push({ place: `${place}.ppm`, reason: 'is not a whole number', remedy });
  }
  const fault: Fault = {
    kind: pick('kind', FAULT_KINDS, 'cut'),
    at: at ?? 0,
    for: length ?? 0,
    target: node('target', PLAIN_FAULT.target) as Fault['target'],
    peer: node('peer', 0),
    links: pick('links', LINKS, PLAIN_FAULT.links),
    ways: pick('ways', WAYS, PLAIN_FAULT.ways),
    cache: pick('cache', CACHES, PLAIN_FAULT.cache),
    ppm: ppm as number,
    clockStops: data['clockStops'] === true,
    when: pick('when', [...MOMENTS, ...AIMED_MOMENTS], PLAIN_FAULT.when),
    after: after ?? BY_CHANCE,
    nth: readCount(data, 'nth', `${place}.`, [1, NTH_MAX], 1, problems),
    area: pick('area', AREAS, PLAIN_FAULT.area),
    age: age ?? 0,
    ...readPart(data['part'], data['kind'], config, place, problems),
  };
  return problems.length === before ? fault : null;
}

function readPart(
  part: unknown,
  kind: unknown,
  { volumes }: ClusterConfig,
  place: string,
  problems: ScenarioProblem[],
): { readonly part?: string } {
  if (part === undefined) return {};
  const names = volumes.flatMap(({ parts = [] }) => parts.map(({ name }) => name));
  const reason = !names.includes(part as string)
    ? `there is no part «${String(part)}»`
    : PARTED.has(kind as FaultKind)
      ? ''
      : 'this fault concerns every part';
  if (reason === '') return { part: part as string };
  const remedy = `leave it out${names.length === 0 ? '' : `, or write one of ${names.join(', ')}`}`;
  problems.push({ place: `${place}.part`, reason, remedy });
  return {};
}

function unknownFields(
  data: { readonly [name: string]: unknown },
  known: readonly string[],
  place: string,
  problems: ScenarioProblem[],
): void {
  for (const field of Object.keys(data)) {
    if (known.includes(field)) continue;
    const remedy = `take it out; the fields are ${known.join(', ')}`;
    problems.push({ place: `${place}${field}`, reason: 'is not a field', remedy });
  }
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
