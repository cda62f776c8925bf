import { describe, expect, it } from 'vitest';
import type { HostStatus } from '../../backends/real/host-status.ts';
import { changeText, configLines, goingBy } from '../../cli/config-text.ts';
import type { ConfigStatus } from '../../engine/cluster/interface.ts';
import type { VolumeConfig } from '../../engine/core/config.ts';
import { demoHosts } from '../../scenarios/demo.ts';

const name = (node: number): string => ['?', 'a', 'b', 'c'][node] ?? '?';
const [config] = demoHosts([1, 2]).volumes as [VolumeConfig];
const volume = 'data';

const replaced = { kind: 'replace-replica', volume, node: 2, path: '/x', meta: '' } as const;

describe('a change of the configuration in words', () => {
  it('says what to make first, and that nothing is at risk while two have everything', () => {
    const replica = { node: 3, path: '/dev/c', meta: '' };
    const change = { kind: 'add-replica', volume, replica, listen: [], place: 2 } as const;
    const text = changeText(change, { config, members: [1, 2], going: 0 }, 'new.yaml', name);
    expect(text).toContain('understudy replica new new.yaml --name c --volume data');
    expect(text).toContain('Data at risk: none; a and b have everything.');
    expect(text).toContain('starts its core anew');
    // One of the two is about to go by the change that is under way.
    const open = { stage: 'begun', changes: [{ version: 1, change: replaced }] };
    const going = goingBy(open as unknown as ConfigStatus, volume);
    expect(goingBy(undefined, volume)).toBe(0);
    const risky = changeText(change, { config, members: [1, 2], going }, 'new.yaml', name);
    expect(risky).toContain('only a has everything');
  });

  it('says how much clients see of a volume that grows, and that nothing is copied', () => {
    const half = { ...config, servedBytes: config.sizeBytes / 2 };
    const grows = (servedBytes: number): string => {
      const change = { kind: 'grow-volume', volume, servedBytes } as const;
      return changeText(change, { config: half, members: [1, 2], going: 0 }, 'x.yaml', name);
    };
    expect(grows(8 << 20)).toContain('from 6MiB to 8MiB, of the 12MiB that its replicas have');
    expect(grows(8 << 20)).toContain('Data at risk: none');
    expect(grows(8 << 20)).not.toContain('starts its core anew');
    expect(grows(4 << 20)).toContain('is taken back, if clients see 4MiB of it now');
  });

  it('says who alone has everything, and who is out of sync already', () => {
    const change = { kind: 'replace-replica', volume, node: 2, path: '/x', meta: '' } as const;
    const text = changeText(change, { config, members: [1, 2], going: 0 }, 'new.yaml', name);
    expect(text).toContain('until the copy is done only a has everything');
    const remove = { kind: 'remove-replica', volume, node: 2 } as const;
    const out = changeText(remove, { config, members: [1], going: 0 }, 'new.yaml', name);
    expect(out).toContain('Not in sync now: b.');
  });
});

describe('the status of the configuration', () => {
  const lines = (status: object, fileDiffers = false): string[] =>
    configLines({ status, fileDiffers, node: 'a' } as unknown as HostStatus, name);

  it('says nothing where nothing was ever changed', () => {
    expect(lines({})).toEqual([]);
  });

  it('says which version is agreed on, who lacks it, what it waits for, and of the file', () => {
    const waits = { reason: 'owner-first', node: 2 };
    const others = [{ node: 2, inUse: 1 }];
    const said = lines({ config: { agreed: 2, inUse: 1, changes: [], others, waits } }, true);
    expect(said[0]).toBe(
      'Configuration: version 2 is agreed on, 1 in use here, not in use yet on b',
    );
    expect(said[1]).toContain('(b)');
    expect(said[2]).toContain('node a was started with');
  });

  it('says how far the last change is, and what is at risk until it is done', () => {
    const changes = [{ version: 2, change: replaced }];
    const config = { agreed: 2, inUse: 1, changes, others: [], stage: 'begun' };
    const held = (...nodes: number[]) => [{ volume, members: nodes.map((node) => ({ node })) }];
    const [, stage, risk] = lines({ config, volumes: held(1, 2) });
    expect(stage).toContain('begun, and not done');
    expect(risk).toBe(
      'Data at risk: of volume data only a has everything beside b, whose replica is to be ' +
        'filled on another disk',
    );
    expect(lines({ config, volumes: held(1, 2, 3) }).length).toBe(2);
    const waiting = { ...config, stage: 'ordered' };
    const [, ordered] = lines({ config: waiting, volumes: held(1, 2, 3) });
    expect(ordered).toContain('can be taken back');
  });
});
