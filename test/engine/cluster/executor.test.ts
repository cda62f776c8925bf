import { describe, expect, it } from 'vitest';
import { Executor } from '../../../engine/cluster/executor.ts';
import { LeaseHolder } from '../../../engine/cluster/lease.ts';
import { Durability } from '../../../engine/cluster/persist.ts';
import type { ClusterState } from '../../../engine/cluster/state.ts';
import { Volumes } from '../../../engine/cluster/volumes.ts';
import { contextOf, OWNED, ofKind, onlyGroup, onlyRecord } from '../../support/control-fixtures.ts';
import { ControlNet, GROUP, S, VOLUME } from '../../support/control-net.ts';

function setup(canaries: readonly string[] = []) {
  const { context } = contextOf(1, canaries);
  const durability = new Durability(context);
  const holder = new LeaseHolder();
  const volumes = new Volumes(context);
  const at: { state: ClusterState } = { state: OWNED };
  const executor = new Executor(context, durability, holder, volumes, () => at.state);
  const attach = (epoch = 1): void => {
    const read = { generation: 7, epoch, hot: false, doubted: false } as const;
    const facts = { disk: 'UpToDate', ...read } as const;
    volumes.report(
      { kind: 'attached', cause: '', volume: VOLUME, ...facts },
      () => 0,
      onlyRecord(at.state),
    );
  };
  const lease = (until: number): void => {
    holder.acknowledged(1, until - 1_000_000, 2, 1_000_000);
    holder.acknowledged(2, until - 1_000_000, 2, 1_000_000);
  };
  const persist = (): void => {
    durability.flush(() => ({}));
    for (const { token } of ofKind(context.take(), 'persist')) durability.persisted(token);
  };
  const active = (): void => {
    const { epoch } = onlyRecord(at.state);
    volumes.report({ kind: 'active', volume: VOLUME, epoch, cause: '' }, () => 0, null);
  };
  const acts = (): readonly string[] =>
    context.take().flatMap((d) => {
      if (d.kind === 'to-data') return [`data ${d.command.kind}`];
      return d.kind === 'application' ? [`app ${d.action}`] : [];
    });
  return { context, executor, volumes, at, attach, lease, persist, active, acts };
}

describe('a core that lost its store', () => {
  it('claims to run nothing, and disarms, only when the monitor has said so', () => {
    const told = (canaries: readonly string[], heard: boolean) => {
      const { executor, context, volumes } = setup(canaries);
      executor.restore(null);
      volumes.started(VOLUME);
      if (heard) executor.applications.report(GROUP, 0, 'stopped');
      executor.run();
      const guardian = ofKind(context.take(), 'guardian').map(({ armed }) => armed);
      return { clean: executor.facts()[0]?.clean, guardian };
    };
    expect(told([], false)).toEqual({ clean: false, guardian: [] });
    expect(told([], true)).toEqual({ clean: true, guardian: [false] });
    expect(told(['blank-core-clean'], false)).toEqual({ clean: true, guardian: [false] });
  });

  it('claims nothing for groups that never run there', () => {
    const { context } = contextOf(3);
    const volumes = new Volumes(context);
    const rest = [new Durability(context), new LeaseHolder(), volumes, () => OWNED] as const;
    const executor = new Executor(context, ...rest);
    executor.restore(null);
    executor.run();
    expect(executor.running).toEqual([]);
    expect(ofKind(context.take(), 'guardian').map(({ armed }) => armed)).toEqual([false]);
  });
});

