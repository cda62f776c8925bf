/** Asks a node of this machine through the socket in its folder. */
import { request } from 'node:http';
import type { OperatorAnswer, OperatorCommand } from '../../engine/cluster/interface.ts';
import { HostError, systemCode } from './failure.ts';
import { hostPaths } from './host-options.ts';
import type { HostStatus } from './host-status.ts';

const LIMIT_MS = 35_000;

/** Throws HostError when no core answers there. */
export async function fetchStatus(folder: string): Promise<HostStatus> {
  return (await call(folder, 'GET', '/status', '')) as HostStatus;
}

/** Throws HostError when no core answers there. */
export async function sendCommand(
  folder: string,
  command: OperatorCommand,
): Promise<OperatorAnswer> {
  return (await call(folder, 'POST', '/command', JSON.stringify(command))) as OperatorAnswer;
}

function call(folder: string, method: string, path: string, body: string): Promise<unknown> {
  const socketPath = hostPaths(folder).api;
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, timeout: LIMIT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', (error) => reject(silent(folder, error)));
      response.on('end', () => {
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(silent(folder, error));
        }
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', (error) => reject(silent(folder, error)));
    asked.end(body);
  });
}

function silent(folder: string, error: unknown): HostError {
  const code = systemCode(error);
  const why = code === 'ENOENT' || code === 'ECONNREFUSED' ? 'no node runs there' : String(error);
  return new HostError(
    `no answer from a node in ${folder}: ${why}`,
    'start it with understudy node CONFIG --name NODE, or name its folder with --data',
  );
}
