import { describe, expect, it } from 'vitest';
import { Volumes } from '../../../engine/cluster/volumes.ts';
import type { DiskState, Role } from '../../../engine/data/messages.ts';
import { contextOf, ofKind } from '../../support/control-fixtures.ts';
import { VOLUME } from '../../support/control-net.ts';

const SECOND = 1_000_000;

/** Node 1, whose data actor says how its disk is; `run` counts the ends of its core. */
function setup(canaries: readonly string[] = []) {
  const { context } = contextOf(1, canaries);
  const volumes = new Volumes(context);
  const known = { generation: 7, epoch: 1, hot: false, doubted: false } as const;
  volumes.report({ kind: 'attached', volume: VOLUME, disk: 'UpToDate', ...known }, () => 0, null);
  const say = (disk: DiskState, role: Role, more: { readonly pathLost?: true } = {}): void => {
    const plain = { epoch: 1, link: 'Connecting', dirty: 0, pending: 0, failure: '1.1.9' } as const;
    volumes.report({ kind: 'state', volume: VOLUME, disk, role, ...plain, ...more }, () => 0, null);
  };
  const run = (seconds: number): number => {
    let ends = 0;
    for (let n = 0; n < seconds; n += 1) {
      context.now += SECOND;
      volumes.tick();
      ends += ofKind(context.take(), 'restart-core').length;
    }
    return ends;
  };
  return { volumes, context, say, run };
}

describe('a replica whose path is lost', () => {
  it('has its core start anew every few seconds, and says why', () => {
    const { say, run, volumes, context } = setup();
    say('Failed', 'Idle', { pathLost: true });
    expect(run(14)).toBe(0);
    expect(run(60)).toBeGreaterThanOrEqual(3);
    context.now += 16 * SECOND;
    volumes.tick();
    const decisions = context.take();
    const [said] = ofKind(decisions, 'event').map(({ event }) => event);
    const [end] = ofKind(decisions, 'restart-core');
    expect(said).toMatchObject({ kind: 'data.path', d: { volume: VOLUME }, cause: '1.1.9' });
    expect(end?.cause).toBe(said?.id);
  });

  it('is not tried again, with the planted bug', () => {
    const { say, run } = setup(['path-given-up']);
    say('Failed', 'Idle', { pathLost: true });
    expect(run(120)).toBe(0);
  });

  it('is left alone where the disk itself failed, or is there again', () => {
    const { say, run } = setup();
    say('Failed', 'Idle');
    expect(run(60)).toBe(0);
    say('Failed', 'Idle', { pathLost: true });
    run(10);
    say('UpToDate', 'Secondary');
    expect(run(60)).toBe(0);
  });
});
