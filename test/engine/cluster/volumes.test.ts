import { describe, expect, it } from 'vitest';
import { Volumes } from '../../../engine/cluster/volumes.ts';
import { contextOf, OWNED, ofKind, onlyRecord } from '../../support/control-fixtures.ts';
import { VOLUME } from '../../support/control-host.ts';

const RECORD = onlyRecord(OWNED);
const boots = (node: number): number => 10 + node;

function setup(node = 1) {
  const { context } = contextOf(node);
  const volumes = new Volumes(context);
  const attach = (epoch: number, hot = false): void => {
    const facts = { disk: 'UpToDate', generation: 7, epoch, hot } as const;
    volumes.report({ kind: 'attached', volume: VOLUME, ...facts }, boots, RECORD);
  };
  const local = volumes.get(VOLUME);
  const commands = () => ofKind(context.take(), 'to-data').map((d) => d.command.kind);
  return { context, volumes, attach, local, commands };
}

describe('a local volume', () => {
  it('is there only on nodes that have a replica', () => {
    expect(setup(3).volumes.all).toEqual([]);
    expect(setup(1).volumes.all.length).toBe(1);
  });

  it('hears each record once in a life of its data actor', () => {
    const { volumes, attach, local, commands } = setup();
    if (local === null) throw new Error('a replica is here');
    expect(volumes.record(local, RECORD, '')).toBe(false);
    attach(1);
    expect(volumes.record(local, RECORD, '')).toBe(true);
    expect(volumes.record(local, RECORD, '')).toBe(false);
    volumes.started(VOLUME);
    attach(1);
    expect(volumes.record(local, RECORD, '')).toBe(true);
    expect(commands()).toEqual(['record', 'record']);
  });

  it('is engaged from being told to lead until it confirms a stop of that epoch', () => {
    const { volumes, attach, local } = setup();
    if (local === null) throw new Error('a replica is here');
    attach(1);
    volumes.record(local, RECORD, '');
    expect(local.engaged).toBe(true);
    const stopped = { kind: 'stopped', volume: VOLUME, cause: '' } as const;
    volumes.report({ ...stopped, epoch: RECORD.epoch - 1 }, boots, RECORD);
    expect(local.engaged).toBe(true);
    volumes.report({ ...stopped, epoch: RECORD.epoch }, boots, RECORD);
    expect(local.engaged).toBe(false);
  });

  it('is not attached, and not without a disk, before its data actor has read the metadata', () => {
    const { volumes, attach, local } = setup();
    attach(1);
    volumes.started(VOLUME);
    const early = {
      role: 'Idle',
      disk: 'Diskless',
      link: 'Connecting',
      dirty: 0,
      epoch: 0,
    } as const;
    volumes.report(
      { kind: 'state', volume: VOLUME, ...early, dirty: 0, pending: 0 },
      boots,
      RECORD,
    );
    expect(local?.attached).toBe(false);
    expect(local?.disk).toBe('UpToDate');
    attach(1);
    expect(local?.attached).toBe(true);
  });

  it('remembers up to which epoch an earlier life may have acted', () => {
    const { attach, local } = setup();
    attach(1);
    expect(local?.taint).toBe(1);
    attach(1, true);
    expect(local?.taint).toBe(RECORD.epoch);
  });

  it('passes on only grants that last longer', () => {
    const { volumes, local, commands } = setup();
    if (local === null) throw new Error('a replica is here');
    volumes.grant(local, 100);
    volumes.grant(local, 100);
    volumes.grant(local, 99);
    volumes.grant(local, 101);
    expect(commands()).toEqual(['grant', 'grant']);
  });

  it('stamps a wish with the life of the peer that the data actor copied to', () => {
    const { volumes, local } = setup();
    const want = {
      kind: 'want',
      volume: VOLUME,
      epoch: 2,
      members: [1, 2],
      peerBoot: 0,
      reason: 'resync-done',
      cause: '',
    } as const;
    volumes.report(want, boots, RECORD);
    expect(local?.want?.members.map((m) => m.boot)).toEqual([11, 12]);
    const told = { ...want, peerBoot: 77 };
    volumes.report(told, boots, RECORD);
    expect(local?.want?.members.map((m) => m.boot)).toEqual([11, 77]);
  });

  it('forgets a wish when a newer record arrives', () => {
    const { volumes, attach, local } = setup();
    if (local === null) throw new Error('a replica is here');
    attach(1);
    const want = {
      kind: 'want',
      volume: VOLUME,
      epoch: 1,
      peerBoot: 0,
      reason: 'peer-lost',
      cause: '',
    } as const;
    volumes.report({ ...want, members: [1] }, boots, RECORD);
    volumes.record(local, RECORD, '');
    expect(local.want).toBeNull();
  });
});