describe('an owner', () => {
  it('starts data, then the application, each only after what it depends on', () => {
    const { executor, attach, lease, persist, active, acts, context } = setup();
    attach();
    executor.run();
    expect(acts()).toEqual([]);
    lease(5_000_000);
    executor.run();
    expect(executor.running).toEqual([{ group: GROUP, epoch: 1, boot: 11 }]);
    expect(acts()).toEqual([]);
    executor.run();
    persist();
    executor.run();
    context.take();
    active();
    executor.run();
    expect(acts()).toEqual(['app start']);
  });

  it('gives its disk’s failure as its reason, whatever its application said last', () => {
    const { executor, volumes, attach, lease, persist, active } = setup();
    attach();
    lease(5_000_000);
    executor.run();
    persist();
    executor.run();
    active();
    executor.run();
    executor.applications.report(GROUP, 1, 'running');
    const said = executor.facts()[0]?.event;
    expect(said).not.toBe('1.1.vol.9');
    const state = { role: 'Suspended', epoch: 1, link: 'Connected', dirty: 0, pending: 0 } as const;
    const failed = { kind: 'state', volume: VOLUME, disk: 'Failed', failure: '1.1.vol.9' } as const;
    volumes.report({ ...failed, ...state }, () => 0, null);
    expect(executor.facts()[0]?.event).toBe('1.1.vol.9');
  });

  it('hands the record on only when it is durable that it may be running', () => {
    const { executor, attach, lease, acts, context } = setup();
    attach();
    lease(5_000_000);
    executor.run();
    executor.run();
    expect(ofKind(context.take(), 'to-data')).toEqual([]);
    expect(acts()).toEqual([]);
  });

  it('does nothing in a life that the log does not name', () => {
    const { executor, attach, lease, acts, context } = setup();
    context.life = 5;
    attach();
    lease(5_000_000);
    executor.run();
    expect(acts()).toEqual([]);
    expect(executor.running).toEqual([]);
  });

  it('does nothing with data that an earlier life may have acted on in that epoch', () => {
    const { executor, attach, lease, persist, acts } = setup();
    attach(2);
    lease(5_000_000);
    executor.run();
    persist();
    executor.run();
    expect(acts()).toEqual([]);
    expect(executor.facts()[0]?.readopt).toBe(1);
  });

  it('gives no grant while the in-sync set of before still counts', () => {
    const { executor, attach, lease, at, active, acts, context } = setup();
    const base = onlyRecord(OWNED).members;
    at.state = { ...OWNED, groups: [{ ...onlyGroup(OWNED), base }] };
    attach();
    lease(5_000_000);
    executor.run();
    active();
    executor.extend();
    executor.run();
    expect(acts()).not.toContain('data grant');
    expect(context.take()).toEqual([]);
  });

  it('stops the application when the lease has lapsed, and says when it is armed', () => {
    const { executor, attach, lease, persist, active, acts, context } = setup();
    attach();
    lease(5_000_000);
    executor.run();
    persist();
    executor.run();
    active();
    executor.run();
    executor.applications.report(GROUP, 1, 'running');
    executor.run();
    context.take();
    context.now = 5_000_000;
    executor.run();
    expect(acts()).toEqual(['app stop']);
    executor.applications.report(GROUP, 0, 'stopped');
    executor.run();
    const [guardian] = ofKind(context.take(), 'guardian').slice(-1);
    expect(guardian?.armed).toBe(false);
  });

  it('pets no longer than the right under which began what is another node’s by now', () => {
    const deadlines = (canaries: readonly string[], restarted: boolean): readonly number[] => {
      const { executor, lease, context, at } = setup(canaries);
      executor.restore([{ group: GROUP, epoch: 1, boot: 11 }]);
      if (!restarted) {
        lease(5_000_000);
        executor.run();
      }
      const others = at.state.groups.map((group) => ({ ...group, owner: 2, epoch: 2 }));
      at.state = { ...at.state, groups: others };
      executor.applications.report(GROUP, 1, 'stopping');
      context.now = 6_000_000;
      lease(9_000_000);
      executor.run();
      executor.applications.report(GROUP, 0, 'stopped');
      executor.run();
      const told = ofKind(context.take(), 'guardian');
      expect(told.at(-1)?.armed).toBe(false);
      return told.filter(({ armed }) => armed).map(({ until }) => until);
    };
    expect(deadlines([], false)).toEqual([5_000_000]);
    expect(deadlines([], true)).toEqual([]);
    expect(deadlines(['overstay-petted'], false)).toEqual([5_000_000, 9_000_000]);
    expect(deadlines(['overstay-petted'], true)).toEqual([9_000_000]);
  });

  it('stops the application, then data, when the log wants a stop', () => {
    const { executor, attach, lease, persist, active, acts, context, at, volumes } = setup();
    attach();
    lease(5_000_000);
    executor.run();
    persist();
    executor.run();
    active();
    executor.run();
    executor.applications.report(GROUP, 1, 'running');
    context.now = 1000;
    at.state = { ...OWNED, groups: [{ ...onlyGroup(OWNED), phase: 'stopping' }] };
    context.take();
    executor.run();
    expect(acts()).toEqual(['app stop']);
    expect(executor.facts()[0]?.stopped).toBe(0);
    executor.applications.report(GROUP, 0, 'stopped');
    executor.run();
    expect(acts()).toEqual(['data demote']);
    expect(executor.facts()[0]?.stopped).toBe(0);
    volumes.report({ kind: 'stopped', volume: VOLUME, epoch: 2, cause: '' }, () => 0, null);
    expect(executor.facts()[0]?.stopped).toBe(1);
  });
});

describe('a host that owned', () => {
  /** Its core started again while its application ran, over a disk that failed before. */
  function reborn(doubted: boolean, members: readonly number[]): readonly string[] {
    const { executor, at, lease, acts, context, volumes } = setup();
    const record = onlyRecord(OWNED);
    const named = record.members.filter(({ node }) => members.includes(node));
    at.state = { ...OWNED, volumes: [{ ...record, members: named }] };
    context.life = 5;
    executor.restore([{ group: GROUP, epoch: 1, boot: 11 }]);
    executor.applications.report(GROUP, 1, 'running');
    const read = { generation: 7, epoch: 1, hot: true, doubted } as const;
    const found = {
      kind: 'attached',
      cause: '',
      volume: VOLUME,
      disk: 'Consistent',
      ...read,
    } as const;
    volumes.report(found, () => 0, onlyRecord(at.state));
    lease(5_000_000);
    context.take();
    executor.run();
    return acts();
  }

  it('lets the application go on while the log decides, unless another may have to lead', () => {
    expect(reborn(false, [1, 2])).toEqual([]);
    // The only copy is the best there is: nobody else can be waited for.
    expect(reborn(true, [1])).toEqual([]);
    expect(reborn(true, [1, 2])).toEqual(['app stop']);
    // It served through the other one, which alone has everything.
    expect(reborn(false, [2])).toEqual(['app stop']);
  });

  it('stops an application that its core finds running after somebody else took over', () => {
    const net = new ControlNet({ seed: 21 });
    net.await(() => net.whole(), 10 * S);
    net.pass(S);
    net.pauseCore(1, 9 * S);
    expect(net.await(() => net.runningOn() === 2, 8 * S)).toBe(true);
    net.pass(10 * S);
    expect(net.host(1).app.state).toBe('stopped');
    expect(net.host(1).guardian.armed).toBe(false);
    expect(net.whole()).toBe(true);
    expect(net.violations).toEqual([]);
  });

  it('restarts its application when the lease comes back and it is still owner', () => {
    const net = new ControlNet({ seed: 22 });
    net.await(() => net.whole(), 10 * S);
    net.pass(S);
    net.powerOff(2);
    net.pass(4 * S);
    net.isolate(1);
    net.pass(3 * S);
    expect(net.runningOn()).toBe(0);
    net.heal();
    expect(net.await(() => net.runningOn() === 1, 8 * S)).toBe(true);
    expect(net.violations).toEqual([]);
  });
});
