/**
 * A primary whose own disk has failed goes on through the other members (docs/decisions/0030).
 * Until the log has left its replica out it completes nothing, and what was under way is made
 * stable where it stays. From then on its own disk is neither written nor believed. A member that
 * is lost as well ends this for good: the volume moves, as it does when a disk fails elsewhere.
 */
import { Flag } from '../data/abi.ts';
import type { VolumeRecord } from '../data/messages.ts';
import { Mode } from './mode.ts';
import { isNamed } from './partner.ts';
import type { Parts } from './parts.ts';
import { Kind, Peer, Phase } from './request.ts';
import { isProxied, Through } from './state.ts';
import { Deadline } from './turn.ts';
import { Wishes } from './wish.ts';

/** How far it is on the way there. */
const Stage = {
  None: 0,
  /** What was sent to the members is answered. */
  Draining: 1,
  /** It becomes stable there. */
  Flushing: 2,
  /** The log is asked, and then the members are told. */
  Asking: 3,
  Telling: 4,
} as const;

export class ProxyRole {
  readonly #p: Parts;
  readonly #wishes: Wishes;
  #stage: number = Stage.None;
  /** Counts the times it began or ended: what an earlier one waited for concerns nobody. */
  #run = 0;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#wishes = new Wishes(parts);
  }

  /** Whether it goes on without its own disk, or is about to. */
  get active(): boolean {
    return this.#p.state.through !== Through.No;
  }

  /** What a client's write asks a member for. The only copy must be written, and not received. */
  get receipt(): number {
    const { config, canary } = this.#p;
    return config.semiSync && (!this.active || canary.proxyReceipt) ? Flag.Receipt : 0;
  }

  /** The own disk has failed, just now; false where the volume does not go on from here. */
  begin(): boolean {
    const { state, turn, partners, barrier, writes, repair, verify, config } = this.#p;
    if (!this.#mayBegin()) return false;
    state.lead = false;
    state.through = Through.Asked;
    this.#run += 1;
    this.#stage = Stage.Draining;
    turn.reached('mirror.proxy.begun');
    // Whoever is no member is copied to from this disk.
    for (const { link, required } of partners.all) if (!required) link.drop('disk-failed');
    barrier.suspend();
    writes.suspend();
    repair.suspend();
    verify.suspend();
    turn.due(Deadline.Connect, turn.now + config.connectTimeout);
    return true;
  }

  /** End of a turn: what was under way may have ended. */
  pump(): void {
    if (this.#stage !== Stage.Draining || !this.#isDrained()) return;
    const run = this.#run;
    this.#stage = Stage.Flushing;
    // Where it was only received, and as long as both replicas count: once this one is left out, a
    // loss of power would lose there what this one may still have (RULE-11).
    const asks = () => {
      if (run !== this.#run || !this.#isWhole()) return;
      this.#stage = Stage.Asking;
      this.#wishes.say(this.#members(), 'disk-failed');
    };
    this.#p.turn.under(this.#p.state.failure, () => {
      if (this.#p.canary.proxyUnflushed) asks();
      else this.#p.flushes.atPeers(asks);
    });
  }

  /** The record keeps this host as the primary, without its replica; false where it cannot be. */
  lead(record: VolumeRecord): boolean {
    const { state, partners, turn, config, canary } = this.#p;
    if (!isProxied(record) || !this.active || !this.#isWhole()) return false;
    for (const { node, boot } of record.members) {
      const partner = partners.at(node);
      if (partner?.required !== true || partner.link.peerBoot !== boot) return false;
    }
    state.record = record;
    state.lead = false;
    state.demoted = false;
    state.through = Through.Asked;
    this.#stage = Stage.Telling;
    turn.due(Deadline.Connect, turn.now + config.connectTimeout);
    for (const partner of partners.all) {
      const { link, node } = partner;
      partner.required = isNamed(record, node);
      if (partner.required) link.announce(record);
      else link.drop('member-changed');
      partner.told ||= canary.proxyUntold;
    }
    if (canary.proxyUntold) this.told();
    return true;
  }

  /** A member has the present record durably; true where nobody else is to go on by that. */
  told(): boolean {
    const { state, turn, partners, config, writes, barrier } = this.#p;
    if (state.through === Through.No) return false;
    if (this.#stage !== Stage.Telling || partners.missed) return true;
    this.#stage = Stage.None;
    state.through = Through.On;
    state.lead = true;
    turn.due(Deadline.Connect, Number.POSITIVE_INFINITY);
    turn.reached('mirror.proxy.on');
    const { epoch } = state;
    const cause = turn.event('mirror.proxy', { epoch, members: this.#members().join(' ') });
    turn.report({ kind: 'active', volume: config.volume, epoch, proxies: true, cause });
    barrier.told();
    writes.resume();
    writes.releaseRequired();
    return true;
  }

  /** The deadline to get there is over. */
  late(): void {
    const { state, turn } = this.#p;
    if (state.through === Through.Asked) turn.under(state.failure, () => this.end('late'));
  }

  /** It cannot go on: from here this is a replica that has failed. */
  end(reason: string): void {
    const { state, turn, partners } = this.#p;
    if (state.through === Through.No) return;
    turn.due(Deadline.Connect, Number.POSITIVE_INFINITY);
    turn.reached('mirror.proxy.ended');
    turn.cause = turn.event('mirror.proxy.end', { epoch: state.epoch, reason });
    this.over();
    state.lead = false;
    for (const { link } of partners.all) link.drop('disk-failed');
  }

  /** Another leads, or nobody does. */
  over(): void {
    this.#p.state.through = Through.No;
    this.#stage = Stage.None;
    this.#run += 1;
  }

  /** Whether it serves, with nothing else under way, and everybody in step can do it all. */
  #mayBegin(): boolean {
    const { config, state, role } = this.#p;
    if (!config.proxies || !state.lead || state.demoting || state.fencing || role.busy)
      return false;
    return role.latest === state.record && this.#isWhole();
  }

  /** Whether every member but this one is in step, and there are some. */
  #isWhole(): boolean {
    let some = false;
    for (const { required, told, link } of this.#p.partners.all) {
      if (!required) continue;
      if (link.mode !== Mode.Sync || (!told && this.#stage !== Stage.Telling)) return false;
      some = true;
    }
    return some;
  }

  #members(): number[] {
    const required = this.#p.partners.all.filter((partner) => partner.required);
    return required.map(({ node }) => node).sort((a, b) => a - b);
  }

  /** Whether every member has answered what it was sent. */
  #isDrained(): boolean {
    const { slots, partners, turn } = this.#p;
    for (const { required, write } of partners.all) {
      for (let slot = 0; required && slot < turn.memory.layout.frontSlots; slot += 1) {
        if (slots.kind[slot] !== Kind.Write || slots.phase[slot] !== Phase.Flying) continue;
        if (write[slot] !== Peer.Acked) return false;
      }
    }
    return true;
  }
}
