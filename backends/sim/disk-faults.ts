/**
 * Carries out the faults of disks for {@link FaultDriver}, and, when all faults are over, what a
 * person does then: starts the core again where a disk has failed, and replaces the disk where that
 * does not help and another copy is left.
 */
import type { SimDisk } from './disk.ts';
import { Ill } from './disk-ills.ts';
import { type Span, WHOLE } from './disk-options.ts';
import type { Fault, FaultKind } from './fault.ts';
import type { FaultWorld } from './fault-driver.ts';
import type { SimHost } from './host.ts';
import { Kind } from './kernel.ts';
import type { SimLeg } from './volume.ts';

const ALWAYS = 1_000_000;
/** Sectors that rot together. */
const ROT_SECTORS = 8;
/** A person comes so often after the faults, and so many times. */
const VISIT = 1_500_000;
const VISITS = 8;
/** So often a disk is tried again before it is replaced: what failed unheard fails once more. */
const TRIES = 2;

export class DiskFaults {
  readonly #world: FaultWorld;
  /** How often the host of a replica was started again because its disk had failed. */
  readonly #restarts = new Map<number, number>();

  constructor(world: FaultWorld) {
    this.#world = world;
  }

  /** How often the fault's ill has struck the disks of these hosts; -1 when it has none. */
  struck(fault: Fault, nodes: readonly number[]): number {
    const ills = illsOf(fault);
    if (ills.length === 0) return -1;
    let sum = 0;
    for (const node of nodes) {
      for (const { disk } of this.#world.host(node).legs) {
        for (const ill of ills) sum += disk.ills.struck[ill] as number;
      }
    }
    return sum;
  }

  /** A fault of the disks of one host begins or ends. */
  apply(fault: Fault, host: SimHost, on: boolean): void {
    for (const leg of host.legs) for (const ill of illsOf(fault)) applyIll(fault, leg, ill, on);
  }

  /** Notes what is durable on every disk now, under the number of a fault. */
  remember(fault: number): void {
    for (const host of this.#world.hosts) {
      for (const { disk } of host.legs) disk.takeImage(fault);
    }
  }

  /** The disks of a host that has lost power come back as they were. */
  giveBack(number: number, { part }: Fault, host: SimHost): void {
    if (host.power) return;
    for (const { disk } of host.legs) {
      const span = spanOf(disk, part);
      if (span !== null) disk.putImage(number, span);
    }
  }

  /** All faults are over: people come and look. */
  healed(): void {
    const { queue, now } = this.#world.kernel;
    const legs = this.#world.hosts.flatMap((host) => host.legs);
    if (!legs.some(({ volume }) => this.#wasStruck(volume))) return;
    for (let visit = 1; visit <= VISITS; visit += 1) {
      queue.a[queue.push(now + visit * VISIT, Kind.Fault, 0, 0)] = 4;
    }
  }

  /** One visit: at most one host is started again, so that the other may serve meanwhile. */
  mend(): void {
    const world = this.#world;
    for (const host of world.hosts) {
      if (!host.coreAlive()) continue;
      const failed = host.legs.filter(
        (leg) => this.#wasStruck(leg.volume) && world.ailment(leg.index) !== 'none',
      );
      if (failed.length === 0) continue;
      world.kernel.worldEvent(host.node, 'world.mended', {});
      const hopeless = failed.filter(({ index }) => (this.#restarts.get(index) ?? 0) >= TRIES);
      for (const { index } of failed) {
        this.#restarts.set(index, (this.#restarts.get(index) ?? 0) + 1);
      }
      if (!hopeless.some(({ index }) => this.#hasOther(index))) {
        host.killCore();
        return;
      }
      host.powerOff('none');
      for (const { index } of hopeless) if (this.#hasOther(index)) world.replaceDisk(index);
      host.powerOn();
      return;
    }
  }

  /** Whether any disk of the volume ever did wrong: what comes of anything else heals alone. */
  #wasStruck(volume: number): boolean {
    return this.#world.hosts.some(({ legs }) =>
      legs.some(
        ({ volume: of, disk }) =>
          of === volume && (disk.ills.everNeeded || disk.latent.everRefused),
      ),
    );
  }

  /** Whether another copy is left to fill a new disk from. */
  #hasOther(index: number): boolean {
    const legs = this.#world.hosts.flatMap((host) => host.legs);
    const own = legs.find((leg) => leg.index === index);
    return legs.some((leg) => {
      const other = leg.volume === own?.volume && leg !== own;
      return other && leg.alive() && this.#world.isCopy(leg.index);
    });
  }
}

function applyIll(fault: Fault, leg: SimLeg, ill: number, on: boolean): void {
  const { disk } = leg;
  const span = spanOf(disk, fault.part);
  if (span === null) return;
  if (ill === Ill.Rot) disk.rot(ROT_SECTORS);
  if (ill === Ill.MetaRot) disk.rotPage();
  if (fault.kind === 'bit-rot') return;
  const always = ill === Ill.LyingFlush || fault.ppm === 0;
  const ppm = always ? ALWAYS : fault.ppm;
  disk.ills.change(ill, on ? ppm : -ppm, span);
  if (ill === Ill.StaleRead) disk.keepBefore(disk.ills.has(ill));
  if (ill === Ill.Stall && !disk.ills.has(ill)) leg.unstall();
}

/** The sectors of a part, or all; null for a disk that has no such part. */
function spanOf({ parts }: SimDisk, part: string | undefined): Span | null {
  if (part === undefined) return WHOLE;
  return parts.find(({ name }) => name === part) ?? null;
}

/** Of each kind of fault what is wrong with the data, and with the metadata. */
const ILLS: { readonly [kind in FaultKind]?: readonly [data: number, metadata: number] } = {
  'lying-flush': [Ill.LyingFlush, Ill.LyingFlush],
  'lost-write': [Ill.LostWrite, Ill.MetaLost],
  'misdirected-write': [Ill.MisdirectedWrite, Ill.MetaMisdirected],
  'stale-read': [Ill.StaleRead, Ill.StaleRead],
  'write-error': [Ill.WriteError, Ill.MetaError],
  'disk-stall': [Ill.Stall, Ill.Stall],
  'bit-rot': [Ill.Rot, Ill.MetaRot],
  'old-disk': [Ill.Old, Ill.Old],
  'path-loss': [Ill.Path, Ill.Path],
};

function illsOf({ kind, area }: Fault): readonly number[] {
  const ills = ILLS[kind];
  if (ills === undefined) return [];
  const [data, metadata] = ills;
  if (area === 'everything' && data !== metadata) return ills;
  return [area === 'metadata' ? metadata : data];
}
