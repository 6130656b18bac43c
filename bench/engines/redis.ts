/**
 * A Redis for the benchmarks: the one that `STATEWARD_BENCH_REDIS` names, else a `redis-server` of our own on loopback, in a
 * temporary folder, with `appendfsync everysec`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Redis {
  readonly url: string
  stop(): Promise<void>
}

/** `undefined` where there is none. */
export async function startRedis(): Promise<Redis | undefined> {
  const given = process.env.STATEWARD_BENCH_REDIS
  if (given !== undefined) return { url: given, stop: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'stateward-bench-redis-'))
  const port = await freePort()
  const options = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
  }
  const server = spawn(
    'redis-server',
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const isUp = await new Promise<boolean>((resolve) => {
    let said = ''
    server.stdout.on('data', (chunk) => {
      said += chunk
      if (said.includes('Ready to accept')) resolve(true)
    })
    server.once('error', () => resolve(false))
    server.once('exit', () => resolve(false))
  })
  const stop = async (): Promise<void> => {
    if (isUp && server.exitCode === null) {
      server.kill('SIGKILL')
      await once(server, 'exit')
    }
    await rm(folder, { recursive: true, force: true })
  }
  if (isUp) return { url: `redis://127.0.0.1:${port}`, stop }
  await stop()
  return undefined
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
