/** One node's view for people: a picture of state, changing nothing. */
import type { Micros, NodeId } from '../core/units.ts';
import type { Context } from './context.ts';
import type { Links } from './heartbeat.ts';
import type { ClusterStatus } from './interface.ts';
import type { Reconfigure } from './reconfigure.ts';
import type { Resolution } from './resolution.ts';
import { type ClusterState, majorityOf } from './state.ts';
import type { Volumes } from './volumes.ts';

export function statusOf(
  context: Context,
  parts: {
    readonly links: Links;
    readonly volumes: Volumes;
    readonly state: ClusterState;
    readonly resolution: Resolution;
    readonly reconfigure: Reconfigure;
  },
  log: {
    readonly leader: NodeId;
    readonly term: number;
    readonly committed: number;
    readonly lease: { readonly until: Micros; readonly held: boolean };
  },
): ClusterStatus {
  const { links, volumes, state, resolution } = parts;
  const config = parts.reconfigure.status;
  const hosts = context.config.nodes.filter((node) => !node.witness);
  const lost = isLogLost(context, links, state);
  const guarded = hosts.every((node) => node.watchdog !== '' && node.watchdog !== 'none');
  return {
    node: context.node,
    ...log,
    ...(config === undefined ? {} : { config }),
    exclusivity: guarded ? 'data+service' : 'data',
    peers: links.peers.map((peer) => ({
      node: peer.node,
      up: peer.up,
      links: peer.links.map((link) => ({ up: link.up, heard: link.heardAt })),
    })),
    volumes: state.volumes.map((record) => {
      const unit = context.units.find((u) => u.volume.name === record.volume);
      const split = unit === undefined ? null : resolution.describe(unit, record);
      const known =
        unit?.volume.mode === 'semi-sync' ? { ...record, mode: unit.volume.mode } : record;
      const far = (unit?.volume.replicas ?? [])
        .filter(
          ({ node, mode }) => mode === 'async' && !record.members.some((m) => m.node === node),
        )
        .map(({ node }) => node);
      const placed = far.length === 0 ? known : { ...known, asynchronous: far };
      const keptBranches = keptBranchesOf(context, links, volumes, record.volume);
      const kept = keptBranches.length === 0 ? placed : { ...placed, keptBranches };
      const said = split === null ? kept : { ...kept, split };
      const local = volumes.get(record.volume);
      if (local === null) return { ...said, local: null };
      const { disk, role, link, dirty, failing, pathLost, proxies } = local;
      const soon = failing === '' ? {} : { failing };
      const doubted = volumes.isDoubted(record.volume);
      const { verify, dueIn, meters, wayBack, keptBranch, lostBranch } = local;
      const measured = meters === null ? {} : { meters };
      const compared = verify === null ? {} : { verify };
      const next = dueIn === null ? {} : { nextVerify: dueIn };
      const back = wayBack === null ? {} : { wayBack };
      const stays = keptBranch === null ? {} : { keptBranch };
      const lacks = lostBranch === null ? {} : { lostBranch };
      const path = { ...(pathLost ? { pathLost } : {}), ...(proxies ? { proxies } : {}) };
      const lags = [...local.lags].map(([node, lag]) => ({ node, ...lag }));
      const behind = lags.length === 0 ? {} : { lags };
      const more = {
        ...soon,
        ...path,
        ...compared,
        ...next,
        ...measured,
        ...back,
        ...stays,
        ...lacks,
        ...behind,
      };
      return { ...said, local: { disk, role, link, dirty, doubted, ...more } };
    }),
    groups: state.groups
      .filter((group) => !context.units.some((u) => u.implicit && u.group.name === group.group))
      .map(({ group, owner, epoch, phase, blocked: said }) => {
        const blocked = lost ? LOG_LOST : said;
        if (blocked === null) return { group, owner, epoch, state: phase };
        return { group, owner, epoch, state: 'blocked', blocked };
      }),
  };
}

/** Who keeps a branch of the volume, by what each node that is heard says of itself. */
function keptBranchesOf(
  { node }: Context,
  links: Links,
  volumes: Volumes,
  volume: string,
): NonNullable<ClusterStatus['volumes'][number]['keptBranches']> {
  const own = volumes.get(volume)?.keptBranch;
  const here = own ? [{ node, generation: own.generation, holds: own.holds === true }] : [];
  const there = links.peers.flatMap(({ node: peer, up, life, facts }) => {
    const known = up && facts?.life === life ? facts.volumes : [];
    const kept = known.find((each) => each.volume === volume)?.keptBranch;
    return kept === undefined ? [] : [{ node: peer, ...kept }];
  });
  return [...here, ...there].sort((a, b) => a.node - b.node);
}

const LOG_LOST = { reason: 'log-lost', remedy: 'form-anew' } as const;

/**
 * Whether so many voters have lost what they knew that those that are left are no majority: nobody
 * can be readmitted then, and nothing is decided any more (docs/decisions/0004). A voter that is
 * silent, and was not heard as somebody else, may come back as it was.
 */
function isLogLost({ node, identity }: Context, links: Links, { voters }: ClusterState): boolean {
  const left = voters.filter((voter) => {
    const heard = voter.node === node ? identity : (links.peer(voter.node)?.identity ?? 0);
    return heard === 0 || heard === voter.identity;
  });
  return left.length < majorityOf(voters.length);
}
