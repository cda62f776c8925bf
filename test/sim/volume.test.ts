import { describe, expect, it } from 'vitest';
import { ArrayPool } from '../../backends/sim/arrays.ts';
import { SimClock } from '../../backends/sim/clock.ts';
import { SimDisk } from '../../backends/sim/disk.ts';
import { DiskIlls, Ill } from '../../backends/sim/disk-ills.ts';
import { DEFAULT_DISK_LATENCY } from '../../backends/sim/disk-options.ts';
import { Kernel } from '../../backends/sim/kernel.ts';
import { SIM_LAYOUT, SLOT_SECTORS } from '../../backends/sim/leg-host.ts';
import type { Observer } from '../../backends/sim/observer.ts';
import { PacketPool } from '../../backends/sim/packets.ts';
import { Spoils } from '../../backends/sim/spoils.ts';
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import { SimLeg } from '../../backends/sim/volume.ts';
import { Rng } from '../../engine/core/rng.ts';
import { Decision, Event, Status } from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';

const SECTORS = 256;
const ALWAYS = 1_000_000;
const SLOT = 3;

/** A data actor that writes to its disk what it is asked to, and answers when told so. */
class Replica {
  readonly beliefs: string[] = [];
  readonly statuses: number[] = [];
  readonly kernel = new Kernel();
  readonly disk: SimDisk;
  readonly leg: SimLeg;

  constructor(answers: 'when-done' | 'at-once') {
    this.kernel.reset(3, false);
    const pool = new ArrayPool();
    const hash = new TraceHash();
    const size = { sectors: SECTORS, metaPages: 2, maxSectors: SLOT_SECTORS };
    const ills = new DiskIlls((ill) => new Rng(1, ill));
    const rng = new Rng(5, 1);
    const latency = DEFAULT_DISK_LATENCY;
    this.disk = new SimDisk('d', pool, 1, size, latency, hash, rng, new Spoils(), ills);
    const { frontSlots, peerSlots, engineSlots } = SIM_LAYOUT;
    const memory = new DataMemory(SIM_LAYOUT);
    const stamps = new Int32Array((frontSlots + peerSlots + engineSlots) * SLOT_SECTORS);
    const clock = new SimClock();
    clock.start(0, 0);
    const nothing = (): void => undefined;
    const host = {
      node: 1,
      clock,
      coreLife: 1,
      coreAlive: () => true,
      coreRunning: () => true,
      nextLink: () => 1,
      report: nothing,
      broke: (belief: string) => {
        this.beliefs.push(belief);
      },
      park: nothing,
    };
    const deaf = {
      attaching: nothing,
      completed: nothing,
      diskFailed: nothing,
    } as unknown as Observer;
    const packets = new PacketPool(1);
    const { kernel, disk } = this;
    this.leg = new SimLeg(0, 0, 'v', host, disk, kernel, packets, deaf, memory, stamps);
    this.leg.start(({ events, decisions }) => ({
      step: (count) => {
        let decided = 0;
        const decide = (op: number, length: number): void => {
          decisions.put(decided, op, SLOT, 0, 0, 0, length, 0);
          decided += 1;
        };
        for (let r = 0; r < count; r += 1) {
          if (events.op(r) === Event.LocalDone) this.statuses.push(events.status(r));
          if (events.op(r) === Event.ReqWrite) decide(Decision.LocalWrite, 512);
          const last = answers === 'at-once' ? Event.ReqWrite : Event.LocalDone;
          if (events.op(r) === last) decide(Decision.Complete, 0);
        }
        return decided;
      },
    }));
  }

  write(): void {
    this.leg.request(Event.ReqWrite, SLOT, 0, 0, 1);
    this.leg.run();
  }

  /** Lets everything end that the disk is about to end. */
  pass(): void {
    const { queue } = this.kernel;
    while (queue.size > 0) {
      this.kernel.now = queue.nextTime;
      const entry = queue.pop();
      this.leg.diskDone(queue.a[entry] as number);
      queue.release(entry);
    }
    this.leg.run();
  }
}

describe('a slot', () => {
  it('given back while the disk still uses it stops the core', () => {
    const hasty = new Replica('at-once');
    hasty.write();
    expect(hasty.beliefs).toEqual(['a data actor gave back a slot that the disk still uses']);
    const patient = new Replica('when-done');
    patient.write();
    patient.pass();
    expect(patient.beliefs).toEqual([]);
  });
});

describe('a disk', () => {
  it('that stalls ends nothing, and everything when the stall is over', () => {
    const replica = new Replica('when-done');
    replica.disk.ills.change(Ill.Stall, ALWAYS);
    replica.write();
    replica.pass();
    expect(replica.statuses).toEqual([]);
    expect(replica.disk.writesInFlight).toBe(1);
    replica.disk.ills.change(Ill.Stall, -ALWAYS);
    replica.leg.unstall();
    replica.pass();
    expect(replica.statuses).toEqual([Status.Ok]);
  });

  it('whose host lost power in a stall answers nothing of before', () => {
    const replica = new Replica('when-done');
    replica.disk.ills.change(Ill.Stall, ALWAYS);
    replica.write();
    replica.pass();
    replica.disk.crash('none');
    replica.disk.ills.change(Ill.Stall, -ALWAYS);
    replica.leg.unstall();
    replica.pass();
    expect(replica.statuses).toEqual([]);
  });

  it('whose write fails says so', () => {
    const replica = new Replica('when-done');
    replica.disk.ills.change(Ill.WriteError, ALWAYS);
    replica.write();
    replica.pass();
    expect(replica.statuses).toEqual([Status.Io]);
  });
});
