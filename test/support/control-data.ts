/**
 * The data actors of the control network and what is on their disks, as a counter: enough to tell
 * whether an acknowledged or a flushed write is lost, and whether two hosts write at once.
 */
import type { ControlInput } from '../../engine/cluster/interface.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import type { DataCommand, DataReport, VerifyOrder } from '../../engine/data/messages.ts';
import { type Host, MS, VOLUME } from './control-host.ts';

interface World {
  readonly config: ClusterConfig;
  readonly clock: (host: Host) => number;
  readonly give: (host: Host, input: ControlInput) => void;
  readonly now: () => number;
  readonly violate: (law: string) => void;
}

export class ControlData {
  readonly #hosts: readonly Host[];
  readonly #world: World;
  /** The replication network is down. */
  cut = false;
  /** Comparisons that data actors were told to make, in order; nobody makes them. */
  readonly verifications: { readonly node: number; readonly order: VerifyOrder | null }[] = [];
  #writes = 0;
  #acked = 0;
  #flushed = 0;
  /** Who has the last acknowledged write. */
  #holding: readonly number[] = [];
  #lostPower = new Set<number>();

  constructor(hosts: readonly Host[], world: World) {
    this.#hosts = hosts;
    this.#world = world;
  }

  isReplica(node: number): boolean {
    return this.#world.config.volumes.some((v) => v.replicas.some((r) => r.node === node));
  }

  lostPower(node: number): void {
    this.#lostPower.add(node);
  }

  report(host: Host, report: DataReport): void {
    this.#world.give(host, { kind: 'data', report });
  }

  command(host: Host, command: DataCommand): void {
    const { data, disk } = host;
    if (!data.alive) return;
    switch (command.kind) {
      case 'verify':
        this.verifications.push({ node: host.node, order: command.order });
        return;
      case 'grant':
        data.until = Math.max(data.until, command.until);
        return;
      case 'record': {
        const { record } = command;
        if (record.epoch < disk.seen) return;
        disk.seen = record.epoch;
        data.record = record;
        data.cause = command.cause;
        data.primary = record.primary === host.node && data.demotedIn < record.epoch;
        disk.wasPrimary = data.primary;
        const member = record.members.some((m) => m.node === host.node && m.boot === host.boot);
        if (member) {
          disk.state = 'UpToDate';
          disk.generation = record.generation;
        } else if (record.primary !== host.node && record.primary !== 0) disk.state = 'Outdated';
        this.#tellState(host);
        return;
      }
      case 'demote': {
        if (data.record?.epoch !== command.epoch) return;
        data.primary = false;
        data.demotedIn = command.epoch;
        disk.wasPrimary = false;
        disk.flushed = disk.cached;
        const peer = this.#peer(host);
        if (peer !== null && data.record.members.some((m) => m.node === peer.node)) {
          peer.disk.flushed = peer.disk.cached;
        }
        const { epoch } = command;
        this.report(host, { kind: 'stopped', volume: VOLUME, epoch, cause: '' });
        return;
      }
    }
  }

