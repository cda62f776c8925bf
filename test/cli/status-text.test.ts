import { describe, expect, it } from 'vitest';
import type { HostStatus } from '../../backends/real/host-status.ts';
import { statusText } from '../../cli/status-text.ts';
import type {
  KeptBranch,
  LostBranch,
  Meters,
  VerifyReport,
  WayBack,
} from '../../engine/data/messages.ts';

const PROCESS = { pid: 7, startedAt: 1 } as unknown as HostStatus['processes']['core'];
const REPORT: VerifyReport = {
  ...{ kind: 'verify', volume: 'data', id: 1, level: 'digest', repair: false, state: 'done' },
  ...{ reason: '', cursor: 64, blocks: 64, checked: 64, differing: 2, repaired: 0, unreadable: 1 },
  findings: [],
  disagreements: [],
};

/** The status of a node whose volume says this of its comparisons. */
function text(known: {
  verify?: VerifyReport;
  nextVerify?: number;
  meters?: Meters;
  failing?: 'spare' | 'read-errors';
  mode?: 'semi-sync';
  asynchronous?: readonly number[];
  disk?: string;
  wayBack?: WayBack;
  keptBranch?: KeptBranch;
  lostBranch?: LostBranch;
  keptBranches?: HostStatus['status']['volumes'][number]['keptBranches'];
  proxies?: true;
  parts?: HostStatus['parts'];
  spills?: HostStatus['spills'];
  lags?: NonNullable<HostStatus['status']['volumes'][number]['local']>['lags'];
}): string {
  const { mode, asynchronous = [], parts, spills, keptBranches = [], ...more } = known;
  const local = { disk: 'UpToDate', role: 'Primary', link: 'Connected', dirty: 0, doubted: false };
  const record = { volume: 'data', epoch: 2, primary: 1, members: [], generation: 1 };
  const lease = { until: 0, held: false };
  const log = { node: 1, leader: 1, term: 1, committed: 1, exclusivity: 'data', lease } as const;
  const status = {
    ...log,
    peers: [],
    groups: [],
    volumes: [
      {
        ...record,
        ...(mode ? { mode } : {}),
        ...(keptBranches.length > 0 ? { keptBranches } : {}),
        ...(asynchronous.length > 0 ? { asynchronous } : {}),
        local: { ...local, ...more },
      },
    ],
  };
  const restarts = { monitorRestarts: 0, coreRestarts: 0, guardianRestarts: 0 };
  const host = {
    ...{ node: 'a', cluster: 'demo', build: 'x', boot: 1, session: 1, now: 0, watchdog: 'none' },
    processes: { core: PROCESS, monitor: null, guardian: null, ...restarts },
    ...{ names: { 1: 'a' }, applications: [], control: {}, otherConfig: [], volumes: {} },
    ...{ timelineFailures: 0, guard: {}, status, parts, spills },
  };
  return statusText(host as unknown as HostStatus, 'data only');
}

