/**
 * The data actor of one mirrored volume: routes each event record to the part that owns it and
 * closes the turn. Call `step(0, now)` once to start it: it then attaches its replica.
 */
import { invariant } from '../core/invariant.ts';
import type { Rng } from '../core/rng.ts';
import type { BootId, Micros, NodeId } from '../core/units.ts';
import { Decision, Event, PAGE_BYTES, slotCount } from '../data/abi.ts';
import type { DataMemory, Records } from '../data/memory.ts';
import type { DataActor, DataCommand, DiskState, Mailboxes, Role } from '../data/messages.ts';
import { startOf } from '../timeline/event.ts';
import { ActivityLog } from './activity-log.ts';
import { ReadBalance } from './balance.ts';
import { Barrier } from './barrier.ts';
import { keepsOrdered } from './branch.ts';
import { checkMirrorConfig, type MirrorConfig } from './config.ts';
import { DiskWatch } from './disk-watch.ts';
import { Flushes } from './flushes.ts';
import { Follower } from './follower.ts';
import { Health } from './health.ts';
import { BranchKeeper } from './kept-branch.ts';
import type { Link } from './link.ts';
import { LocalIo } from './local-io.ts';
import { Meters } from './meters.ts';
import { type Partner, Partners } from './partner.ts';
import type { Parts } from './parts.ts';
import { PeerReads } from './peer-read.ts';
import { PeerWrites } from './peer-write.ts';
import { Points } from './points.ts';
import { ProxyRole } from './proxy.ts';
import { Quiesce } from './quiesce.ts';
import { RangeLock } from './range-lock.ts';
import { Receipts } from './receipts.ts';
import { Repair } from './repair.ts';
import { Kind, Slots } from './request.ts';
import { ResyncSource } from './resync-source.ts';
import { ResyncTarget } from './resync-target.ts';
import { RoleMachine } from './role.ts';
import { Spare } from './spare.ts';
import { MirrorState, Through } from './state.ts';
import { Store } from './store.ts';
import { Sums, WAITS } from './sums.ts';
import { canarySwitches } from './switches.ts';
import { Deadline, Turn, watchOf } from './turn.ts';
import { Undo } from './undo.ts';
import { UndoReturn } from './undo-return.ts';
import { Unproved } from './unproved.ts';
import { Verify } from './verify.ts';
import { FrontWrites } from './write-path.ts';
import { WriteRescue } from './write-rescue.ts';

export interface MirrorOptions {
  readonly memory: DataMemory;
  readonly mailboxes: Mailboxes;
  readonly config: MirrorConfig;
  readonly node: NodeId;
  readonly boot: BootId;
  /** Counts this node's core starts, for event ids. */
  readonly session: number;
  /** Unused so far; here so that chance, if ever needed, comes from outside. */
  readonly rng?: Rng;
  /** Planted bugs that are switched on. */
  readonly canaries?: ReadonlySet<string>;
  /** Told each rare branch that is reached ({@link MIRROR_MARKS}). */
  readonly reached?: (mark: string) => void;
}

export class MirrorActor implements DataActor {
  readonly #p: Parts;
  readonly #events: Records;
  readonly #inbox: DataCommand[];
  #started = false;
  /** Id of the event in which this core started. */
  readonly #startedBy: string;
  // What the last state report said.
  #disk: DiskState | '' = '';
  #role: Role | '' = '';
  #link = '';
  #epoch = -1;
  #clean = true;
  #doubted = false;
  #lacking = false;
  #failing = '';
  #pathLost = false;
  #proxies = false;
  #keeps: boolean | null = null;
  #image = 0;

