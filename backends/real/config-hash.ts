/** What all nodes of a cluster must agree on, as one hash that they show each other. */
import { createHash } from 'node:crypto';
import type { ClusterConfig } from '../../engine/core/config.ts';

/**
 * Timing, nodes, volumes and groups: whatever promises and placement are reckoned from. Addresses
 * and paths are left out, for they are each host's own view of the world (address translation, a
 * folder with another name), and a wrong one can only keep nodes apart. So is where a replica
 * keeps its metadata, and how often replicas are compared: the leader's file decides. The order in
 * which a file names replicas means nothing.
 */
export function configHash({ timing, nodes, volumes, groups }: ClusterConfig): string {
  const agreed = {
    timing,
    nodes: nodes.map(({ control, replication, ...node }) => ({
      ...node,
      links: control.length,
      data: replication !== '',
    })),
    volumes: volumes.map(({ replicas, nbd, verify, layout: _, ...volume }) => ({
      ...volume,
      replicas: replicas
        .map(({ node, mode = 'sync' }) => ({ node, mode }))
        .sort((a, b) => byNumber(a.node, b.node)),
      nbd: nbd.map(({ node }) => node).sort(byNumber),
    })),
    groups,
  };
  return createHash('sha256').update(canonical(agreed)).digest('hex');
}

const byNumber = (a: number, b: number): number => a - b;

/** JSON that does not depend on the order in which fields were written. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
}
