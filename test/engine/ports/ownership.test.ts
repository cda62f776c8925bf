import { describe, expect, it } from 'vitest';
import { Decision, Event } from '../../../engine/data/abi.ts';
import { CLOCK_DECISIONS, CLOCK_EVENTS } from '../../../engine/ports/clock.ts';
import { DISK_DECISIONS, DISK_EVENTS } from '../../../engine/ports/disk.ts';
import { FRONTEND_DECISIONS, FRONTEND_EVENTS } from '../../../engine/ports/frontend.ts';
import { LINK_DECISIONS, LINK_EVENTS } from '../../../engine/ports/network.ts';

/** Operations between the two actors of a host, and the letting go of a slot: no port's. */
const INTERNAL_EVENTS: readonly number[] = [Event.Control];
const INTERNAL_DECISIONS: readonly number[] = [Decision.Report, Decision.Free];

function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}

describe('the ports', () => {
  it('own every event of the record interface, each exactly one', () => {
    const owned = [
      ...DISK_EVENTS,
      ...LINK_EVENTS,
      ...FRONTEND_EVENTS,
      ...CLOCK_EVENTS,
      ...INTERNAL_EVENTS,
    ];
    expect(sorted(owned)).toEqual(sorted(Object.values(Event)));
  });

  it('own every decision of the record interface, each exactly one', () => {
    const owned = [
      ...DISK_DECISIONS,
      ...LINK_DECISIONS,
      ...FRONTEND_DECISIONS,
      ...CLOCK_DECISIONS,
      ...INTERNAL_DECISIONS,
    ];
    expect(sorted(owned)).toEqual(sorted(Object.values(Decision)));
  });
});