  constructor(options: MirrorOptions) {
    const { memory, mailboxes, config, node } = options;
    checkMirrorConfig(config);
    invariant(config.nodes.includes(node), 'a data actor runs on a host that holds a replica');
    const reached = options.reached ?? (() => {});
    const canary = canarySwitches(options.canaries ?? new Set());
    const turn = new Turn(memory, mailboxes, node, options.session, config.volume, reached);
    this.#startedBy = startOf(node, options.session);
    const parts = {
      config,
      canary,
      state: new MirrorState(node, options.boot, canary, () => turn.cause),
      turn,
      slots: new Slots(slotCount(memory.layout)),
    } as { -readonly [K in keyof Parts]: Parts[K] };
    // The parts find each other through `parts`, which is whole before any event.
    parts.locks = new RangeLock(slotCount(memory.layout), (slot) => this.#granted(slot));
    parts.watch = new DiskWatch(parts);
    parts.turn.onDisk = (op, slot, key) => parts.watch.began(op, slot, key);
    parts.partners = new Partners(
      parts,
      config.nodes.filter((other) => other !== node),
    );
    parts.follower = new Follower(parts);
    parts.log = new ActivityLog(parts);
    parts.store = new Store(parts);
    parts.sums = null;
    if (config.checksums) {
      parts.sums = new Sums(parts, (slot, status, flags) => this.#localDone(slot, status, flags));
    }
    parts.spare = new Spare(parts);
    parts.io = new LocalIo(parts);
    parts.barrier = new Barrier(parts);
    parts.flushes = new Flushes(parts);
    parts.writes = new FrontWrites(parts);
    parts.receipts = new Receipts(parts);
    parts.peers = new PeerWrites(parts);
    parts.reads = new PeerReads(parts);
    parts.repair = new Repair(parts);
    parts.health = new Health(parts);
    parts.rescue = new WriteRescue(parts, (slot, status) => this.#judged(slot, status, 0, 0));
    parts.balance = new ReadBalance(parts);
    parts.verify = new Verify(parts);
    parts.quiesce = new Quiesce(parts);
    parts.meters = new Meters(parts);
    parts.unproved = new Unproved(parts);
    parts.source = new ResyncSource(parts);
    parts.target = new ResyncTarget(parts);
    parts.undo = new Undo(parts);
    parts.branch = new BranchKeeper(parts);
    parts.points = new Points(parts);
    parts.back = new UndoReturn(parts);
    parts.proxy = new ProxyRole(parts);
    parts.role = new RoleMachine(parts);
    this.#p = parts;
    this.#events = memory.events;
    this.#inbox = mailboxes.inbox;
  }

  step(count: number, now: Micros): number {
    const p = this.#p;
    p.turn.begin(now);
    if (!this.#started) this.#start();
    for (let r = 0; r < count; r += 1) this.#event(r);
    // What follows waited for its turn: each part knows what for.
    p.turn.cause = '';
    // In most turns most parts have nothing to do, and to see that costs less than to go there.
    const { all, shipped } = p.partners;
    if (p.sums !== null) p.sums.pump();
    if (p.state.disk === 'Failed') p.role.settle();
    p.writes.settle();
    if (p.quiesce.on) p.quiesce.pump();
    for (let i = 0; i < shipped.length; i += 1) (shipped[i] as Partner).shipping.settle();
    p.peers.settle();
    if (p.rescue.waits) p.rescue.pump();
    if (p.repair.waits) p.repair.pump();
    if (p.verify.ordered) p.verify.pump();
    if (p.source.copying) p.source.pump();
    p.source.tellFreed();
    if (p.undo.waits) p.undo.pump();
    if (p.undo.returning) p.back.pump();
    if (p.state.through === Through.Asked) p.proxy.pump();
    if (p.barrier.wanted) p.barrier.start();
    if (p.log.unwritten) p.log.commit();
    this.#reportState();
    for (let i = 0; i < all.length; i += 1) {
      const { branch } = all[i] as Partner;
      if (branch.speaks) branch.tell();
    }
    if (p.undo.speaks) p.undo.tell();
    if (p.branch.speaks) p.branch.tell();
    for (let i = 0; i < shipped.length; i += 1) (shipped[i] as Partner).shipping.tell();
    return p.turn.end();
  }

  // Not in `step`: what a function there would hold on to would be made anew for each turn.
  #start(): void {
    const { state, store, turn } = this.#p;
    this.#started = true;
    state.diskBy = state.roleBy = this.#startedBy;
    turn.under(this.#startedBy, () => store.attach());
  }

  #event(r: number): void {
    const p = this.#p;
    const e = this.#events;
    const slot = e.slot(r);
    p.turn.cause = '';
    switch (e.op(r)) {
      case Event.ReqRead:
        p.writes.request(Kind.Read, slot, 0, e.offset(r), e.length(r));
        return;
      case Event.ReqWrite:
        p.writes.request(Kind.Write, slot, e.flags(r), e.offset(r), e.length(r));
        return;
      case Event.ReqFlush:
        p.writes.request(Kind.Flush, slot, 0, 0, 0);
        return;
      case Event.LocalDone:
        p.watch.ended(slot);
        this.#diskDone(r, slot);
        return;
      case Event.PeerAck:
        this.#from(e.link(r)).acked(e.link(r), slot, e.offset(r), e.status(r));
        return;
      case Event.PeerWrite:
        p.peers.arrived(slot, e.link(r), e.flags(r), e.offset(r), e.length(r));
        return;
      default:
        this.#rare(r);
    }
  }

  #rare(r: number): void {
    const p = this.#p;
    const e = this.#events;
    const slot = e.slot(r);
    switch (e.op(r)) {
      case Event.FlushDone:
        p.watch.flushEnded(e.length(r));
        if (e.status(r) !== 0) p.role.failDisk('flush', e.status(r));
        else this.#flushed(e.length(r));
        return;
      case Event.MetaDone:
        if (p.undo.side.metaDone(e.length(r), e.status(r), slot)) {
          p.watch.sideEnded(e.offset(r));
        } else {
          p.watch.metadataEnded(e.offset(r));
          p.store.done(e.offset(r), e.length(r), e.status(r), slot);
        }
        return;
      case Event.PeerMessage: {
        const at = slot * PAGE_BYTES;
        const bytes = p.turn.memory.inPages.subarray(at, at + Math.min(e.length(r), PAGE_BYTES));
        this.#from(e.link(r)).message(e.link(r), bytes);
        return;
      }
      case Event.LinkUp:
        this.#linkUp(e.link(r), e.offset(r));
        return;
      case Event.LinkDown:
        this.#linkDown(e.link(r));
        return;
      case Event.PeerRead:
        p.reads.arrived(slot, e.link(r), e.flags(r), e.offset(r), e.length(r));
        return;
      case Event.PeerData:
        p.sums?.told(slot, e.flags(r));
        p.reads.answered(e.link(r), slot, e.offset(r), e.status(r));
        return;
      case Event.Timer:
        this.#timer();
        return;
      case Event.Control:
        this.#command(this.#inbox[slot]);
        return;
      default:
        invariant(false, 'a backend knows the events of this interface');
    }
  }

  /** Whose link it is: of an incarnation that is gone nobody's, and the first one says so. */
  #from(id: number): Link {
    const { partners } = this.#p;
    return (partners.on(id) ?? partners.first).link;
  }

  #linkUp(id: number, node: NodeId): void {
    const { partners, turn } = this.#p;
    const partner = partners.at(node);
    if (partner === null) turn.emit(Decision.LinkClose, 0, id, 0, 0, 0, 0);
    else partner.link.up(id);
  }