  #tellState(host: Host): void {
    this.report(host, {
      kind: 'state',
      volume: VOLUME,
      disk: host.disk.state,
      role: host.data.primary ? 'Primary' : 'Secondary',
      epoch: host.disk.seen,
      link: 'Connected',
      dirty: 0,
      pending: 0,
    });
  }

  /** The other replica, when it can be talked to. */
  #peer(host: Host): Host | null {
    const peer = this.#hosts.find((h) => h.node !== host.node && this.isReplica(h.node));
    if (peer === undefined || this.cut) return null;
    if (!peer.data.alive || peer.pausedUntil >= 0 || peer.core === null) return null;
    return peer;
  }

  tick(): void {
    for (const host of this.#hosts) {
      const { data, disk } = host;
      const { record } = data;
      if (!data.alive || host.pausedUntil >= 0 || record === null) continue;
      if (!data.primary) {
        // RULE-11 again: whoever may be promoted alone has flushed what it acknowledged.
        if (this.#peer(host)?.data.primary !== true) disk.flushed = disk.cached;
        continue;
      }
      if (data.activeIn < record.epoch) {
        this.#activate(host);
        data.activeIn = record.epoch;
        this.report(host, {
          kind: 'active',
          volume: VOLUME,
          epoch: record.epoch,
          cause: data.cause,
        });
      }
      if (this.#world.clock(host) >= data.until) continue;
      const peer = this.#peer(host);
      const members = record.members.map((m) => m.node);
      const named = record.members.find((m) => m.node === peer?.node);
      // A member in another life is none: it is left out before anything is acknowledged.
      const same = named === undefined || named.boot === peer?.boot;
      // Every loss of the peer is a removal: in this epoch it acknowledges nothing any more,
      // because the record that leaves it out may come at any time.
      const lost = data.wanted.startsWith(`${record.epoch} `) && data.wanted.endsWith('peer-lost');
      const willing = peer !== null && !lost && same && !peer.data.primary;
      const takes = willing && peer.disk.seen <= record.epoch;
      // A peer that was asked to be let in again has every write from then on: the record that
      // lets it in may come at any time.
      const adding = data.addingIn === record.epoch;
      const inSync = peer !== null && (adding || members.includes(peer.node));
      this.#writes += 1;
      disk.cached = this.#writes;
      if (takes && inSync) {
        peer.disk.cached = this.#writes;
        peer.disk.seen = record.epoch;
      }
      const both = takes && inSync;
      const acked = (both || !adding) && members.every((m) => m === host.node || both);
      if (acked) this.#ack(host, takes && inSync ? peer : null, record.epoch);
      if (!takes && (adding || members.length > 1)) {
        // RULE-11: what was acknowledged by both must be stable here before the other is removed.
        disk.flushed = disk.cached;
        this.#want(host, [host.node], 'peer-lost');
      }
      if (takes && !inSync) this.#resync(host, peer);
      if (!takes) data.syncedSince = -1;
    }
  }

  #ack(host: Host, peer: Host | null, epoch: number): void {
    if (this.#writes <= this.#acked) return;
    const other = this.#hosts.find((h) => h !== host && h.disk.seen > epoch && h.data.primary);
    const right = other === undefined ? -1 : other.data.until - this.#world.clock(other);
    if (right > 0 && host.data.primary) this.#world.violate('two-writers');
    this.#acked = this.#writes;
    this.#lostPower.clear();
    // A peer that is not a member yet has the write too, and no promise rests on it.
    const named = host.data.record?.members.some((m) => m.node === peer?.node) ?? false;
    this.#holding = peer === null || !named ? [host.node] : [host.node, peer.node];
    if (this.#writes % 10 !== 0) return;
    host.disk.flushed = host.disk.cached;
    if (peer !== null) peer.disk.flushed = peer.disk.cached;
    this.#flushed = this.#writes;
  }

  #activate(host: Host): void {
    host.disk.flushed = host.disk.cached;
    const { cached } = host.disk;
    if (cached < this.#flushed) this.#world.violate('flushed-write-lost');
    // When all that had it lost their power, only what was flushed is promised.
    const kept = this.#holding.some((node) => !this.#lostPower.has(node));
    if (cached < this.#acked && kept) this.#world.violate('acknowledged-write-lost');
    if (cached < this.#acked) this.#acked = cached;
  }

  #want(host: Host, members: readonly number[], reason: 'peer-lost' | 'resync-done'): void {
    const epoch = host.data.record?.epoch ?? 0;
    const key = `${epoch} ${members.join()} ${reason}`;
    if (host.data.wanted === key) return;
    host.data.wanted = key;
    const peerBoot = this.#hosts.find((h) => h !== host && this.isReplica(h.node))?.boot ?? 0;
    const wish = {
      volume: VOLUME,
      epoch,
      members,
      peerBoot,
      peerDisk: 0,
      reason,
      cause: '',
    } as const;
    this.report(host, { kind: 'want', ...wish });
  }

  #resync(host: Host, peer: Host): void {
    const { data } = host;
    if (data.syncedSince < 0 || data.syncedBoot !== peer.coreLife) {
      data.syncedSince = this.#world.now();
      data.syncedBoot = peer.coreLife;
      peer.disk.state = 'Inconsistent';
      this.#tellState(peer);
      data.wanted = '';
      return;
    }
    if (this.#world.now() - data.syncedSince < 300 * MS) return;
    peer.disk.cached = host.disk.cached;
    peer.disk.flushed = peer.disk.cached;
    host.disk.flushed = host.disk.cached;
    const nodes = [host.node, peer.node].sort((a, b) => a - b);
    data.addingIn = data.record?.epoch ?? 0;
    this.#want(host, nodes, 'resync-done');
  }
}
