/**
 * The clock port: `now` of every step, Event.Timer and the `wake` input.
 *
 * Suite: test/compliance/clock.suite.ts.
 *
 * * Unit: microseconds of one monotonic clock of the host, a safe integer. It counts time that the
 *   host was suspended. Both actors, the monitor and the guardian of a host share it, so a deadline
 *   means the same to all of them. It is never compared with another host's clock; only its *rate*
 *   is assumed to be right within TimingConfig.clockRatePpm.
 * * `now` never runs backwards from one step to the next of the same actor.
 * * One timer per actor; arming replaces it. It is delivered at or after its time, never before.
 *   A time that is past is delivered at once.
 */
import { Decision, Event } from '../data/abi.ts';

/** Decision and event of the data actor's timer. */
export const CLOCK_DECISIONS: readonly number[] = [Decision.ArmTimer];
/** See {@link CLOCK_DECISIONS}. */
export const CLOCK_EVENTS: readonly number[] = [Event.Timer];
