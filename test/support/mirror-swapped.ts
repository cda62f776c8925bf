/** Disks that are put in place of others, and taken out again. */
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { formatMetadata } from '../../engine/mirror/metadata.ts';
import { THIRD_CONFIG } from './mirror-async.ts';
import { until } from './mirror-cases.ts';
import type { ClientHosts } from './mirror-client.ts';
import { type Host, MS } from './mirror-hosts.ts';
import { Many, TRIO_CONFIG } from './mirror-many.ts';
import { PAIR_CONFIG, type Pair } from './mirror-pair.ts';
import { started } from './mirror-swarm.ts';

/** What is on a disk. */
interface Disk {
  readonly stable: Uint32Array;
  readonly meta: ReadonlyMap<number, Uint8Array>;
}

function takenOut(h: Host): Disk {
  const meta = new Map([...h.meta].map(([page, bytes]) => [page, bytes.slice()] as const));
  return { stable: h.stable.slice(), meta };
}

function putIn(h: Host, { stable, meta }: Disk): void {
  h.stable.set(stable);
  h.cache.set(stable);
  h.meta = new Map(meta);
}

/** A disk that never had data, made for the replica on this host. */
function empty(pair: ClientHosts, h: Host): Disk {
  const device = `${'e'.repeat(31)}${h.node}`;
  const pages = formatMetadata(pair.config, h.node, 0, 'Inconsistent', device);
  const meta = new Map(pages.map(({ page, bytes }) => [page, bytes] as const));
  return { stable: new Uint32Array(h.stable.length), meta };
}

/** Three replicas under load for so many milliseconds. */
function loaded(seed: number, canaries: readonly string[], config: MirrorConfig, ms: number): Many {
  const many = new Many({ seed, canaries, config });
  many.load(true);
  many.runFor(ms * MS);
  return many;
}

function membersAre(hosts: Pair | Many, count: number): void {
  const all = () => hosts.record.members.length === count;
  if (!until(hosts, all, 8_000 * MS)) throw new Error('not filled');
}

/**
 * The host is dark for a while, and again when a copy to it is finished and not admitted; then it
 * comes back with an empty disk. Returns the one that it had.
 */
function copiedInVain(hosts: Pair | Many, host: Host, seed: number): Disk {
  const { node } = host;
  hosts.powerOff(node);
  hosts.runFor((600 + (seed % 3) * 100) * MS);
  hosts.powerOn(node);
  if (!until(hosts, () => host.disk === 'Inconsistent')) throw new Error('not copied to');
  const named = () => hosts.record.members.some((member) => member.node === node);
  if (!until(hosts, () => host.disk === 'Consistent' && !named())) throw new Error('not copied');
  hosts.powerOff(node);
  const before = takenOut(host);
  hosts.runFor(700 * MS);
  putIn(host, empty(hosts, host));
  hosts.powerOn(node);
  return before;
}

/** The host, which is dark, comes back, and all goes well. */
function afterwards<Hosts extends Pair | Many>(hosts: Hosts, { node }: Host): Hosts {
  hosts.runFor(300 * MS);
  hosts.powerOn(node);
  hosts.settle();
  return hosts;
}

/** The same with another disk. */
function backWith(pair: Pair, host: Host, disk: Disk): Pair {
  putIn(host, disk);
  return afterwards(pair, host);
}

/**
 * Host 2 gets an empty disk; when some of it is copied to, it gets back the one that it had, of the
 * generation with which the map of host 1 had begun.
 */
export function swappedBack(seed: number, canaries: readonly string[] = []): Pair {
  return swapped(started(seed, canaries), seed, false);
}

/** The same where a copy compares first, and the disk in between has most of the bytes already. */
export function comparedAndSwappedBack(seed: number, canaries: readonly string[] = []): Pair {
  return swapped(started(seed, canaries, { ...PAIR_CONFIG, skipEqual: 'on' }), seed, true);
}

function swapped(pair: Pair, seed: number, isClone: boolean): Pair {
  pair.runFor(200 * MS);
  const host = pair.host(2);
  pair.powerOff(2);
  const before = takenOut(host);
  pair.runFor(700 * MS);
  const source = pair.host(1);
  const fresh = empty(pair, host);
  putIn(host, isClone ? { ...fresh, stable: source.cache.slice() } : fresh);
  pair.powerOn(2);
  const copies = () => host.disk === 'Inconsistent' && source.linkState === 'SyncSource';
  if (!until(pair, () => copies() && source.dirty < 2900)) throw new Error('not copied to');
  pair.runFor((seed % 5) * 40 * MS);
  pair.powerOff(2);
  return backWith(pair, host, before);
}

