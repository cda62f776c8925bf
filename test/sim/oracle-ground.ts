/** A hand-made volume for tests of oracles: two disks, a history, and nobody who runs anything. */
import { ArrayPool } from '../../backends/sim/arrays.ts';
import { SimDisk } from '../../backends/sim/disk.ts';
import { DiskIlls } from '../../backends/sim/disk-ills.ts';
import { DiskOp } from '../../backends/sim/disk-op.ts';
import { DEFAULT_DISK_LATENCY } from '../../backends/sim/disk-options.ts';
import { History, Request } from '../../backends/sim/history.ts';
import type { ReplicaTruth, VolumeTruth } from '../../backends/sim/oracle/truth.ts';
import { Verdict } from '../../backends/sim/oracle/verdict.ts';
import { Spoils } from '../../backends/sim/spoils.ts';
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import { Rng } from '../../engine/core/rng.ts';
import type { VolumeRecord } from '../../engine/data/messages.ts';

export const SECTORS = 64;

/** One replica whose host can be switched off. */
export interface MadeReplica extends ReplicaTruth {
  boot: () => number;
  clock: () => number;
}

export class Ground {
  readonly pool = new ArrayPool();
  readonly history = new History();
  readonly verdict: Verdict;
  readonly truth: VolumeTruth & { replicas: readonly MadeReplica[] };
  readonly spoils = new Spoils();
  readonly ills = [1, 2].map((node) => new DiskIlls((ill) => new Rng(node, ill)));
  now = 0;

  constructor() {
    this.verdict = new Verdict(
      () => this.now,
      () => true,
      () => {},
    );
    const replicas = [1, 2].map((node): MadeReplica => {
      const size = { sectors: SECTORS, metaPages: 1, maxSectors: 8 };
      const rng = new Rng(1, node);
      const hash = new TraceHash();
      return {
        leg: node - 1,
        node,
        volume: () => this.truth.config,
        isEarlier: false,
        receivedAt: () => [],
        disk: new SimDisk(
          `d${node}`,
          this.pool,
          node,
          size,
          DEFAULT_DISK_LATENCY,
          hash,
          rng,
          this.spoils,
          this.ills[node - 1],
        ),
        boot: () => node * 10,
        record: null,
        acting: null,
        granted: 0,
        clock: () => this.now,
        state: 'UpToDate',
        role: 'Idle',
        link: 'Connected',
        dirty: 0,
        memberBoot: node * 10,
        memberDisk: 1,
        serialOf: () => 1,
        heldUntil: Number.MAX_SAFE_INTEGER,
        copiedUntil: 0,
        leftAt: -1,
        shakenAt: -1,
        doubtful: false,
        selfForgotten: false,
        linkMoments: [],
      };
    });
    this.truth = {
      index: 0,
      config: {
        name: 'v',
        uuid: '0'.repeat(32),
        sizeBytes: SECTORS * 512,
        logicalBlock: 512,
        replicas: [1, 2].map((node) => ({ node, path: `/dev/${node}`, meta: '' })),
        nbd: [],
        activityLogExtents: 4,
        diskTimeout: 10_000_000,
      },
      sectors: SECTORS,
      history: this.history,
      replicas,
      record: null,
      records: new Map(),
      recordedAt: [],
      saidBack: new Set(),
      flushed: this.pool.ints('flushed', SECTORS),
      spoils: this.spoils,
      orphaned: this.pool.bytes('orphaned', SECTORS),
    };
  }

  /** Codes found so far. */
  get codes(): readonly string[] {
    return this.verdict.findings.map(({ code }) => code);
  }

  replica(node: number): MadeReplica {
    return this.truth.replicas[node - 1] as MadeReplica;
  }

  /** A record of both replicas in their present boots, or of those named. */
  record(epoch: number, primary: number, nodes: readonly number[] = [1, 2]): VolumeRecord {
    const members = nodes.map((node) => ({ node, boot: this.replica(node).boot() }));
    return { volume: 'v', epoch, primary, members, generation: 1 };
  }

  invokeWrite(sector: number, length = 1, fua = false): number {
    return this.history.invoke(Request.Write, sector, length, fua, 1, 1);
  }

  invokeRead(sector: number, length = 1): number {
    return this.history.invoke(Request.Read, sector, length, false, 1, 1);
  }

  invokeFlush(): number {
    return this.history.invoke(Request.Flush, 0, 0, false, 1, 1);
  }

  /** Puts a write on one disk, durable or only in its cache. */
  put(node: number, op: number, durable: boolean): void {
    const { disk } = this.replica(node);
    const sector = this.history.sector[op] as number;
    const length = this.history.length[op] as number;
    const stamps = new Int32Array(8).fill(op);
    const landed = disk.submit(DiskOp.Write, 0, sector, length, durable, 0, stamps, 0);
    disk.land(landed);
    disk.release(landed);
  }
}
