/**
 * Judges a configuration before anything runs by it: what is contradictory, and what would make
 * LAW-one-holder false. Codes and parameters only; the catalogue has the words.
 */
import {
  type ClusterConfig,
  DEFAULT_TIMING,
  SPLIT_POLICIES,
  type TimingConfig,
  type VolumeConfig,
} from '../core/config.ts';
import { EXTENT_BYTES } from '../core/units.ts';
import { LAG_MEMORY_MAX, LAG_SPILL_MAX, VOLUME_BYTES_MAX } from '../mirror/config.ts';
import { checkParts } from './parts-check.ts';

export interface ConfigProblem {
  readonly path: readonly (string | number)[];
  readonly code: string;
  readonly params: { readonly [name: string]: number | string };
}

const VOTERS_MAX = 7;
const NODE_MAX = 64;
export const SIZE_MULTIPLE: number = 4096;
const REPLICAS_MIN = 2;
const REPLICAS_MAX = 4;
/** Smallest side area: an undo log in less would hold next to nothing. */
export const SIDE_MIN: number = 262_144;
const AL_MIN = 2;
/** What the journal ring of a replica has room for, in extents, rounded down to whole GiB. */
export const AL_MAX = 13_312;
/** How long a disk may answer nothing, in µs. */
const WAIT_MIN = 1_000_000;
const WAIT_MAX = 600_000_000;
/** What an asynchronous replica may lack, in bytes. How often it is a later image, in µs. */
const LAG_MIN = 1_048_576;
/** So that the longest request, zeroes of 8 MiB, finds room in the log of the image before it. */
export const ASYNC_SIDE_MIN: number = 16_777_216;
const POINT_MIN = 10_000;
const POINT_MAX = 60_000_000;

/** How often replicas are compared, in µs: a minute, a year. */
const VERIFY_MIN = 60_000_000;
const VERIFY_MAX = 365 * 86_400_000_000;
const PPM = 1_000_000;
const RATE_MAX = 100_000;

/** Every problem of the configuration; empty when it may run. */
export function checkConfig(config: ClusterConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const say: Say = (path, code, params = {}) => problems.push({ path, code, params });
  checkNodes(config, say);
  checkVolumes(config, say);
  checkGroups(config, say);
  checkTiming(config.timing, say);
  return problems;
}

/**
 * The inequality of LAW-one-holder, P/(1−ρ) + W(1+ρ) + ε_w + δ_io ≤ G/(1+ρ), in whole µs: the
 * left side rounded up, the right side down.
 */
export function leaseArithmetic(timing: TimingConfig): {
  readonly right: number;
  readonly reset: number;
  readonly needed: number;
  readonly promised: number;
} {
  const ppm = timing.clockRatePpm;
  const right = Math.ceil((timing.pet * PPM) / (PPM - ppm));
  const reset = Math.ceil((timing.watchdog * (PPM + ppm)) / PPM);
  const needed = right + reset + timing.watchdogDelay + timing.ioDelay;
  const promised = Math.floor((timing.grant * PPM) / (PPM + ppm));
  return { right, reset, needed, promised };
}

type Say = (
  path: readonly (string | number)[],
  code: string,
  params?: { readonly [name: string]: number | string },
) => void;

