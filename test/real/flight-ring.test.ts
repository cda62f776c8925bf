/** The flight recorder's ring on a real file. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FLIGHT_RING_BYTES, openFlightRing } from '../../backends/real/flight-ring.ts';
import { REAL_LAYOUT } from '../../backends/real/mirror-config.ts';
import { hasNative } from '../../backends/real/native.ts';
import { SEGMENT_BYTES } from '../../engine/timeline/flight.ts';

const folder = mkdtempSync(join(tmpdir(), 'us-flight-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a flight ring of a real host', () => {
  it('has room in a segment for its largest turn', () => {
    const { events, decisions, inPages } = REAL_LAYOUT;
    const most = events * (32 + 64) + inPages * 4096 + decisions * 32;
    expect(most).toBeLessThan(SEGMENT_BYTES / 2);
  });

  it('is what the file says, and goes on where the last process ended', (context) => {
    if (!hasNative()) context.skip('the native addon is not built (npm run build:native)');
    const path = join(folder, 'data.flight');
    const ring = openFlightRing(path);
    expect(ring?.nextSequence).toBe(0);
    const segment = ring?.segment(0) as Uint8Array;
    const view = new DataView(segment.buffer, segment.byteOffset);
    view.setUint32(0, 0x544c4655, true);
    view.setUint32(4, 1, true);
    view.setFloat64(16, 41, true);
    expect(statSync(path).size).toBe(FLIGHT_RING_BYTES);
    expect(readFileSync(path).subarray(0, 4).toString()).toBe('UFLT');
    expect(openFlightRing(path)?.nextSequence).toBe(42);
  });

  it('is done without where the file cannot be had', () => {
    const taken = join(folder, 'taken');
    mkdirSync(taken);
    expect(openFlightRing(taken)).toBeNull();
    expect(openFlightRing(join(folder, 'no', 'such', 'folder'))).toBeNull();
    expect(existsSync(join(folder, 'no'))).toBe(false);
  });
});
