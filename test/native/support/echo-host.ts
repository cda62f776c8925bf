/**
 * A process whose Workers each serve one replica: `echo-host.ts FOLDER MODE NAME...`. Modes:
 * `serve` goes on; `load` keeps the disk busy as well; `exit`, `terminate` and `throw` end it so at
 * the first request.
 */
import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { loadNative } from '../../../backends/real/native.ts';
import { startThread } from '../../../backends/real/spawn.ts';
import { Decision } from '../../../engine/data/abi.ts';
import { EchoEngine, LAYOUT } from './echo-engine.ts';

const SIZE = 16 << 20;

type Task = { readonly folder: string; readonly mode: string; readonly name: string };

if (isMainThread) main(process.argv[2] ?? '', process.argv[3] ?? '', process.argv.slice(4));
else serve(workerData as Task, parentPort as MessagePort);

function main(folder: string, mode: string, names: readonly string[]): void {
  for (const name of names) {
    const worker = startThread(new URL(import.meta.url), { folder, mode, name });
    worker.on('error', (error) => {
      if (String(error).includes('asked to throw')) process.exit(0);
      console.error(error);
      process.exit(1);
    });
    worker.on('message', (message) => {
      if (message === 'open') process.send?.('open');
      // The Worker is in the midst of its loop, and may be blocked in a poll.
      if (message === 'asked' && mode === 'exit') process.exit(0);
      if (message !== 'asked' || mode !== 'terminate') return;
      void worker.terminate().then(() => process.exit(0));
    });
  }
}

function serve({ folder, mode, name }: Task, port: MessagePort): never {
  const native = loadNative();
  const reactor = native.makeReactor({
    layout: LAYOUT,
    replicaPath: `${folder}/${name}`,
    sizeBytes: SIZE,
    metaPages: 8,
    node: 1,
    volume: '00112233445566778899aabbccddeeff',
    key: new Uint8Array(32).fill(1),
  });
  reactor.listenNbd({ path: `${folder}/${name}.sock` }, 'vol');
  reactor.listenPeer({ host: '127.0.0.1', port: 0 });
  // Nobody is there: it keeps trying.
  reactor.connectPeer({ node: 2, host: '127.0.0.1', port: 9 });
  reactor.setExport(true);
  const engine = new EchoEngine(reactor);
  engine.holding = mode !== 'serve' && mode !== 'load';
  port.postMessage('open');
  let asked = false;
  for (;;) {
    const now = native.nowMicros();
    if (mode !== 'serve') {
      engine.decide(Decision.MetaWrite, 0, 0, 0, 1, 1, 0);
      engine.decide(Decision.LocalFlush, 0, 0, 0, 0, 2000, 0);
    }
    engine.turn(now + 10_000);
    engine.seen.length = 0;
    if (engine.held.length === 0 || asked) continue;
    asked = true;
    if (mode === 'throw') throw new Error('asked to throw');
    port.postMessage('asked');
  }
}