function checkNodes(config: ClusterConfig, say: Say): void {
  const { nodes } = config;
  if (nodes.length < 3) say(['nodes'], 'too-few-voters', { voters: nodes.length, needed: 3 });
  if (nodes.length > VOTERS_MAX) {
    say(['nodes'], 'too-many-voters', { voters: nodes.length, most: VOTERS_MAX });
  }
  if (nodes.length % 2 === 0 && nodes.length >= 3) {
    say(['nodes'], 'even-voters', { voters: nodes.length });
  }
  const hosts = nodes.filter((node) => !node.witness);
  if (hosts.length === 0 || (nodes.length > 0 && hosts.length < 2)) {
    say(['nodes'], 'too-few-hosts', { hosts: hosts.length, needed: 2 });
  }
  if (nodes.length - hosts.length > 1) {
    say(['nodes'], 'too-many-witnesses', { witnesses: nodes.length - hosts.length, most: 1 });
  }
  if (hosts.length === 2 && nodes.length === 2) say(['nodes'], 'no-witness', {});
  const ids = new Map<number, number>();
  const names = new Map<string, number>();
  const addresses = new Map<string, string>();
  const links = nodes[0]?.control.length ?? 0;
  nodes.forEach((node, i) => {
    const path = ['nodes', i];
    if (!Number.isInteger(node.id) || node.id < 1 || node.id > NODE_MAX) {
      say([...path, 'id'], 'bad-node-id', { id: node.id, most: NODE_MAX });
    }
    const sameId = ids.get(node.id);
    if (sameId !== undefined) say([...path, 'id'], 'duplicate-node-id', { id: node.id });
    ids.set(node.id, i);
    if (node.name === '') say([...path, 'name'], 'empty-name', {});
    if (names.has(node.name)) say([...path, 'name'], 'duplicate-node-name', { name: node.name });
    names.set(node.name, i);
    if (node.control.length === 0) say([...path, 'control'], 'no-control-address', {});
    if (node.control.length !== links) {
      const params = { addresses: node.control.length, others: links };
      say([...path, 'control'], 'link-count-differs', params);
    }
    node.control.forEach((address, j) => {
      checkAddress([...path, 'control', j], `udp ${address}`, node.name, addresses, say);
      if (!isAddress(address)) say([...path, 'control', j], 'bad-address', { address });
    });
    if (node.witness) return;
    if (node.replication === '') {
      say([...path, 'replication'], 'no-replication-address', { node: node.name });
    } else {
      const address = node.replication;
      checkAddress([...path, 'replication'], `tcp ${address}`, node.name, addresses, say);
      if (!isAddress(address)) say([...path, 'replication'], 'bad-address', { address });
    }
  });
}

function checkAddress(
  path: readonly (string | number)[],
  key: string,
  owner: string,
  seen: Map<string, string>,
  say: Say,
): void {
  const other = seen.get(key);
  const address = key.slice(4);
  if (other !== undefined) say(path, 'duplicate-address', { address, other });
  seen.set(key, owner);
}

function isAddress(address: string): boolean {
  const colon = address.lastIndexOf(':');
  const port = address.slice(colon + 1);
  return colon > 0 && /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535;
}

