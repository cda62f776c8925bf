import { describe, expect, it } from 'vitest';
import { checkHealed, nodesBehind } from '../../backends/sim/oracle/heals.ts';
import { Ground } from './oracle-ground.ts';

describe('LAW-heals', () => {
  const known = { name: 'g', volume: 0, state: 'online', blocked: [], logLost: false, behind: [] };
  const running = { ...known, running: [1] };

  it('holds when all is equal, in sync and running', () => {
    const ground = new Ground();
    ground.truth.record = ground.record(2, 1);
    checkHealed(ground.truth, running, ground.verdict);
    expect(ground.codes).toEqual([]);
  });

  it('catches a group that does not run, and a replica that stays behind', () => {
    const ground = new Ground();
    ground.truth.record = ground.record(2, 1, [1]);
    ground.replica(2).state = 'Outdated';
    checkHealed(ground.truth, { ...running, running: [] }, ground.verdict);
    expect(ground.codes).toEqual([
      'heals.not-running',
      'heals.not-up-to-date',
      'heals.not-in-sync',
    ]);
  });

  it('bears with a group that says the log is lost, where it is, and nowhere else', () => {
    for (const [logLost, why] of [
      [true, 'log-lost'],
      [false, 'log-lost'],
      [true, 'no-replica'],
    ] as const) {
      const ground = new Ground();
      ground.truth.record = ground.record(2, 1);
      const group = { ...running, running: [], blocked: [why], logLost };
      checkHealed(ground.truth, group, ground.verdict);
      const excused = logLost && why === 'log-lost';
      expect(ground.codes).toEqual([excused ? 'heals.blocked' : 'heals.not-running']);
    }
  });

  it('catches a group that runs, and that the log still takes for starting', () => {
    const ground = new Ground();
    ground.truth.record = ground.record(2, 1);
    checkHealed(ground.truth, { ...running, state: 'starting' }, ground.verdict);
    expect(ground.codes).toEqual(['heals.not-online']);
  });

  it('catches replicas that both call themselves up to date and differ', () => {
    const ground = new Ground();
    ground.truth.record = ground.record(2, 1);
    ground.put(1, ground.invokeWrite(0), true);
    checkHealed(ground.truth, running, ground.verdict);
    expect(ground.codes).toEqual(['heals.replicas-differ']);
  });

  it('accepts no block, whatever its reason, and no differing replicas', () => {
    for (const reason of ['stop-failed', 'application-failed', 'replica-failed', 'no-candidate']) {
      const ground = new Ground();
      ground.truth.record = ground.record(2, 1);
      ground.put(1, ground.invokeWrite(0), true);
      checkHealed(ground.truth, { ...running, running: [], blocked: [reason] }, ground.verdict);
      expect(ground.codes).toEqual(['heals.replicas-differ', 'heals.not-running']);
    }
  });
});

describe('who has not taken the agreed configuration into use', () => {
  const waits = (reason: string) => ({ reason, node: 1 });

  it('is named, but for hosts that are off, and where nothing was agreed on', () => {
    const hosts = [{ node: 1, agreed: 3, inUse: 3 }, { node: 2, agreed: 3, inUse: 2 }, { node: 3 }];
    expect(nodesBehind(hosts)).toEqual([2]);
  });

  it('is excused where a person is told what to do, and by nothing else', () => {
    const behind = { node: 2, agreed: 3, inUse: 2 };
    expect(nodesBehind([{ ...behind, waits: waits('replica-leads') }])).toEqual([]);
    expect(nodesBehind([behind, { node: 1, waits: waits('moved-blocks') }])).toEqual([]);
    expect(nodesBehind([{ ...behind, waits: waits('missing') }])).toEqual([2]);
    expect(nodesBehind([behind, { node: 1, waits: waits('replica-leads') }])).toEqual([2]);
  });
});
