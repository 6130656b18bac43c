/**
 * The page as files: built ahead, read once, and served from memory under a policy that lets it load nothing from
 * anywhere else.
 */
import { readdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/** What stands in for a page that was not built. */
const NO_PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Stateward</title>
<h1>Stateward</h1>
<p>The inspector is here, its page is not: it was not built. <code>npm run build</code> builds it.</p>
<p>Its feed is the WebSocket at <code>/feed</code>; see <code>docs/inspector.md</code>.</p>
`

/** By path. */
export type PageFiles = ReadonlyMap<string, { readonly type: string; readonly body: Buffer }>

/** Where the page is built to, from the sources and in the package. */
export function pageFolder(): string {
  const built = import.meta.url.endsWith('.ts') ? '../../../dist/page' : '../../page'
  return fileURLToPath(new URL(built, import.meta.url))
}

/** All files of the folder; one that says how to build them when there are none. */
export async function readPage(folder: string): Promise<PageFiles> {
  const files = new Map<string, { type: string; body: Buffer }>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const type = TYPES[extname(path)] ?? 'application/octet-stream'
    files.set(`/${relative(folder, path).split(sep).join('/')}`, { type, body: await readFile(path) })
  }
  const index = files.get('/index.html') ?? { type: TYPES['.html'] as string, body: Buffer.from(NO_PAGE) }
  return files.set('/', index)
}

/** Answers a request for a file. Its `Host` has been looked at. */
export function servePage(files: PageFiles, request: IncomingMessage, response: ServerResponse): void {
  const { method = 'GET', url = '/', headers } = request
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { ...HEADERS, Allow: 'GET, HEAD' }).end()
    return
  }
  const path = url.split(/[?#]/, 1)[0] as string
  const file = files.get(path)
  if (file === undefined) {
    response
      .writeHead(404, { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' })
      .end('There is nothing here.\n')
    return
  }
  response.writeHead(200, {
    ...HEADERS,
    'Cache-Control': 'no-cache',
    'Content-Length': file.body.length,
    'Content-Security-Policy': policy(headers.host ?? ''),
    'Content-Type': file.type,
  })
  response.end(method === 'HEAD' ? undefined : file.body)
}

/** Not every browser takes `'self'` for the sockets of the same host. */
function policy(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self' ws://${host}`,
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
