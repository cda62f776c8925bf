/** Has the addon write zeroes twice, and prints the status of each: run under a tracer of calls. */
import { Decision, Flag } from '../../../engine/data/abi.ts';
import { RawEngine } from '../../compliance/raw-engine.ts';
import { LAYOUT } from './echo-engine.ts';
import { Rig } from './rig.ts';

const rig = new Rig();
const engine = new RawEngine(rig.reactor({ replicaPath: rig.replica('a'), personality: 'epoll' }));
const slot = LAYOUT.frontSlots + LAYOUT.peerSlots;
for (let n = 0; n < 2; n += 1) {
  const flags = Flag.Zero | Flag.Unmap;
  engine.decide({ op: Decision.LocalWrite, slot, flags, offset: 8192, length: 8192 });
  let [done] = engine.turn();
  while (done === undefined) [done] = engine.turn();
  console.log(`status ${done.status}`);
}
process.exit(0);
