/**
 * The HTTP API over a queue on one SQLite file, asked from another process, beside bare Hono on `@hono/node-server` that
 * answers the same bytes and stores nothing: what the checks, the queue and the disk cost on top of the framework.
 *
 * A task counts as stored when 201 has come: its commit is on the disk then.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { perSecond } from './engines/rounds.ts'
import type { HttpSetup, SameAnswer } from './fixtures/http-server.ts'
import { requestsPerSecond } from './harness/http-load.ts'
import { at, type Row, type Scale, type Table } from './harness/question.ts'
import { takeTurns } from './harness/rounds.ts'
import { ratio, Samples } from './harness/samples.ts'

export const description =
  'How many requests does the HTTP API answer, against bare Hono that answers the same without a queue'

const PROGRAM = new URL('./fixtures/http-server.ts', import.meta.url)
const JSON_TYPE = { 'content-type': 'application/json' }
const BODY = JSON.stringify({ task: 'work', input: { n: 1 } })

export async function run(scale: Scale): Promise<Table[]> {
  const sizes = at(scale, {
    full: { connections: [1, 8, 64], forMs: 3_000, rounds: 3 },
    quick: { connections: [1, 64], forMs: 1_500, rounds: 2 },
    smoke: { connections: [2], forMs: 100, rounds: 1 },
  })
  const folder = await mkdtemp(join(tmpdir(), 'stateward-bench-'))
  const sides: Side[] = []
  try {
    const ours = await Side.start({ side: 'stateward', url: `sqlite:${join(folder, 'tasks.db')}` }, sides)
    const posted = await answerOf(`${ours.url}/tasks`, { method: 'POST', body: BODY, headers: JSON_TYPE })
    const path = `/tasks/${(JSON.parse(posted.text) as { id: string }).id}`
    const got = await answerOf(`${ours.url}${path}`)
    const bare = await Side.start({ side: 'hono', posted, got }, sides)
    const rows: Row[] = []
    for (const request of [
      { what: 'POST one task', method: 'POST', path: '/tasks', body: BODY },
      { what: 'GET one task', method: 'GET', path },
    ] as const) {
      for (const connections of sizes.connections) {
        const rounds = await takeTurns(
          [ours, bare].map(({ port }) => ({
            name: String(port),
            round: () => requestsPerSecond({ port, ...request, connections, forMs: sizes.forMs }),
          })),
          { rounds: sizes.rounds },
        )
        const [mine, peer] = rounds.map((values) => new Samples(values)) as [Samples, Samples]
        rows.push({
          cells: [request.what, connections, perSecond(mine), perSecond(peer), ratio(mine, peer).toString()],
        })
      }
    }
    return [
      {
        title: 'Requests per second, from another process',
        note: `Connections stay open, with one request under way on each, for ${sizes.forMs / 1000} s. Hono answers the same bytes, and does nothing else.`,
        columns: ['request', 'connections', 'stateward', 'bare Hono', "times Hono's"],
        rows,
      },
    ]
  } finally {
    await Promise.all(sides.map((side) => side.close()))
    await rm(folder, { recursive: true, force: true })
  }
}

class Side {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(port: number, child: ChildProcess) {
    this.port = port
    this.#child = child
  }

  /** Resolves when it listens. @param sides - where it is noted, to be closed */
  static async start(setup: HttpSetup, sides: Side[]): Promise<Side> {
    const child = fork(PROGRAM, [JSON.stringify(setup)], { execArgv: [] })
    const said = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (child.exitCode !== null) throw new Error(`A server has ended with ${child.exitCode}.`)
    const side = new Side(said[0] as number, child)
    sides.push(side)
    return side
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    await exited
  }
}

async function answerOf(url: string, init?: RequestInit): Promise<SameAnswer> {
  const response = await fetch(url, init)
  const own = ['content-type', 'cache-control', 'location', 'taskqueue-location']
  const headers = [...response.headers].filter(([name]) => own.includes(name))
  return { status: response.status, headers: Object.fromEntries(headers), text: await response.text() }
}