function checkVolumes(config: ClusterConfig, say: Say): void {
  const names = new Set<string>();
  const uuids = new Set<string>();
  const paths = new Map<string, string>();
  const listens = new Map<string, string>();
  config.volumes.forEach((volume, i) => {
    const path = ['volumes', i];
    const { name, uuid, sizeBytes, activityLogExtents } = volume;
    if (name === '') say([...path, 'name'], 'empty-name', {});
    if (names.has(name)) say([...path, 'name'], 'duplicate-volume-name', { name });
    names.add(name);
    if (!/^[0-9a-f]{32}$/.test(uuid)) say([...path, 'uuid'], 'bad-uuid', { uuid });
    if (uuids.has(uuid)) say([...path, 'uuid'], 'duplicate-uuid', { uuid });
    uuids.add(uuid);
    const whole = Number.isSafeInteger(sizeBytes) && sizeBytes % SIZE_MULTIPLE === 0;
    if (!whole || sizeBytes < EXTENT_BYTES || sizeBytes > VOLUME_BYTES_MAX) {
      const params = { size: sizeBytes, multiple: SIZE_MULTIPLE, least: EXTENT_BYTES };
      say([...path, 'sizeBytes'], 'bad-size', { ...params, most: VOLUME_BYTES_MAX });
    }
    const served = volume.servedBytes ?? EXTENT_BYTES;
    const shows = Number.isSafeInteger(served) && served % SIZE_MULTIPLE === 0;
    const fits = volume.servedBytes === undefined || served <= sizeBytes;
    if (!shows || served < EXTENT_BYTES || !fits) {
      const params = { size: served, multiple: SIZE_MULTIPLE, least: EXTENT_BYTES };
      say([...path, 'servedBytes'], 'bad-served-size', { ...params, most: sizeBytes });
    }
    const extents = activityLogExtents;
    if (!Number.isInteger(extents) || extents < AL_MIN || extents > AL_MAX) {
      const params = { extents, least: AL_MIN, most: AL_MAX };
      say([...path, 'activityLogExtents'], 'bad-activity-log', params);
    }
    if (volume.checksums === true && volume.logicalBlock !== 4096) {
      say([...path, 'checksums'], 'checksums-in-part', { block: volume.logicalBlock });
    }
    const { diskTimeout } = volume;
    if (!Number.isInteger(diskTimeout) || diskTimeout < WAIT_MIN || diskTimeout > WAIT_MAX) {
      const params = { time: diskTimeout, least: WAIT_MIN, most: WAIT_MAX };
      say([...path, 'diskTimeout'], 'bad-disk-timeout', params);
    }
    if (!SPLIT_POLICIES.includes(volume.splitBrain ?? 'manual')) {
      say([...path, 'splitBrain'], 'bad-split-policy', { policy: String(volume.splitBrain) });
    }
    const every = volume.verify?.every ?? VERIFY_MIN;
    if (!Number.isSafeInteger(every) || every < VERIFY_MIN || every > VERIFY_MAX) {
      const params = { time: every, least: VERIFY_MIN, most: VERIFY_MAX };
      say([...path, 'verify', 'every'], 'bad-verify-every', params);
    }
    checkLag(volume, path, say);
    checkParts(volume, path, say);
    const count = volume.replicas.length;
    if (count < REPLICAS_MIN || count > REPLICAS_MAX) {
      const params = { replicas: count, least: REPLICAS_MIN, most: REPLICAS_MAX };
      say([...path, 'replicas'], 'replica-count', params);
    }
    const nodes = new Set<number>();
    volume.replicas.forEach((replica, j) => {
      const at = [...path, 'replicas', j, 'node'];
      const node = config.nodes.find((n) => n.id === replica.node);
      if (node === undefined) say(at, 'unknown-node', { node: replica.node });
      else if (node.witness) say(at, 'replica-on-witness', { node: node.name });
      if (nodes.has(replica.node)) say(at, 'duplicate-replica-node', { node: replica.node });
      nodes.add(replica.node);
      const data = replica.parts ?? [replica.path];
      [...data, replica.meta, replica.side ?? ''].forEach((file, f) => {
        if (file === '') return;
        const key = `${replica.node} ${file}`;
        const other = paths.get(key);
        const apart = f === data.length ? 'meta' : 'side';
        const whole = replica.parts === undefined ? ['path'] : ['parts', f];
        const where = [...path, 'replicas', j, ...(f < data.length ? whole : [apart])];
        if (other !== undefined) say(where, 'duplicate-path', { path: file, other });
        paths.set(key, name);
      });
      if (replica.path === '') say([...path, 'replicas', j, 'path'], 'empty-path', {});
      const { sideBytes = 0 } = replica;
      const fits = sideBytes >= SIDE_MIN && sideBytes % SIZE_MULTIPLE === 0;
      if (sideBytes !== 0 && !fits) {
        const params = { size: sideBytes, least: SIDE_MIN };
        say([...path, 'replicas', j, 'sideSize'], 'bad-side-size', params);
      }
      if (sideBytes === 0 && (volume.undo === 'required' || (replica.side ?? '') !== '')) {
        say([...path, 'replicas', j, 'sideSize'], 'no-side-area', {});
      }
    });
    volume.nbd.forEach((nbd, j) => {
      if (!nodes.has(nbd.node)) {
        say([...path, 'nbd', j, 'node'], 'nbd-without-replica', { node: nbd.node });
      }
      nbd.listen.forEach((listen, k) => {
        const key = `${nbd.node} ${listen}`;
        const other = listens.get(key);
        const at = [...path, 'nbd', j, 'listen', k];
        if (other !== undefined) say(at, 'duplicate-address', { address: listen, other });
        listens.set(key, name);
        const unix = listen.startsWith('unix:/');
        if (!unix && !isAddress(listen)) say(at, 'bad-address', { address: listen });
      });
    });
  });
}

/** Asynchronous replicas: somebody has every write, and they have room for the image they keep. */
function checkLag(
  { replicas, lag, onDiskFailure }: VolumeConfig,
  path: readonly (string | number)[],
  say: Say,
): void {
  replicas.forEach(({ mode, sideBytes = 0, spill }, j) => {
    const at = [...path, 'replicas', j, 'spill'];
    if (spill !== undefined && mode !== 'async') say(at, 'spill-of-sync', {});
    if (spill === '') say(at, 'empty-spill', {});
    if (mode !== 'async') return;
    if (onDiskFailure === 'proxy') say([...path, 'onDiskFailure'], 'proxy-beside-async', {});
    const side = [...path, 'replicas', j, 'sideSize'];
    if (sideBytes === 0) say(side, 'async-without-side', {});
    else if (sideBytes < ASYNC_SIDE_MIN) {
      say(side, 'async-side-small', { size: sideBytes, least: ASYNC_SIDE_MIN });
    }
  });
  if (replicas.length > 0 && replicas.every(({ mode }) => mode === 'async')) {
    say([...path, 'replicas', 0, 'mode'], 'all-async', {});
  }
  if (lag === undefined) return;
  const { bytes, pointEvery } = lag;
  const inMemory = replicas.find(({ mode, spill }) => mode === 'async' && spill === undefined);
  if (!Number.isSafeInteger(bytes) || bytes < LAG_MIN || bytes > LAG_SPILL_MAX) {
    say([...path, 'lag', 'bytes'], 'bad-lag', { size: bytes, least: LAG_MIN, most: LAG_SPILL_MAX });
  } else if (inMemory !== undefined && bytes > LAG_MEMORY_MAX) {
    const params = { size: bytes, most: LAG_MEMORY_MAX, node: inMemory.node };
    say([...path, 'lag', 'bytes'], 'lag-in-memory', params);
  }
  if (!Number.isSafeInteger(pointEvery) || pointEvery < POINT_MIN || pointEvery > POINT_MAX) {
    const params = { time: pointEvery, least: POINT_MIN, most: POINT_MAX };
    say([...path, 'lag', 'pointEvery'], 'bad-point-every', params);
  }
}

