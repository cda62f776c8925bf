/** A worker thread that runs shards of a campaign, one after another. */
import { parentPort } from 'node:worker_threads';
import {
  type CampaignResult,
  type FaultMode,
  runCampaign,
  type Shard,
} from '../../scenarios/campaign.ts';
import { newWorld } from '../../scenarios/run.ts';
import { singleFaults } from '../../scenarios/single-faults.ts';
import { mergeRows, type Row, rowOf } from './rows.ts';

/** A shard as it crosses to the thread: a set would, too, but a list is easier to print. */
export type ShardTask = Omit<Shard, 'canaries'> & { readonly canaries: readonly string[] };

/** What comes back. */
export interface ShardAnswer {
  readonly campaign: CampaignResult;
  readonly rows: readonly Row[];
}

const world = newWorld();

parentPort?.on('message', (task: ShardTask) => {
  const rows: Row[] = [];
  const campaign = runCampaign(
    { ...task, canaries: new Set(task.canaries) },
    (result, scenario) => rows.push(rowOf(rowName(task, result.seed, scenario.title), result)),
    world,
  );
  const answer: ShardAnswer = { campaign, rows: mergeRows(rows) };
  parentPort?.postMessage(answer);
});

function rowName(task: ShardTask, seed: number, title: string): string {
  if (task.scenario !== undefined) return task.scenario.name;
  const names: { readonly [mode in FaultMode]: () => string } = {
    none: () => 'no fault',
    single: () => {
      const singles = singleFaults(task.config);
      return singles[seed % singles.length]?.id ?? title;
    },
    pairs: () => 'pairs of faults',
    swarm: () => 'random swarm',
    disks: () => 'random swarm of disk faults',
    splits: () => 'random swarm about two branches',
    receipts: () => 'random swarm about writes that were only received',
  };
  return names[task.mode]();
}