  #linkDown(id: number): void {
    const { partners, writes, source, repair, verify } = this.#p;
    partners.on(id)?.link.down(id);
    writes.linkGone(id);
    source.linkGone(id);
    repair.linkGone(id);
    verify.chunk.linkGone(id);
  }

  #flushed(token: number): void {
    const { barrier, partners, flushes } = this.#p;
    if (barrier.flushed(token)) return;
    const { all } = partners;
    for (let i = 0; i < all.length; i += 1) {
      if ((all[i] as Partner).link.flushes.flushed(token)) return;
    }
    flushes.flushed(token);
  }

  #command(command: DataCommand | undefined): void {
    invariant(command !== undefined, 'a control event names a message of the inbox');
    const { role, unproved } = this.#p;
    switch (command.kind) {
      case 'record':
        if (command.record.volume === this.#p.config.volume) {
          unproved.heard();
          if (command.doubted === true) {
            const leads = command.record.primary === this.#p.state.node;
            if (leads) unproved.suspect();
            else unproved.mistrust();
          }
          role.onRecord(command.record, command.cause);
        }
        return;
      case 'grant':
        this.#p.writes.grant(command.until, command.cause);
        return;
      case 'demote':
        role.demote(command.epoch, command.cause);
        return;
      case 'verify':
        this.#p.verify.onOrder(command.order, command.cause);
        return;
      case 'quiesce':
        this.#p.quiesce.onOrder(command.order, command.cause);
        return;
      case 'resume':
        this.#p.quiesce.release(command.id, command.cause);
        return;
      case 'return':
        this.#p.back.order(command.cause);
        return;
      case 'drop-branch':
        this.#p.branch.drop(command.generation, command.cause);
        return;
      case 'part':
        for (const partner of this.#p.partners.all) {
          partner.part(command.nodes.includes(partner.node));
        }
        return;
      case 'serve':
        this.#p.writes.serve(command.bytes);
        return;
      case 'spill':
        for (const { node, shipping } of this.#p.partners.shipped) {
          if (node === command.node) shipping.spill(command.on, command.reason);
        }
        return;
    }
  }

  #timer(): void {
    const { turn, barrier, partners, role, source, watch, meters } = this.#p;
    turn.timerFired();
    if (turn.takeDue(Deadline.Barrier)) barrier.timer();
    for (const { index, link } of partners.all) if (turn.takeDue(watchOf(index))) link.watch();
    if (turn.takeDue(Deadline.Disk)) watch.timer();
    if (turn.takeDue(Deadline.Connect)) role.connectTimer();
    if (turn.takeDue(Deadline.Progress)) source.progress();
    if (turn.takeDue(Deadline.Sums)) this.#p.sums?.timer();
    // Their turn comes at the end of this one.
    turn.takeDue(Deadline.Verify);
    turn.takeDue(Deadline.Copy);
    turn.takeDue(Deadline.Quiesce);
    if (turn.takeDue(Deadline.Meters)) meters.timer();
    if (turn.takeDue(Deadline.Point)) this.#p.points.timer();
    if (turn.takeDue(Deadline.Received)) this.#p.points.tell();
    if (turn.takeDue(Deadline.Branch)) this.#p.branch.timer();
    // Nothing to do when the grant runs out but to say so: see the state report.
    if (turn.takeDue(Deadline.Grant)) turn.reached('mirror.grant.lapsed');
  }

  /** What the disk says of event `r` is held against the checksums first, where there are any. */
  #diskDone(r: number, slot: number): void {
    const e = this.#events;
    const { io, rescue, slots } = this.#p;
    const status = e.status(r);
    if (io.continues(slot, status) || rescue.takes(slot, status)) return;
    if (slots.kind[slot] === Kind.Rescue) rescue.readBack(slot, status);
    else this.#judged(slot, status, e.flags(r), e.link(r));
  }

  #judged(slot: number, said: number, flags: number, page: number): void {
    const { sums } = this.#p;
    const status = sums === null ? said : sums.ended(slot, said, flags, page);
    if (status !== WAITS) this.#localDone(slot, status, flags);
  }

  #localDone(slot: number, status: number, flags: number): void {
    const p = this.#p;
    switch (p.slots.kind[slot]) {
      case Kind.Read:
      case Kind.Write:
        p.writes.localDone(slot, status);
        return;
      case Kind.PeerWrite:
        p.peers.localDone(slot, status);
        return;
      case Kind.Copy:
        p.source.localDone(slot, status, flags);
        return;
      case Kind.PeerRead:
        p.reads.localDone(slot, status);
        return;
      case Kind.Repair:
        p.repair.localDone(slot, status);
        return;
      case Kind.Verify:
        p.verify.chunk.localDone(slot, status);
        return;
      case Kind.Undo:
        p.undo.localDone(slot, status, flags);
        return;
      case Kind.Return:
        p.back.localDone(slot, status);
        return;
      default:
        invariant(false, 'the local disk ends only what was issued');
    }
  }

  #granted(slot: number): void {
    const p = this.#p;
    const kind = p.slots.kind[slot];
    if (kind === Kind.PeerWrite) p.peers.granted(slot);
    else if (kind === Kind.Copy) p.source.granted(slot);
    else if (kind === Kind.PeerRead) p.reads.granted(slot);
    else if (kind === Kind.Repair) p.repair.granted(slot);
    else if (kind === Kind.Verify) p.verify.chunk.granted(slot);
    else p.writes.granted(slot);
  }

  #reportState(): void {
    const { state, turn, partners, writes, config, store, health } = this.#p;
    const { disk, epoch, failure, pathLost, roleMoved } = state;
    if (roleMoved) state.roleMoved = false;
    const role = state.role(turn.now);
    const clean = partners.dirty === 0;
    const link = partners.state;
    const { doubted, lacking } = store;
    const { failing } = health;
    const proxies = state.through !== Through.No;
    const keeps = keepsOrdered(this.#p);
    const image = partners.asynchronous ? store.block.generation : 0;
    if (
      disk === this.#disk &&
      role === this.#role &&
      epoch === this.#epoch &&
      clean === this.#clean &&
      link === this.#link &&
      doubted === this.#doubted &&
      lacking === this.#lacking &&
      failing === this.#failing &&
      pathLost === this.#pathLost &&
      proxies === this.#proxies &&
      keeps === this.#keeps &&
      image === this.#image
    ) {
      return;
    }
    // Where nothing else has changed, the right to act has come or run out.
    turn.cause = roleMoved ? state.roleBy : state.grantBy;
    if (role !== this.#role) turn.event('mirror.role', { role, epoch });
    turn.cause = state.diskBy;
    if (disk !== this.#disk) turn.event('mirror.disk', { disk });
    turn.cause = '';
    this.#disk = disk;
    this.#role = role;
    this.#epoch = epoch;
    this.#clean = clean;
    this.#link = link;
    this.#doubted = doubted;
    this.#lacking = lacking;
    this.#failing = failing;
    this.#pathLost = pathLost;
    this.#proxies = proxies;
    this.#keeps = keeps;
    this.#image = image;
    turn.report({
      kind: 'state',
      volume: config.volume,
      disk,
      role,
      epoch,
      link,
      dirty: partners.dirty,
      pending: writes.open,
      ...(failure === '' ? {} : { failure }),
      ...(pathLost ? { pathLost } : {}),
      ...(doubted ? { doubted } : {}),
      ...(lacking ? { lacking } : {}),
      ...(failing === '' ? {} : { failing }),
      ...(proxies ? { proxies } : {}),
      ...(image === 0 ? {} : { image }),
      ...(keeps === null ? {} : { keeps }),
    });
  }
}