function checkGroups(config: ClusterConfig, say: Say): void {
  const names = new Set<string>();
  const held = new Map<string, string>();
  config.groups.forEach((group, i) => {
    const path = ['groups', i];
    const { name } = group;
    if (name === '') say([...path, 'name'], 'empty-name', {});
    if (names.has(name)) say([...path, 'name'], 'duplicate-group-name', { name });
    names.add(name);
    const volume = config.volumes.find((v) => v.name === group.volume);
    if (volume === undefined) {
      say([...path, 'volume'], 'unknown-volume', { volume: group.volume });
    }
    const other = held.get(group.volume);
    if (other !== undefined) {
      say([...path, 'volume'], 'volume-in-two-groups', { volume: group.volume, other });
    }
    held.set(group.volume, name);
    if (group.nodes.length === 0) say([...path, 'nodes'], 'no-group-nodes', {});
    const nodes = new Set<number>();
    group.nodes.forEach((id, j) => {
      const at = [...path, 'nodes', j];
      const node = config.nodes.find((n) => n.id === id);
      if (nodes.has(id)) say(at, 'duplicate-group-node', { node: id });
      nodes.add(id);
      if (node === undefined) say(at, 'unknown-node', { node: id });
      else if (node.witness) say(at, 'group-on-witness', { node: node.name });
      else if (volume !== undefined && !volume.replicas.some((r) => r.node === id)) {
        say(at, 'group-node-without-replica', { node: node.name, volume: volume.name });
      }
    });
    const { application } = group;
    if (application === null) return;
    // No stop command means SIGTERM, no check means that the process lives.
    if (application.start === '') say([...path, 'application', 'start'], 'empty-command', {});
    for (const field of ['checkEvery', 'startTimeout', 'stopTimeout'] as const) {
      const value = application[field];
      if (!Number.isSafeInteger(value) || value <= 0) {
        say([...path, 'application', field], 'bad-duration', { value });
      }
    }
  });
}

function checkTiming(timing: TimingConfig, say: Say): void {
  const path = ['timing'];
  let whole = true;
  for (const field of Object.keys(DEFAULT_TIMING) as (keyof TimingConfig)[]) {
    const value = timing[field];
    const zero = field === 'watchdogDelay' || field === 'ioDelay' || field === 'clockRatePpm';
    if (Number.isSafeInteger(value) && (value > 0 || (zero && value === 0))) continue;
    whole = false;
    say([...path, field], 'bad-duration', { value });
  }
  if (!whole) return;
  if (timing.clockRatePpm > RATE_MAX) {
    say([...path, 'clockRatePpm'], 'bad-clock-rate', { ppm: timing.clockRatePpm, most: RATE_MAX });
    return;
  }
  const { right, reset, needed, promised } = leaseArithmetic(timing);
  if (needed > promised) {
    const { watchdogDelay, ioDelay, grant, clockRatePpm } = timing;
    const least = Math.ceil((needed * (PPM + clockRatePpm)) / PPM);
    const params = { right, reset, watchdogDelay, ioDelay, needed, promised, grant, least };
    say([...path, 'grant'], 'lease-too-short', params);
  }
  const { heartbeat, pet, suspect, election } = timing;
  // One renewal may be lost on all links before the right runs out.
  if (2 * heartbeat > pet) say([...path, 'pet'], 'pet-too-short', { pet, heartbeat });
  if (2 * heartbeat > suspect) {
    say([...path, 'suspect'], 'suspect-too-short', { suspect, heartbeat });
  }
  if (2 * heartbeat > election) {
    say([...path, 'election'], 'election-too-short', { election, heartbeat });
  }
}
