import { describe, expect, it } from 'vitest';
import { saysNothingNew } from '../../../engine/cluster/facts.ts';
import { factsOf } from '../../support/control-fixtures.ts';

describe('facts', () => {
  it('are told again when anything but their version is new', () => {
    const told = factsOf(1);
    expect(saysNothingNew({ ...told, version: 9 }, told)).toBe(true);
    expect(saysNothingNew({ ...told, config: 1 }, told)).toBe(false);
    expect(saysNothingNew({ ...told, identity: 7 }, told)).toBe(false);
    expect(saysNothingNew(factsOf(1, 'Failed'), told)).toBe(false);
    expect(
      saysNothingNew({ ...told, attested: [{ node: 2, lease: 1, event: '2.1.c9' }] }, told),
    ).toBe(false);
  });
});
