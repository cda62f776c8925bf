/**
 * The flight recorder of one volume: a ring in a mapped file of the node's folder. It costs no
 * system call while it records, and a killed core leaves it behind. It holds the last ten
 * thousand requests or so; older ones are overwritten.
 */
import { FlightRing } from '../../engine/timeline/flight.ts';
import { loadNative } from './native.ts';

/** Bytes of the ring; all of it is in memory. */
export const FLIGHT_RING_BYTES: number = 8 * 1024 * 1024;

/** Where a volume's recording stands in a node's folder. */
export function flightFileName(volume: string): string {
  return `${volume}.flight`;
}

/** Null when it cannot be had: a full disk keeps nobody from serving. */
export function openFlightRing(path: string): FlightRing | null {
  try {
    return new FlightRing(new Uint8Array(loadNative().mapFile(path, FLIGHT_RING_BYTES)));
  } catch {
    return null;
  }
}
