import { describe, expect, it } from 'vitest';
import { unitsOf } from '../../../engine/cluster/groups.ts';
import { testConfig } from '../../support/control-host.ts';

describe('units', () => {
  it('are the groups of the configuration, with the nodes that have a replica', () => {
    const config = testConfig();
    const groups = config.groups.map((group) => ({ ...group, nodes: [2, 3, 1] }));
    const [unit] = unitsOf({ ...config, groups });
    expect(unit?.nodes).toEqual([2, 1]);
    expect(unit?.implicit).toBe(false);
  });

  it('include every volume that no group holds, without an application', () => {
    const config = testConfig();
    const [unit, ...others] = unitsOf({ ...config, groups: [] });
    expect(others).toEqual([]);
    expect(unit?.implicit).toBe(true);
    expect(unit?.group.application).toBeNull();
    expect(unit?.nodes).toEqual([1, 2]);
  });
});
