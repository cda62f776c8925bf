/**
 * The core's local door: HTTP with JSON over a Unix socket in the host's folder, whose mode keeps
 * strangers out. A loopback port, where asked for, shows the same and takes no commands, because
 * anybody on this machine can reach it.
 *
 *     GET  /status            HostStatus
 *     POST /command           OperatorCommand, answered by OperatorAnswer
 *     WS   /timeline          header, recent events, then live ones, as JSON Lines
 */
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { OperatorAnswer, OperatorCommand } from '../../engine/cluster/interface.ts';
import { parseConfigure } from '../../engine/cluster/message-parser.ts';
import { parseAddress } from './address.ts';
import { HostError, systemCode } from './failure.ts';
import type { HostStatus } from './host-status.ts';
import type { Log } from './log.ts';
import type { Onlooker } from './timeline-file.ts';

/** Longest command. */
const BODY_BYTES_MAX = 4096;
/** An onlooker that reads slower than this much behind is sent away. */
const BEHIND_BYTES_MAX = 16 * 1024 * 1024;
const ONLOOKERS_MAX = 32;

/** What the door opens on. */
export interface ApiCore {
  readonly status: () => HostStatus;
  readonly command: (command: OperatorCommand) => Promise<OperatorAnswer>;
  readonly watch: (onlooker: Onlooker) => () => void;
}

type Trust = 'operator' | 'viewer';

export class ApiServer {
  #path: string;
  #log: Log;
  #core: ApiCore;
  #servers: Server[] = [];
  /**
   * Loaded for the first onlooker: it takes ten megabytes, in a core and in its spare, and nobody
   * may ever look on.
   */
  #sockets: Promise<WebSocketServer> | null = null;
  #clients = new Set<WebSocket>();

  constructor(path: string, log: Log, core: ApiCore) {
    this.#path = path;
    this.#log = log;
    this.#core = core;
  }

  /** `console` is a loopback "host:port", or '' for none. Throws HostError. */
  async open(console: string): Promise<void> {
    // The core's lock is ours: a socket file here belonged to a core that is gone.
    rmSync(this.#path, { force: true });
    await this.#listen({ path: this.#path }, 'operator');
    if (console === '') return;
    const { host, port } = parseAddress(console);
    await this.#listen({ host, port }, 'viewer');
  }

  close(): void {
    for (const socket of this.#clients) socket.terminate();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  #listen(where: { path: string } | { host: string; port: number }, trust: Trust): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(request, response, trust).catch((error: Error) => {
        this.#log('warn', 'api', { reason: error.message });
        response.destroy();
      });
    });
    server.requestTimeout = 10_000;
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head, trust));
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        const place = 'path' in where ? where.path : `${where.host}:${where.port}`;
        const reason = `the address ${place} cannot be used (${systemCode(error)})`;
        reject(new HostError(reason, 'choose another with --console, or stop what uses it'));
      });
      server.listen(where, resolve);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, trust: Trust): Promise<void> {
    if (!isLocal(request, trust)) return send(response, 403, { error: 'not a local page' });
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'GET' && pathname === '/status') {
      return send(response, 200, this.#core.status());
    }
    if (pathname !== '/command') return send(response, 404, { error: 'no such page' });
    if (request.method !== 'POST') return send(response, 405, { error: 'POST only' });
    if (trust !== 'operator') {
      return send(response, 403, { error: 'commands go through the folder’s socket' });
    }
    const command = parseCommand(await readBody(request));
    if (command === null) return send(response, 400, { error: 'not a command' });
    this.#log('info', 'command', { kind: command.kind });
    return send(response, 200, await this.#core.command(command));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, trust: Trust): void {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const full = this.#clients.size >= ONLOOKERS_MAX;
    if (pathname !== '/timeline' || full || !isLocal(request, trust)) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    // Until it is upgraded nobody else listens to it.
    const lost = (): void => void socket.destroy();
    socket.on('error', lost);
    this.#sockets ??= loadSockets();
    this.#sockets
      .then((sockets) => {
        socket.off('error', lost);
        sockets.handleUpgrade(request, socket, head, (onlooker) => this.#show(onlooker));
      })
      .catch((error: Error) => {
        this.#log('warn', 'api', { reason: error.message });
        lost();
      });
  }

  #show(onlooker: WebSocket): void {
    const leave = this.#core.watch((text) => {
      if (onlooker.bufferedAmount > BEHIND_BYTES_MAX) onlooker.terminate();
      else if (text !== '') onlooker.send(text);
    });
    this.#clients.add(onlooker);
    onlooker.on('close', () => {
      this.#clients.delete(onlooker);
      leave();
    });
    onlooker.on('error', () => onlooker.terminate());
  }
}