/**
 * Host 2 loses power when a copy to it is finished and not admitted yet; another disk is filled in
 * its place, and then the first one comes back: of the very generation that both had at the end.
 */
export function adoptedThenBack(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  const host = pair.host(2);
  const before = copiedInVain(pair, host, seed);
  membersAre(pair, 2);
  pair.runFor((seed % 5) * 40 * MS);
  pair.powerOff(2);
  return backWith(pair, host, before);
}

/**
 * Of three, host 3 is away and filled again. Then all lose power, it comes back with the disk that
 * it had when it went; who leads may be another than the one that has filled it.
 */
export function filledThenBack(
  seed: number,
  canaries: readonly string[] = [],
  config: MirrorConfig = TRIO_CONFIG,
): Many {
  const many = loaded(seed, canaries, config, 400);
  const host = many.host(3);
  many.powerOff(3);
  const before = takenOut(host);
  many.runFor(900 * MS);
  many.powerOn(3);
  membersAre(many, 3);
  many.runFor((200 + (seed % 7) * 100) * MS);
  for (const h of many.hosts) many.powerOff(h.node);
  putIn(host, before);
  // An old disk that leads is another matter (docs/decisions/0013).
  for (const node of [1, 2]) many.powerOn(node);
  until(many, () => many.takeOvers > 0);
  return afterwards(many, host);
}

/**
 * A far replica gets another disk, which host 2 never hears as it is filled, and then the one that
 * it had, of the generation that every disk has which ever followed; host 2 leads by then.
 */
export function farThenBack(seed: number, canaries: readonly string[] = []): Many {
  const many = loaded(seed, canaries, THIRD_CONFIG, 500);
  const host = many.host(3);
  many.powerOff(3);
  const before = takenOut(host);
  many.runFor(700 * MS);
  putIn(host, empty(many, host));
  many.cutWhere((from, to) => from === 2 && to === 3);
  many.powerOn(3);
  const filled = () => host.disk === 'UpToDate' || host.disk === 'Consistent';
  if (!until(many, filled, 8_000 * MS)) throw new Error('not filled');
  many.runFor((600 + (seed % 5) * 100) * MS);
  many.powerOff(3);
  putIn(host, before);
  many.powerOff(1);
  until(many, () => many.record.primary === 2, 5_000 * MS);
  many.runFor(200 * MS);
  many.healAll();
  many.powerOn(3);
  many.settle();
  return many;
}

/** As {@link adoptedThenBack} of host 3 among three, amid a change of who leads. */
export function adoptedAmongThree(seed: number, canaries: readonly string[] = []): Many {
  const many = loaded(seed, canaries, TRIO_CONFIG, 500);
  const host = many.host(3);
  const before = copiedInVain(many, host, seed);
  if (seed % 2 === 1) many.cutWhere((from, to) => from === 2 && to === 3);
  membersAre(many, 3);
  many.runFor((seed % 5) * 40 * MS);
  many.healAll();
  many.powerOff(3);
  putIn(host, before);
  if (seed % 4 < 2) {
    many.powerOff(many.record.primary);
    until(many, () => many.takeOvers > 0);
  }
  return afterwards(many, host);
}

/**
 * Host 3 of three comes back, slow to read its metadata, and then the primary is lost; whether the
 * two that are left copied everything, though nothing was written.
 */
export function copiesAllAfter(seed: number, canaries: readonly string[] = []): boolean {
  const many = loaded(seed, canaries, TRIO_CONFIG, 300);
  many.load(false);
  many.powerOff(3);
  many.runFor(400 * MS);
  const io = many.io.bind(many);
  let slow = true;
  many.io = (h, apply, end) => {
    if (h.node !== 3 || !slow) io(h, apply, end);
    else {
      many.after(60 * MS, () => {
        if (h.actor !== null) io(h, apply, end);
      });
    }
  };
  many.powerOn(3);
  until(many, () => many.host(3).attached);
  slow = false;
  membersAre(many, 3);
  many.runFor(800 * MS);
  const { primary } = many.record;
  many.marks.clear();
  many.powerOff(primary);
  until(many, () => many.record.primary !== primary, 5_000 * MS);
  until(many, () => many.record.members.length === 2, 5_000 * MS);
  return many.marks.has('mirror.resync.everything');
}
