/** What `status` says of how far asynchronous replicas are behind, and where that waits. */
import type { HostStatus } from '../backends/real/host-status.ts';
import type { SpillStatus } from '../backends/real/native.ts';
import type { NodeId } from '../engine/core/units.ts';
import type { Lag } from '../engine/data/messages.ts';

/** One line for each asynchronous replica that is sent on to, or whose spill is off. */
export function lagLines(host: HostStatus, name: (node: NodeId) => string): string[] {
  return host.status.volumes.flatMap(({ volume, local }) => {
    const lags = local?.lags ?? [];
    const spills = host.spills?.[volume] ?? [];
    const sent = lags.map((lag) => {
      const spill = spills.find(({ node }) => node === lag.node);
      return `Lag of ${volume} on ${name(lag.node)}: ${lagText(lag)}${spilledText(spill)}`;
    });
    const off = spills.filter(({ node, state }) => {
      return state === 'off' && lags.every((lag) => lag.node !== node);
    });
    return [
      ...sent,
      ...off.map(({ node, reason }) => `Spill of ${volume} for ${name(node)}: off (${reason})`),
    ];
  });
}

/** What an asynchronous replica does not have in an image yet. */
function lagText({ bytes, writes, micros }: Lag): string {
  if (writes === 0) return 'none';
  return `${mib(bytes)}, ${writes} writes, ${(micros / 1e6).toFixed(1)} s`;
}

function spilledText(spill: SpillStatus | undefined): string {
  if (spill === undefined) return '';
  if (spill.state === 'on') return `; ${mib(spill.bytes)} in a spill file`;
  if (spill.state === 'off') return `; no spill file, so 1 GiB at most (${spill.reason})`;
  return '; no spill file yet';
}

function mib(bytes: number): string {
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}