async function loadSockets(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws');
  return new WebSocketServer({ noServer: true, maxPayload: 1024 });
}

/** A page of some web site must not read a console through the visitor's browser. */
function isLocal(request: IncomingMessage, trust: Trust): boolean {
  if (trust === 'operator') return true;
  const { host, origin } = request.headers;
  const names = [host, origin === undefined ? undefined : origin.replace(/^https?:\/\//, '')];
  return names.every((name) => {
    if (name === undefined) return true;
    return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(name);
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) {
    body += piece as string;
    if (body.length > BODY_BYTES_MAX) return '';
  }
  return body;
}

interface VerifyBody {
  readonly kind: 'verify' | 'verify-stop' | 'verify-resume';
  readonly volume?: unknown;
  readonly level?: unknown;
  readonly from?: unknown;
  readonly repair?: unknown;
  readonly bytesPerSecond?: unknown;
}

function parseVerify(body: VerifyBody): OperatorCommand | null {
  const { kind, volume, level = 'direct', from, repair, bytesPerSecond } = body;
  if (typeof volume !== 'string') return null;
  if (kind !== 'verify') return { kind, volume };
  if (!isCount(from) || !isCount(bytesPerSecond) || typeof repair !== 'boolean') return null;
  if (level !== 'direct' && level !== 'digest' && level !== 'quick') return null;
  return { kind, volume, level, from, repair, bytesPerSecond };
}

interface QuiesceBody {
  readonly volumes?: unknown;
  readonly micros?: unknown;
}

function parseQuiesce({ volumes, micros }: QuiesceBody): OperatorCommand | null {
  if (!Array.isArray(volumes) || volumes.length === 0) return null;
  if (!volumes.every((volume) => typeof volume === 'string')) return null;
  return isCount(micros) && micros > 0 ? { kind: 'quiesce', volumes, micros } : null;
}

function parseResolve(
  kind: 'resolve' | 'take-back',
  body: Record<string, unknown>,
): OperatorCommand | null {
  const { volume, order, keep, keeps, discards, epoch, atMost, adopt } = body;
  if (typeof volume !== 'string') return null;
  if (kind === 'take-back') return isCount(order) ? { kind, volume, order } : null;
  if (typeof adopt !== 'boolean' || !isCount(keep) || !isCount(epoch)) return null;
  if (!isCount(keeps) || !isCount(discards)) return null;
  // -1: whatever is written until it is stopped.
  if (!isCount(atMost) && atMost !== -1) return null;
  return { kind, volume, keep, keeps, discards, epoch, atMost, adopt };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseCommand(text: string): OperatorCommand | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { kind, group, to, point } = value as Record<string, unknown>;
  if (kind === 'status') return { kind };
  if (kind === 'quiesce') return parseQuiesce(value as QuiesceBody);
  if (kind === 'resume') return isCount(point) ? { kind, point } : null;
  if (kind === 'verify' || kind === 'verify-stop' || kind === 'verify-resume') {
    return parseVerify(value as VerifyBody);
  }
  if (kind === 'resolve' || kind === 'take-back') {
    return parseResolve(kind, value as Record<string, unknown>);
  }
  if (kind === 'configure') return parseConfigure(value);
  if (kind === 'take-over') {
    const { volume, epoch } = value as Record<string, unknown>;
    if (typeof volume !== 'string' || !isCount(to) || !isCount(epoch)) return null;
    return { kind, volume, to, epoch };
  }
  if (kind === 'return-replica') {
    const { volume } = value as { readonly volume?: unknown };
    return typeof volume === 'string' ? { kind, volume } : null;
  }
  if (kind === 'drop-branch') {
    const { volume, generation } = value as Record<string, unknown>;
    if (typeof volume !== 'string' || !isCount(generation)) return null;
    return { kind, volume, generation };
  }
  if (typeof group !== 'string') return null;
  if (kind === 'switch') return Number.isSafeInteger(to) ? { kind, group, to: Number(to) } : null;
  return kind === 'stop-group' || kind === 'start-group' ? { kind, group } : null;
}