describe('the status of a node', () => {
  it('says of a volume in parts where each is, and where clients find it', () => {
    const uris = ['nbd://127.0.0.1:1/log', 'nbd+unix:///log?socket=/a.nbd'];
    const part = { part: 'log', sizeBytes: 8 * 1048576, path: '/dev/vg/log', uris };
    const said = text({ parts: { db: [part] } });
    for (const words of ['part of db', '8 MiB', '/dev/vg/log', ...uris]) {
      expect(said).toContain(words);
    }
    expect(text({})).not.toContain('part of');
  });

  it('says how far asynchronous replicas are behind, and where that waits', () => {
    const lag = { node: 1, bytes: 3 << 20, writes: 7, micros: 1_500_000 };
    const spill = { node: 1, bytes: 2 << 20, fileBytes: 9, faults: 0, reason: '' };
    const line = 'Lag of data on a: 3.0 MiB, 7 writes, 1.5 s';
    expect(text({ lags: [lag] })).toMatch(new RegExp(`^${line}$`, 'm'));
    const said = (state: 'idle' | 'making' | 'on' | 'off', reason = '') =>
      text({ lags: [lag], spills: { data: [{ ...spill, state, reason }] } });
    expect(said('on')).toContain(`${line}; 2.0 MiB in a spill file`);
    expect(said('off', 'no room')).toContain(`${line}; no spill file, so 1 GiB at most (no room)`);
    expect(said('idle')).toContain(`${line}; no spill file yet`);
    expect(said('making')).toContain(`${line}; no spill file yet`);
    // Before anything is sent on, too.
    const off = { ...spill, state: 'off', reason: 'no folder' } as const;
    expect(text({ spills: { data: [off] } })).toContain('Spill of data for a: off (no folder)');
    expect(text({ spills: { data: [{ ...spill, state: 'idle' }] } })).not.toContain('Spill of');
  });

  it('says how the last comparison stands, and when the next is due', () => {
    expect(text({ verify: REPORT, nextVerify: 6.9 * 86_400e6 })).toContain(
      'Comparison of data: digest, done, 2 differ, 0 repaired, 1 unreadable; next in 6.9 days',
    );
    const running = { ...REPORT, state: 'running', cursor: 9 } as const;
    expect(text({ verify: running })).toContain('digest, running at block 9 of 64, 2 differ');
    expect(text({ nextVerify: 90 * 60e6 })).toContain('Comparison of data: next in 1.5 h');
    expect(text({ nextVerify: 30e6 })).toContain('next in 1 min');
  });

  it('says what requests take, and what of it the mirror adds', () => {
    const none = { micros: 2_000_000, reads: 0, writes: 0, flushes: 0, bytesRead: 0 };
    const times = { bytesWritten: 0, readMicros: 0, writeMicros: 0, addedMicros: 0, writeMost: 0 };
    const idle: Meters = { ...none, ...times, bytesSent: 0 };
    expect(text({ meters: idle })).toContain('Load of data: none');
    const busy = { ...idle, writes: 1000, bytesWritten: 4_194_304, writeMicros: 450_000 };
    const more = { addedMicros: 120_000, writeMost: 1024, bytesSent: 8_388_608, reads: 4 };
    const said = text({ meters: { ...busy, ...more, readMicros: 400, bytesRead: 16_384 } });
    expect(said).toContain(
      'Load of data: 500 writes/s (2.0 MiB/s) in 0.45 ms, 0.12 ms of it for the mirror, ' +
        '99 % within 1.02 ms; 2 reads/s (0.0 MiB/s) in 0.10 ms; ' +
        '4.0 MiB/s to the other replica; 0 % of a processor',
    );
  });

  it('says that a volume is served through another copy, and what to do about it', () => {
    expect(text({})).not.toContain('ALARM');
    expect(text({ proxies: true })).toMatch(/disk of data here has failed.*understudy switch/s);
  });

  it('names the mode of a volume that is not synchronous', () => {
    expect(text({})).not.toContain('sync)');
    expect(text({ mode: 'semi-sync' })).toContain('data (semi-sync)');
  });

  it('names asynchronous replicas, and one that stands between two points', () => {
    expect(text({})).not.toContain('asynchronous');
    expect(text({ asynchronous: [2] })).toContain('(asynchronous: node 2)');
    const image = { generation: 1, blocks: 3, usedBytes: 4096, roomBytes: 65_536 };
    const kept = { ...image, state: 'kept', reason: '' } as const;
    const far = { asynchronous: [1], disk: 'Inconsistent' };
    expect(text({ ...far, wayBack: kept })).toContain('between two points');
    expect(text({ ...far, wayBack: { ...kept, state: 'lost' } })).toContain('Inconsistent');
    expect(text(far)).toContain('Inconsistent');
    expect(text({ disk: 'Inconsistent', wayBack: kept })).toContain('Inconsistent');
  });

  it('says nothing of comparisons where there was none and none is due', () => {
    expect(text({})).not.toContain('Comparison');
  });

  it('raises an alarm for a disk that may fail soon, with why and what to do', () => {
    expect(text({})).not.toContain('ALARM');
    const spare = text({ failing: 'spare' });
    expect(spare).toContain('ALARM: the disk of data here may fail soon: four fifths of its spare');
    expect(spare).toContain('replace this disk while that copy is whole');
    expect(text({ failing: 'read-errors' })).toContain(
      'twenty of its blocks went bad within a day',
    );
  });
});

describe('a branch that was given up', () => {
  const kept: KeptBranch = {
    ...{ state: 'whole', generation: 5, epoch: 9, keeps: 7, shared: 3, order: 8 },
    ...{ by: 'discard-unchanged', usedBytes: 3 << 20 },
  };

  it('is told with what it was given up for, by whom, and what it takes', () => {
    const said = 'generation 5, given up for 7 (order 8, by the policy discard-unchanged), 3.0 MiB';
    expect(text({ keptBranch: kept })).toContain(said);
    expect(text({ keptBranch: { ...kept, by: 'operator' } })).toContain('by a person');
    expect(text({})).not.toContain('given up');
  });

  it('is named, on every node, as what a copy waits for, with what lets it begin', () => {
    const own = text({ keptBranch: { ...kept, holds: true } });
    expect(own).toContain('a copy to this replica waits until it is dropped');
    const said = text({ keptBranches: [{ node: 1, generation: 5, holds: true }] });
    expect(said).toContain('Volume data: WAITS FOR A PERSON: no copy to a begins');
    expect(said).toContain('understudy branch drop');
    const quiet = text({ keptBranches: [{ node: 1, generation: 5, holds: false }] });
    expect(quiet).not.toContain('WAITS');
    expect(text({ keptBranch: kept })).not.toContain('waits');
  });

  it('is told of where it could not be kept, with why', () => {
    const { generation, keeps, order, by } = kept;
    const lost = { reason: 'full', generation, keeps, order, by } as const;
    const said = text({ lostBranch: lost });
    expect(said).toContain(
      'generation 5, given up for 7 (order 8, by the policy discard-unchanged)',
    );
    expect(said).toContain('could not be kept whole, and nothing of it is: the side area is full');
    expect(text({ lostBranch: { ...lost, reason: 'branch' } })).toContain('takes the side area');
  });

  it('is called damaged when it is, with what helps', () => {
    expect(text({ keptBranch: { ...kept, state: 'damaged' } })).toContain('damaged');
    const lost = { ...kept, state: 'damaged', keeps: 0 } as const;
    expect(text({ keptBranch: lost })).toContain('understudy branch drop');
  });
});
