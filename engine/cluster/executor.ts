/**
 * What this node does for the groups that the log gives it. Level-triggered: each pass compares
 * the committed state with what data actors and monitor report, and asks for the next step. It
 * acts only in the life that the log names, only under the lease, and only after "I may be
 * running this" is durable.
 */
import type { Epoch, Micros } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import type { LocalApplication } from './applications.ts';
import { Applications } from './applications.ts';
import type { Context } from './context.ts';
import type { GroupState } from './entries.ts';
import type { Unit } from './groups.ts';
import type { LeaseHolder } from './lease.ts';
import type { GroupFacts } from './messages.ts';
import type { Durability } from './persist.ts';
import { type ClusterState, groupOf, recordOf } from './state.ts';
import type { LocalVolume, Volumes } from './volumes.ts';

const STABLE_AFTER = 600_000_000;
const DEMOTE_EVERY = 1_000_000;
const FOREVER = 1_000_000_000_000;

/** "I may be running this": written before the first effect, removed after a proven stop. */
export interface Running {
  readonly group: string;
  readonly epoch: Epoch;
  readonly boot: number;
}

export class Executor {
  readonly #context: Context;
  readonly #durability: Durability;
  readonly #lease: LeaseHolder;
  readonly #volumes: Volumes;
  readonly #state: () => ClusterState;
  readonly applications: Applications;
  #running: readonly Running[] = [];
  /** The part of `#running` that is durable. */
  #durable = new Map<string, Epoch>();
  #demotedAt = new Map<string, Micros>();
  /** What this life told the guardian last; null while the word of an earlier life stands. */
  #guardian: { armed: boolean; until: Micros } | null = null;
  #causes = new Map<string, string>();
  /** The event in which the lease ran out last. */
  #lapse = '';

  constructor(
    context: Context,
    durability: Durability,
    lease: LeaseHolder,
    volumes: Volumes,
    state: () => ClusterState,
  ) {
    this.#context = context;
    this.#durability = durability;
    this.#lease = lease;
    this.#volumes = volumes;
    this.#state = state;
    this.applications = new Applications(context);
  }

  get running(): readonly Running[] {
    return this.#running;
  }

