/**
 * Serves the viewer and one timeline on loopback. Read-only: it answers GET for files of the built
 * page and for /timeline.jsonl, and nothing else.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { InputError } from './failure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'viewer', 'dist');

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.jsonl': 'application/x-ndjson; charset=utf-8',
};

const plainHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Characters of one write. */
const PIECE_CHARS = 256 * 1024;

/** Newest modification below `folder`, in milliseconds since 1970; 0 when there is none. */
function newest(folder: string): number {
  if (!existsSync(folder)) return 0;
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && !entry.parentPath.includes('dist')) {
      latest = Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
    }
  }
  return latest;
}

/** Builds the page unless it is there and newer than its sources. Takes about a second. */
export function ensurePage(): void {
  const built = join(page, 'index.html');
  const sources = Math.max(newest(join(root, 'viewer')), newest(join(root, 'engine')));
  if (existsSync(built) && statSync(built).mtimeMs >= sources) return;
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const result = spawnSync(process.execPath, [vite, 'build', 'viewer', '--logLevel', 'warn'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (result.status !== 0) {
    throw new InputError('the viewer page could not be built', 'run: npm ci, then try again');
  }
}

/** What is served beside the page. */
export interface ServeOptions {
  /** Timeline file to open, or what makes its text anew at each reading, or null. */
  readonly timeline: string | (() => Iterable<string>) | null;
  /** WebSocket address of a live journal, or null. */
  readonly live: string | null;
  /** Port, 0 for any free one. */
  readonly port: number;
}

/** A server that runs until `close`. */
export interface Served {
  /** Address to open. */
  readonly url: string;
  close(): void;
}

/** Starts serving on 127.0.0.1. */
export async function serveViewer(options: ServeOptions): Promise<Served> {
  ensurePage();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const asked = pathname === '/timeline.jsonl' ? options.timeline : null;
    const file =
      typeof asked === 'string'
        ? asked
        : normalize(join(page, pathname === '/' ? 'index.html' : pathname));
    const known = file === options.timeline || file.startsWith(page);
    if (request.method !== 'GET' && request.method !== 'HEAD') refuse(response, 405);
    else if (typeof asked === 'function') sendText(response, asked);
    else if (known && existsSync(file) && statSync(file).isFile()) sendFile(response, file);
    else refuse(response, 404);
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  const query = new URLSearchParams();
  if (options.timeline !== null) query.set('file', '/timeline.jsonl');
  if (options.live !== null) query.set('live', options.live);
  const suffix = query.size === 0 ? '' : `?${query}`;
  return { url: `http://127.0.0.1:${port}/${suffix}`, close: () => server.close() };
}

function sendFile(response: ServerResponse, file: string): void {
  response.writeHead(200, {
    'content-type': MEDIA_TYPES[extname(file)] ?? 'application/octet-stream',
    ...plainHeaders,
  });
  createReadStream(file)
    .on('error', () => response.destroy())
    .pipe(response);
}

function sendText(response: ServerResponse, make: () => Iterable<string>): void {
  let lines: Iterable<string>;
  try {
    lines = make();
  } catch (error) {
    // A journal that was moved or is being rotated: the next request may find it again.
    const reason = error instanceof Error ? error.message : String(error);
    response.writeHead(503, { 'content-type': 'text/plain' }).end(`${reason}\n`);
    return;
  }
  response.writeHead(200, { ...plainHeaders, 'content-type': MEDIA_TYPES['.jsonl'] ?? '' });
  Readable.from(pieces(lines))
    .on('error', () => response.destroy())
    .pipe(response);
}

/** Lines in pieces that are worth a write each. */
function* pieces(lines: Iterable<string>): Iterable<string> {
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < PIECE_CHARS) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${status}\n`);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = `port ${port} cannot be used (${error.code})`;
      reject(new InputError(reason, 'choose another with --port, or leave it out for a free one'));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}
