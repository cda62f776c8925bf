import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Volumes } from '../../../engine/cluster/volumes.ts';
import type { DataReport } from '../../../engine/data/messages.ts';
import { contextOf, OWNED, ofKind, onlyRecord } from '../../support/control-fixtures.ts';
import { VOLUME } from '../../support/control-host.ts';
import { orderOf } from '../../support/control-split.ts';

const RECORD = onlyRecord(OWNED);
const boots = (node: number): number => 10 + node;

function setup(node = 1, canaries: readonly string[] = []) {
  const { context } = contextOf(node, canaries);
  const volumes = new Volumes(context);
  const attach = (epoch: number, hot = false): void => {
    const facts = { disk: 'UpToDate', generation: 7, epoch, hot, doubted: false } as const;
    volumes.report({ kind: 'attached', cause: '', volume: VOLUME, ...facts }, boots, RECORD);
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

  it('says whether it has what an order keeps, though nobody has handed it the record', () => {
    const discard = orderOf(2);
    const { context } = contextOf(1);
    const volumes = new Volumes(
      context,
      () => {},
      () => discard,
    );
    const keeps = () => volumes.facts()[0]?.keeps;
    const attach = (generation: number, parents: number[], disk: 'Outdated' | 'Inconsistent') => {
      const facts = { disk, generation, parents, epoch: 1, hot: false, doubted: false } as const;
      volumes.report({ kind: 'attached', cause: '', volume: VOLUME, ...facts }, boots, RECORD);
    };
    expect(keeps()).toBeUndefined();
    for (const [generation, parents, disk, has] of [
      [20, [7], 'Outdated', true],
      [25, [20, 7], 'Outdated', true],
      [7, [], 'Outdated', false],
      [20, [7], 'Inconsistent', false],
    ] as const) {
      attach(generation, [...parents], disk);
      expect(keeps()).toBe(has);
    }
    // Once it has a record it speaks for itself.
    const local = volumes.get(VOLUME);
    if (local === null) throw new Error('a replica is here');
    volumes.record(local, RECORD, '');
    expect(keeps()).toBeUndefined();
    const other = new Volumes(
      contextOf(2).context,
      () => {},
      () => discard,
    );
    expect(other.facts()[0]?.keeps).toBeUndefined();
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

  /** What a data actor may say between its start and the word that it has read its metadata. */
  const early = fc.array(
    fc.record({
      epoch: fc.nat(3),
      role: fc.constantFrom('Idle', 'Secondary', 'Primary', 'Suspended'),
      disk: fc.constantFrom('Diskless', 'Failed', 'Consistent', 'UpToDate'),
    }),
    { maxLength: 5 },
  );

  /** Whether the volume counts as read, or is told a record, before it says that it has read. */
  function trusted(states: readonly object[], canaries: readonly string[]): boolean {
    const { volumes, attach, local, commands } = setup(1, canaries);
    if (local === null) throw new Error('a replica is here');
    const rest = { volume: VOLUME, link: 'Connecting', dirty: 0, pending: 0 } as const;
    volumes.started(VOLUME);
    let told = false;
    for (const state of states) {
      volumes.report({ kind: 'state', ...rest, ...state } as DataReport, boots, RECORD);
      told ||= volumes.record(local, RECORD, '') || local.attached || local.engaged;
    }
    attach(RECORD.epoch);
    // Whatever came before: what it has read says that an earlier life may have acted.
    expect(local.taint).toBe(RECORD.epoch);
    expect(commands().length === 0 || told).toBe(true);
    return told;
  }

  it('is not there before it has read its metadata, whatever it reports while it starts', () => {
    fc.assert(
      fc.property(early, (states) => {
        expect(trusted(states, [])).toBe(false);
      }),
    );
    const state = { epoch: 0, role: 'Idle', disk: 'Diskless' };
    expect(trusted([state], ['attached-by-state'])).toBe(true);
  });

  it('that outlived its control is there with what it does, and tainted by it', () => {
    const { volumes, local } = setup();
    const rest = { volume: VOLUME, disk: 'UpToDate', link: 'Connecting', dirty: 0 } as const;
    const does = { role: 'Primary', epoch: 7, pending: 0 } as const;
    volumes.report({ kind: 'state', ...rest, ...does }, boots, RECORD);
    expect(local).toMatchObject({ attached: true, engaged: true, taint: 7 });
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
      peerDisk: 0,
      reason: 'resync-done',
      cause: '',
    } as const;
    volumes.report(want, boots, RECORD);
    expect(local?.want?.members.map((m) => m.boot)).toEqual([11, 12]);
    const told = { ...want, peerBoot: 77 };
    volumes.report(told, boots, RECORD);
    expect(local?.want?.members.map((m) => m.boot)).toEqual([11, 77]);
  });

  it('says which disk it has, and whose a wish is about, once something was changed online', () => {
    const { volumes } = setup();
    const facts = {
      disk: 'UpToDate',
      generation: 5,
      epoch: 1,
      hot: false,
      doubted: false,
    } as const;
    volumes.report(
      { kind: 'attached', cause: '', volume: VOLUME, ...facts, device: 71 },
      boots,
      RECORD,
    );
    const said = { epoch: 2, members: [1, 2], peerBoot: 77, peerDisk: 72 } as const;
    const wish = { ...said, reason: 'resync-done', cause: '' } as const;
    volumes.report({ kind: 'want', volume: VOLUME, ...wish }, boots, RECORD);
    const told = () => {
      const [{ device, want } = { device: undefined, want: null }] = volumes.facts();
      return [device, want?.members];
    };
    const plain = [
      { node: 1, boot: 11 },
      { node: 2, boot: 77 },
    ];
    // Who may answer no client leaves nobody out for their sake.
    expect(told()).toEqual([undefined, undefined]);
    volumes.held = () => true;
    expect(told()).toEqual([undefined, plain]);
    volumes.tellDisks = true;
    expect(told()).toEqual([71, plain.map((each, i) => ({ ...each, disk: 71 + i }))]);
    volumes.started(VOLUME);
    expect(told()[0]).toBe(undefined);
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
      peerDisk: 0,
      reason: 'peer-lost',
      cause: '',
    } as const;
    volumes.report({ ...want, members: [1] }, boots, RECORD);
    volumes.record(local, RECORD, '');
    expect(local.want).toBeNull();
  });

  const state = { kind: 'state', volume: VOLUME, epoch: 2, dirty: 0, pending: 0 } as const;
  const failed = {
    ...state,
    disk: 'Failed',
    role: 'Suspended',
    link: 'Connecting',
    doubted: true,
  } as const;

  /** What a core that restarts in a boot says of a disk that failed before it did. */
  function restarted(boot: number, canaries: readonly string[] = []) {
    const before = setup(1);
    before.attach(1);
    before.volumes.report(failed, boots, RECORD);
    const after = setup(1, canaries);
    after.context.boot = boot;
    after.volumes.restore(before.volumes.doubted, []);
    after.attach(1);
    const doubted = (): boolean => after.volumes.facts()[0]?.doubted === true;
    return { ...after, doubted };
  }

  it('whose disk failed is doubted until it is in step again, whatever its metadata say', () => {
    const { volumes, doubted } = restarted(11);
    expect(doubted()).toBe(true);
    const named = { ...state, disk: 'UpToDate', role: 'Secondary', link: 'Connecting' } as const;
    volumes.report(named, boots, RECORD);
    expect(doubted()).toBe(true);
    volumes.report({ ...named, link: 'Connected' }, boots, RECORD);
    expect(doubted()).toBe(false);
    expect(volumes.doubted).toEqual([]);
  });

  it('whose disk failed hears of it with every record, whoever is to lead', () => {
    for (const primary of [1, 2]) {
      for (const [boot, doubted] of [
        [11, true],
        // A reboot shows what the disk holds, and nothing else.
        [12, undefined],
      ] as const) {
        const { volumes, local, context } = restarted(boot);
        if (local === null) throw new Error('a replica is here');
        context.take();
        volumes.record(local, { ...RECORD, primary }, 'c');
        const told = ofKind(context.take(), 'to-data').map(({ command }) => command);
        expect(told).toMatchObject([{ kind: 'record' }]);
        expect((told[0] as { doubted?: boolean }).doubted).toBe(doubted);
      }
    }
  });

  it('whose disk failed is doubted no more once the log lets it lead all the same', () => {
    const { volumes, doubted } = restarted(11);
    volumes.report({ kind: 'active', volume: VOLUME, epoch: 3, cause: '' }, boots, RECORD);
    expect(doubted()).toBe(false);
  });

  it('is doubted when its metadata say so, though the core has lost its store', () => {
    const { volumes } = setup(1);
    const facts = {
      disk: 'Consistent',
      generation: 7,
      epoch: 1,
      hot: true,
      doubted: true,
    } as const;
    volumes.report({ kind: 'attached', cause: '', volume: VOLUME, ...facts }, boots, RECORD);
    expect(volumes.facts()[0]?.doubted).toBe(true);
  });

  it('whose core died with receipts is in another doubt than one whose disk failed', () => {
    const { volumes, context } = setup(1);
    const facts = { disk: 'Consistent', generation: 7, epoch: 1, hot: false } as const;
    const lacking = { doubted: true, lacking: true } as const;
    const attached = { kind: 'attached', cause: '', volume: VOLUME, ...facts, ...lacking } as const;
    volumes.report(attached, boots, RECORD);
    expect(volumes.facts()[0]).toMatchObject(lacking);
    expect(volumes.doubted).toEqual([{ volume: VOLUME, boot: 11, lacking: true }]);
    const local = volumes.get(VOLUME);
    if (local === null) throw new Error('the test configuration has a volume');
    // Its disk has kept its word: nothing has to be written anew where it leads.
    volumes.record(local, { ...RECORD, primary: 1 }, 'c');
    const told = ofKind(context.take(), 'to-data').map(({ command }) => command);
    expect(told).toMatchObject([{ kind: 'record' }]);
    expect(JSON.stringify(told)).not.toContain('doubted');
    volumes.report(failed, boots, RECORD);
    expect(volumes.facts()[0]?.doubted).toBe(true);
    expect(volumes.facts()[0]?.lacking).toBeUndefined();
    expect(volumes.doubted).toEqual([{ volume: VOLUME, boot: 11 }]);
  });

  it('is not doubted for what its disk did before a reboot: RULE-06 says enough', () => {
    expect(restarted(12).doubted()).toBe(false);
  });

  it('is taken for sound when a failure is forgotten (planted)', () => {
    expect(restarted(11, ['failure-forgotten']).doubted()).toBe(false);
  });
});
