/** Hears everything that happens in a world, tells the oracles, and keeps the run's tallies. */
import type { ClusterConfig } from '../../engine/core/config.ts';
import type { DataReport, VolumeRecord } from '../../engine/data/messages.ts';
import { isOffered } from '../../engine/ports/frontend.ts';
import type { Client } from './client.ts';
import type { CacheLoss } from './disk-options.ts';
import type { Moment } from './fault.ts';
import type { FaultDriver } from './fault-driver.ts';
import type { SimHost } from './host.ts';
import type { Kernel } from './kernel.ts';
import type { ApplicationState, Observer } from './observer.ts';
import type { VolumeOracles } from './oracle/oracles.ts';
import type { ReplicaTruth } from './oracle/truth.ts';
import { type Finding, Verdict } from './oracle/verdict.ts';
import type { RunOutcome, WorldFacts } from './outcome.ts';
import type { SimLeg } from './volume.ts';

const BLOCK_BYTES = 4096;

/** What the engine puts on the timeline that faults may wait for. */
const MOMENT_OF: { readonly [kind: string]: Moment } = {
  'mirror.handshake': 'handshake',
  'mirror.target.end': 'copied',
  'mirror.resync.end': 'resync-end',
};

export class WorldWatch implements Observer {
  readonly facts: WorldFacts = { forgot: false };
  verdict: Verdict;
  broken = false;
  watchdogs = 0;
  /** Where the first group runs, or ran last. */
  primary = 0;
  firstGroup = '';
  readonly #kernel: Kernel;
  #hosts: readonly SimHost[] = [];
  #legs: readonly SimLeg[] = [];
  #clients: readonly Client[] = [];
  #oracles: readonly VolumeOracles[] = [];
  #driver: FaultDriver | null = null;
  /** Per group: its volume's index. */
  #volumes: readonly number[] = [];
  #crashes = 0;
  #crashesWithIo = 0;
  #resyncs = 0;
  readonly #marks = new Map<string, number>();
  #primaries: number[][] = [];
  /** Per replica: its host. */
  #hostOf: readonly SimHost[] = [];
  /** Which replicas are offered to clients now. */
  #offered: boolean[] = [];
  /** Bytes that clients of each replica are shown, and the most that a volume has ever shown. */
  #shown: number[] = [];
  #most: number[] = [];
  /** Per volume: whether an application uses it; else clients come wherever it is offered. */
  #used: readonly boolean[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.verdict = new Verdict(
      () => 0,
      () => true,
      () => {},
    );
  }

  wire(
    config: ClusterConfig,
    hosts: readonly SimHost[],
    legs: readonly SimLeg[],
    clients: readonly Client[],
    oracles: readonly VolumeOracles[],
    verdict: Verdict,
    driver: FaultDriver,
  ): void {
    this.#hosts = hosts;
    this.#legs = legs;
    this.#clients = clients;
    this.#oracles = oracles;
    this.verdict = verdict;
    this.#driver = driver;
    this.firstGroup = config.groups[0]?.name ?? '';
    this.#volumes = config.groups.map((group) =>
      config.volumes.findIndex((volume) => volume.name === group.volume),
    );
    this.#primaries = config.volumes.map(() => []);
    this.#offered = legs.map(() => false);
    this.#shown = legs.map(() => 0);
    this.#most = config.volumes.map(() => 0);
    this.#hostOf = legs.map((leg) => hosts.find(({ node }) => node === leg.node) as SimHost);
    this.#used = config.volumes.map(({ name }) =>
      config.groups.some(({ volume, application }) => volume === name && application !== null),
    );
  }

  reached(mark: string): void {
    this.#marks.set(mark, (this.#marks.get(mark) ?? 0) + 1);
  }

  found(finding: Finding): void {
    this.broken ||= finding.broken;
    this.#kernel.worldEvent(finding.node, finding.broken ? 'violation' : 'detected', {
      law: finding.law,
      code: finding.code,
      ...finding.d,
    });
  }

  attaching(leg: number): void {
    this.#own(leg)?.attaching(this.#replica(leg));
    this.moment('attach', this.#replica(leg).node);
  }

  moment(moment: Moment, node: number): void {
    if (moment === 'meta-write') {
      for (const leg of this.#legs) {
        if (leg.node !== node) continue;
        const replica = this.#replica(leg.index);
        this.#own(leg.index)?.wayBack.look(replica);
        this.#own(leg.index)?.prefix.look(replica);
      }
    }
    this.#driver?.moment(moment, node);
  }

  record(leg: number, record: VolumeRecord): void {
    this.#own(leg)?.record(this.#replica(leg), record);
  }

  grant(leg: number, until: number): void {
    this.#own(leg)?.grant(this.#replica(leg), until);
  }

  report(leg: number, report: DataReport): void {
    const own = this.#own(leg);
    const replica = this.#replica(leg);
    if (report.kind === 'state') this.#moments(replica, report.link, report.role);
    if (report.kind === 'want' && report.reason !== 'resync-done') this.#driver?.moment('removal');
    own?.report(replica, report);
    if (report.kind === 'size') this.#shows(leg, report.bytes);
    this.#offer(leg, isOffered(this.#offered[leg] === true, report));
    if (report.kind === 'stopped') this.#driver?.moment('hand-over');
    if (report.kind === 'event') {
      const moment = MOMENT_OF[report.event.kind];
      if (moment !== undefined) this.#driver?.moment(moment);
    }
    if (report.kind === 'active') this.#active(leg);
  }

  /** Whether clients may come to this replica: where its application runs, or it is offered. */
  welcomes(leg: number, group: number): boolean {
    const host = this.#hostOf[leg] as SimHost;
    if (host.frozen) return false;
    if (this.#used[(this.#legs[leg] as SimLeg).volume])
      return host.applications.state(group) === 'running';
    return this.#offered[leg] as boolean;
  }

  /** Hosts on which the volume is served: by its application, or to whoever comes. */
  serving(volume: number): readonly number[] {
    if (this.#used[volume]) return this.#oracles[volume]?.holder.running ?? [];
    const offered = this.#legs.filter((leg) => leg.volume === volume && this.#offered[leg.index]);
    return offered.map(({ node }) => node);
  }

  /** A data actor starts that shows so many bytes to clients. */
  begins(leg: number, bytes: number): void {
    this.#shown[leg] = bytes;
  }

  /** Bytes that clients of the replica are shown. */
  shownBy(leg: number): number {
    return this.#shown[leg] as number;
  }

  #shows(leg: number, bytes: number): void {
    this.#shown[leg] = bytes;
    if (this.#offered[leg]) this.#seen(leg);
  }

  /**
   * A file system that was made for more would find its end gone. Whoever led before, and has not
   * heard that it does no more, answers nobody, whatever it still shows.
   */
  #seen(leg: number): void {
    const { volume, node } = this.#legs[leg] as SimLeg;
    if (this.#oracles[volume]?.truth.record?.primary !== node) return;
    const [bytes, most] = [this.#shown[leg] as number, this.#most[volume] as number];
    this.#most[volume] = Math.max(bytes, most);
    if (bytes < most) this.verdict.find('LAW-register', node, 'register.shrunk', { bytes, most });
  }

  #offer(leg: number, open: boolean): void {
    if (this.#offered[leg] === open) return;
    this.#offered[leg] = open;
    if (open) this.#seen(leg);
    const own = this.#legs[leg] as SimLeg;
    if (this.#used[own.volume]) return;
    if (open && own.volume === 0) this.primary = own.node;
    if (!open) this.#clients[own.volume]?.disconnected(own.side, !own.alive());
  }

  linkUp(leg: number, peer: number): void {
    this.#own(leg)?.linkUp(this.#replica(leg), peer);
    this.moment('link-up', this.#replica(leg).node);
  }

  peerAck(leg: number, epoch: number): void {
    this.#own(leg)?.peerAck(this.#replica(leg), epoch);
  }

  completed(leg: number, slot: number, status: number): void {
    const own = this.#legs[leg] as SimLeg;
    this.#clients[own.volume]?.completed(own, slot, status);
  }

  coreStarted(node: number): void {
    this.#kernel.worldEvent(node, 'world.core-started', {});
  }

  coreDied(node: number): void {
    this.#kernel.worldEvent(node, 'world.core-died', {});
    for (const leg of this.#legs) {
      if (leg.node !== node) continue;
      this.#offered[leg.index] = false;
      this.#own(leg.index)?.coreDied(this.#replica(leg.index));
      this.#clients[leg.volume]?.disconnected(leg.side, true);
    }
  }

  /** Counts a crash, and whether it struck writes on the disk or requests of clients. */
  crashing(node: number, writesInFlight: boolean): boolean {
    const asked = this.#legs.some(
      (leg) => leg.node === node && (this.#clients[leg.volume]?.inFlightAt(leg.side) ?? 0) > 0,
    );
    const ioInFlight = writesInFlight || asked;
    this.#crashes += 1;
    if (ioInFlight) this.#crashesWithIo += 1;
    return ioInFlight;
  }

  powerLost(node: number, ioInFlight: boolean): void {
    this.#kernel.worldEvent(node, 'world.power-lost', { ioInFlight });
    const boot = this.#hosts.find((host) => host.node === node)?.boot ?? 0;
    for (const leg of this.#legs) {
      if (leg.node !== node) continue;
      const own = this.#own(leg.index) as VolumeOracles;
      own.powerLost(this.#replica(leg.index), boot);
      this.facts.forgot ||= own.forgot;
    }
  }

  diskFailed(leg: number, loss: CacheLoss): void {
    const replica = this.#replica(leg);
    this.#kernel.worldEvent(replica.node, 'world.disk-failed', { cache: loss });
    const own = this.#own(leg) as VolumeOracles;
    own.diskFailed(replica, loss);
    this.facts.forgot ||= own.forgot;
  }

  receiptLost(leg: number): void {
    const replica = this.#replica(leg);
    this.#kernel.worldEvent(replica.node, 'world.receipt-lost', {});
    const own = this.#own(leg) as VolumeOracles;
    own.receiptLost(replica);
    this.facts.forgot ||= own.forgot;
  }

  application(group: number, node: number, state: ApplicationState): void {
    this.#kernel.worldEvent(node, `world.application-${state}`, { group });
    const volume = this.#volumes[group] as number;
    if (group === 0 && state === 'running') this.primary = node;
    this.#oracles[volume]?.application(node, state);
    if (state === 'stopping') this.#driver?.moment('stop');
    if (state !== 'stopping' && state !== 'stopped') return;
    for (const leg of this.#legs) {
      if (leg.volume !== volume || leg.node !== node) continue;
      this.#clients[volume]?.disconnected(leg.side, !leg.alive());
    }
  }

  brokenBelief(node: number, belief: string): void {
    this.verdict.find('LAW-no-panic', node, 'panic.invariant', { belief });
  }

  storm(node: number, kind: string): void {
    this.verdict.find('LAW-no-panic', node, 'panic.storm', { kind });
  }

  /** The run's tallies as a result. */
  outcome(
    setup: { readonly config: ClusterConfig; readonly endAt: number },
    driver: FaultDriver,
    clients: readonly Client[],
    oracles: readonly VolumeOracles[],
  ): RunOutcome {
    const kernel = this.#kernel;
    let ios = 0;
    for (const client of clients) ios += client.done;
    return {
      traceHash: kernel.hash.digest(),
      events: kernel.events,
      simSeconds: kernel.now / 1_000_000,
      ios,
      findings: this.verdict.findings,
      faultsFired: sorted(driver.fired),
      statesReached: sorted(this.#marks),
      groups: setup.config.volumes.map((volume, index) => {
        const client = clients[index] as Client;
        const own = oracles[index] as VolumeOracles;
        const group = setup.config.groups.find((each) => each.volume === volume.name);
        return {
          group: group?.name ?? '',
          volume: volume.name,
          outage: client.outage,
          outageFrom: client.outageFrom,
          tookOver: (this.#primaries[index] as number[]).slice(1),
          dataAtRisk: own.dirtyMax * BLOCK_BYTES,
          blocked: own.blocked,
          forgot: own.forgot,
        };
      }),
      crashes: this.#crashes,
      crashesWithIoInFlight: this.#crashesWithIo,
      watchdogResets: this.watchdogs,
      resyncs: this.#resyncs,
      timeline: kernel.timeline ?? [],
    };
  }

  #active(leg: number): void {
    const own = this.#legs[leg] as SimLeg;
    const primaries = this.#primaries[own.volume] as number[];
    if (primaries.at(-1) === own.node) return;
    primaries.push(own.node);
    if (primaries.length > 1) this.#driver?.moment('take-over');
  }

  #moments(replica: ReplicaTruth, link: string, role: string): void {
    const syncing = link === 'SyncTarget';
    if (!syncing || replica.link === link || role === 'Primary') return;
    this.#resyncs += 1;
    this.#driver?.moment('resync');
  }

  #own(leg: number): VolumeOracles | undefined {
    return this.#oracles[(this.#legs[leg] as SimLeg).volume];
  }

  #replica(leg: number): ReplicaTruth {
    const own = this.#legs[leg] as SimLeg;
    return (this.#oracles[own.volume] as VolumeOracles).truth.replicas[own.side] as ReplicaTruth;
  }
}

function sorted(tallies: ReadonlyMap<string, number>): { [name: string]: number } {
  const result: { [name: string]: number } = {};
  for (const name of [...tallies.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
    result[name] = tallies.get(name) as number;
  }
  return result;
}
