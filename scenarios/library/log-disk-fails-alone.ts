/** Of a volume in two parts the disk of one fails on the primary. */
import { demoInParts } from '../demo.ts';
import type { ScenarioText } from '../scenario.ts';

export const logDiskFailsAlone: ScenarioText = {
  name: 'log-disk-fails-alone',
  title: 'The disk of the log fails, and that of the pages does not',
  about:
    'A database has its pages and its log on two disks of each host, as one volume. A write to ' +
    'the log fails on the primary: the whole replica is given up, for pages without the log ' +
    'behind them are no image of any moment, and the other host takes over with both. When ' +
    'somebody has mended the disk, both parts are filled, and the replica is a member as before.',
  config: demoInParts(),
  workload: { iops: 300 },
  faults: [{ at: '8s', kind: 'write-error', target: 'primary', part: 'log', for: '3s' }],
};
