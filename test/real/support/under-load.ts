/** Two real hosts that serve, with a client that writes all the time. */
import { AckRecorder } from './ack-recorder.ts';
import { waitFor } from './hosts.ts';
import { WriterProcess } from './nbd-client.ts';
import { TestCluster } from './test-cluster.ts';

export interface UnderLoad {
  readonly cluster: TestCluster;
  /** Who serves. */
  readonly serving: string;
  readonly recorder: AckRecorder;
  readonly writer: WriterProcess;
}

/** Hosts with a volume of `sizeMib`, of which the client writes the first `blocks`. */
export async function underLoad(sizeMib: number, seed: string, blocks: number): Promise<UnderLoad> {
  const recorder = new AckRecorder();
  const cluster = await TestCluster.make({ size: `${sizeMib}MiB` });
  try {
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    const serving = await cluster.waitHealthy();
    const how = { uri: cluster.uri(serving), seed, first: 1, depth: 8, blocks, unitsMax: 2 };
    const writer = new WriterProcess(how, recorder);
    await waitFor('200 writes', () => writer.acknowledged >= 200, 60_000);
    return { cluster, serving, recorder, writer };
  } catch (error) {
    // Nobody else knows of its processes yet.
    await cluster.close(true);
    throw error;
  }
}