  /**
   * What an earlier life may have left behind; a lost host left nothing. Null when the store is
   * empty: it may have been lost, and whatever may run on this node may be running until the
   * monitor says otherwise.
   */
  restore(written: readonly Running[] | null): void {
    const { node, boot, units, flags } = this.#context;
    const own = units.filter((unit) => !unit.implicit && unit.nodes.includes(node));
    const all = own.map(({ group }) => ({ group: group.name, epoch: 0, boot }));
    const running = written ?? (flags['blank-core-clean'] ? [] : all);
    this.#running = running.filter((r) => r.boot === boot);
    for (const r of this.#running) this.#durable.set(r.group, r.epoch);
    for (const unit of this.#context.units) {
      const left = this.#running.find((r) => r.group === unit.group.name);
      this.applications.begin(unit, left?.epoch ?? null);
    }
  }

  /** The event that made the group's present state known here, for causes. */
  note(group: string, event: string): void {
    this.#causes.set(group, event);
  }

  /** The lease ran out: stops from now on are for that. */
  lapsed(event: string): void {
    this.#lapse = event;
  }

  get until(): Micros {
    if (this.#context.flags['lease-never-checked']) return this.#context.now + FOREVER;
    return this.#lease.until;
  }

  held(): boolean {
    return this.#context.flags['lease-never-checked'] || this.#lease.held(this.#context.now);
  }

  /** Whether the log gives the group to this very life of this core. */
  mine(group: GroupState): boolean {
    const { node, boot, life, flags } = this.#context;
    if (group.owner !== node) return false;
    if (flags['boot-rule-skipped']) return true;
    return group.ownerBoot === boot && group.ownerLife === life;
  }

  /** One pass over all groups of this node. */
  run(): void {
    for (const unit of this.#context.units) {
      const volume = this.#volumes.get(unit.volume.name);
      const group = groupOf(this.#state(), unit.group.name);
      const record = recordOf(this.#state(), unit.volume.name);
      if (volume === null || group === null || record === null) continue;
      this.#unit(unit, group, record, volume);
    }
    this.guard();
  }

  /** The lease now lasts longer: tell everyone who acts under it. */
  extend(): void {
    for (const unit of this.#context.units) {
      const volume = this.#volumes.get(unit.volume.name);
      const group = groupOf(this.#state(), unit.group.name);
      if (volume === null || group === null) continue;
      if (volume.engaged && group.base.length === 0) this.#volumes.grant(volume, this.until);
      // After a restart of the core the application goes on while the log decides the new epoch.
      if (group.owner === this.#context.node && group.ownerBoot === this.#context.boot) {
        this.applications.renew(unit, this.until);
      }
    }
    this.guard();
  }

  /** Tells the guardian how long it may pet, and whether there is anything to guard. */
  guard(): void {
    if (this.#context.flags['guardian-never-armed']) return;
    let armed = false;
    for (const unit of this.#context.units) {
      if (unit.implicit || !this.#running.some((r) => r.group === unit.group.name)) continue;
      const application = this.applications.get(unit);
      if (this.held() || !application.quiet) armed = true;
    }
    const told = this.#guardian;
    const over = armed && this.#overstays();
    // What an earlier life of the core said stands, if this one has said nothing yet.
    if (told === null && armed && (over || !this.held())) return;
    const until = told !== null && over ? Math.min(told.until, this.until) : this.until;
    if (told !== null && armed === told.armed && (until === told.until || !armed)) return;
    this.#guardian = { armed, until };
    this.#context.decide({ kind: 'guardian', armed, until });
  }

  /**
   * Whether something runs here that is another node's by the log. It is not to outlive the right
   * under which it began, though this node has a lease again: a guest that stood still and woke, or
   * whose application stops slowly, would go on beside its successor for as long as that takes.
   */
  #overstays(): boolean {
    if (this.#context.flags['overstay-petted']) return false;
    return this.#running.some(({ group: name }) => {
      const unit = this.#context.units.find((each) => each.group.name === name);
      if (unit === undefined || unit.implicit || this.applications.get(unit).quiet) return false;
      const owner = groupOf(this.#state(), name)?.owner ?? 0;
      return owner !== 0 && owner !== this.#context.node;
    });
  }

  facts(): readonly GroupFacts[] {
    const facts: GroupFacts[] = [];
    for (const unit of this.#context.units) {
      const volume = this.#volumes.get(unit.volume.name);
      const group = groupOf(this.#state(), unit.group.name);
      if (volume === null || group === null) continue;
      facts.push(this.#factsOf(unit, group, volume));
    }
    return facts;
  }

  #factsOf(unit: Unit, group: GroupState, volume: LocalVolume): GroupFacts {
    const application = this.applications.get(unit);
    const mine = this.mine(group);
    const active = volume.active >= group.recordEpoch && volume.engaged;
    const runs = mine && active && application.runs(group.epoch);
    const stable = runs && this.#context.now - application.runningSince >= STABLE_AFTER;
    const quiet = application.quiet || this.#context.flags['clean-while-running'];
    const clean = quiet && !volume.engaged;
    const stopped = mine && group.phase === 'stopping' && clean;
    // A replica that fails is why the owner stops, whatever its application said last.
    const failure = group.phase === 'stopping' ? '' : volume.failure;
    const ofData = volume.told > application.told || application.event === '';
    const last = ofData ? volume.event : application.event;
    const tainted = mine && volume.attached && group.recordEpoch <= volume.taint;
    return {
      group: group.group,
      active: mine && active ? group.epoch : 0,
      running: runs ? group.epoch : 0,
      stopped: stopped ? group.epoch : 0,
      failed: mine && application.failedIn(group.epoch) ? group.epoch : 0,
      stable: stable ? group.epoch : 0,
      stopFailed: application.state === 'stop-failed',
      clean,
      readopt: tainted ? group.epoch : 0,
      event: failure || last || this.#context.started,
    };
  }

  #unit(unit: Unit, group: GroupState, record: VolumeRecord, volume: LocalVolume): void {
    const application = this.applications.get(unit);
    const cause = this.#causes.get(group.group) ?? '';
    if (!this.mine(group)) {
      this.#leave(unit, group, record, volume, application, cause);
      return;
    }
    if (group.phase === 'stopping') {
      this.#stop(unit, group, record, volume, application, cause);
      return;
    }
    if (group.phase !== 'starting' && group.phase !== 'online') return;
    if (!this.held()) {
      if (!application.quiet) {
        const lapse = this.#lapse === '' ? cause : this.#lapse;
        this.applications.stop(unit, 'lease-lapsed', lapse);
      }
      // The record still reaches data, which acts only under a grant.
      if (volume.engaged) this.#volumes.record(volume, record, cause);
      return;
    }
    const stale = record.epoch <= volume.taint && !this.#context.flags['boot-rule-skipped'];
    if (!volume.attached || stale) return;
    if (!this.#declared(group)) return;
    if (group.base.length > 0) {
      // A grant of an earlier turn as primary must have run out: nothing is acknowledged yet.
      if (volume.engaged || this.#context.now >= volume.granted) {
        this.#volumes.record(volume, record, cause);
      }
      return;
    }
    this.#volumes.record(volume, record, cause);
    this.#volumes.grant(volume, this.until);
    if (volume.active < group.recordEpoch) return;
    if (application.failedIn(group.epoch)) {
      this.applications.stop(unit, 'failed', cause);
      return;
    }
    const why = volume.event !== '' ? volume.event : cause;
    this.applications.start(unit, group.epoch, this.until, why);
  }

  /** The log wants a stop: application first, then data, each confirmed. */
  #stop(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    volume: LocalVolume,
    application: LocalApplication,
    cause: string,
  ): void {
    if (!application.quiet) {
      this.applications.stop(unit, 'group-stop', cause);
      return;
    }
    if (!volume.engaged) return;
    if (this.held() && group.base.length === 0) this.#volumes.grant(volume, this.until);
    const moved = this.#volumes.record(volume, record, cause);
    const at = this.#demotedAt.get(unit.group.name) ?? -DEMOTE_EVERY;
    if (!moved && this.#context.now - at < DEMOTE_EVERY) return;
    this.#demotedAt.set(unit.group.name, this.#context.now);
    this.#volumes.demote(volume, record.epoch, cause);
  }

  /** Not ours, or not in this life: stop what runs, follow the record. */
  #leave(
    unit: Unit,
    group: GroupState,
    record: VolumeRecord,
    volume: LocalVolume,
    application: LocalApplication,
    cause: string,
  ): void {
    const { node, boot } = this.#context;
    // Of a doubted copy the log may have to wait for the other one, and then move the group there.
    const broken =
      volume.disk === 'Failed' ||
      volume.disk === 'Diskless' ||
      volume.disk === 'Inconsistent' ||
      // It served through others, and they alone have everything.
      (record.primary === node && !record.members.some((m) => m.node === node)) ||
      (record.members.length > 1 && this.#volumes.isDoubted(volume.volume));
    const waits =
      group.owner === node &&
      group.ownerBoot === boot &&
      group.phase !== 'stopping' &&
      !(volume.attached && broken) &&
      !group.failed.includes(node);
    // While the log decides our new epoch the application goes on: the monitor ends it by itself
    // when the lease it was started under runs out.
    if (!application.quiet && !waits) this.applications.stop(unit, 'not-owner', cause);
    if (group.owner === node) this.#context.reached('boot-unknown-owner');
    if (record.primary !== node) this.#volumes.record(volume, record, cause);
    if (!waits && application.quiet && !volume.engaged) this.#undeclare(group.group);
  }

  /** True when "I may be running this" is durable for the group's epoch. */
  #declared(group: GroupState): boolean {
    if (this.#durable.get(group.group) === group.epoch) return true;
    if (!this.#running.some((r) => r.group === group.group && r.epoch === group.epoch)) {
      const { boot } = this.#context;
      const others = this.#running.filter((r) => r.group !== group.group);
      this.#running = [...others, { group: group.group, epoch: group.epoch, boot }];
      this.#durability.mark();
      this.#durability.after(() => {
        this.#durable.set(group.group, group.epoch);
        this.run();
      });
    }
    return false;
  }

  #undeclare(group: string): void {
    if (!this.#running.some((r) => r.group === group)) return;
    this.#running = this.#running.filter((r) => r.group !== group);
    this.#durable.delete(group);
    this.#durability.mark();
  }
}
