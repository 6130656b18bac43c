/** `stateward inspect`, `stateward machines` and `daemon start --inspect`. */
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { freshUrl, testQueue } from '../durable/queue-kit.ts'
import { openFeed } from '../inspector/feed-client.ts'
import { answerOf, begin, cli, program, TASKS } from './cli-kit.ts'

const ADDRESS = /(http:\/\/127\.0\.0\.1:\d+\/)#token=([\w-]+)/

test('inspect serves the page over a queue until it is interrupted', async () => {
  const url = await freshUrl()
  const queue = await testQueue({ url })
  await queue.clear()
  const run = begin(['inspect', '-q', url])
  await run.out.shows(ADDRESS)
  const [, address = '', token = ''] = ADDRESS.exec(run.out.text) ?? []
  expect((await fetch(address)).status).toBe(200)
  const page = await openFeed({ address })
  expect(page.hello).toMatchObject({ access: 'look', sources: { supervisor: null, queue: { daemon: null } } })
  expect(await page.login(token)).toBe('act')
  run.interrupt()
  expect(await run.code).toBe(0)
  expect(await page.closed).toMatchObject({ code: 1001 })
})

test('inspect takes a port and an address; others see nothing without a token of one’s own', async () => {
  const url = await freshUrl()
  await (await testQueue({ url })).clear()
  expect(await cli(['inspect', '-q', url, '--port', '70000'])).toMatchObject({ code: 2 })
  expect(await cli(['inspect', '-q', url, '--host', '0.0.0.0'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('they see nothing without the token'),
  })
  expect(await cli(['inspect', '-q', 'sqlite:./nowhere.db'])).toMatchObject({ code: 4 })
})

test('inspect with a token of one’s own prints the address without it; a bad one is not said again', async () => {
  onTestFinished(() => void vi.unstubAllEnvs())
  const url = await freshUrl()
  await (await testQueue({ url })).clear()
  vi.stubEnv('STATEWARD_INSPECT_TOKEN', 'open-sesame-open-sesame')
  const run = begin(['inspect', '-q', url])
  await run.out.shows(/^Inspector: http:\/\/127\.0\.0\.1:\d+\/$/m)
  expect(run.out.text).not.toContain('open-sesame')
  run.interrupt()
  expect(await run.code).toBe(0)
  vi.stubEnv('STATEWARD_INSPECT_TOKEN', 'hush hush')
  const { code, err } = await cli(['inspect', '-q', url])
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining('Expected STATEWARD_INSPECT_TOKEN to be at least 16 letters'),
  })
  expect(err).not.toContain('hush')
})

test('a daemon shows itself: its address is told, and the token is not in its log', {
  timeout: 60_000,
}, async () => {
  const url = await freshUrl()
  const { code, out } = await program(['daemon', 'start', '-q', url, '-t', TASKS, '--inspect'])
  expect(code).toBe(0)
  onTestFinished(async () => void (await cli(['daemon', 'stop', '-q', url])))
  const [, address = '', token = ''] = ADDRESS.exec(out) ?? []
  const page = await openFeed({ address })
  expect(page.hello?.sources).toMatchObject({
    supervisor: { id: 'daemon:default' },
    queue: { daemon: 'default' },
  })
  expect(await page.login(token)).toBe('act')
  const log = /Its log is (.*)$/m.exec(out)?.[1] as string
  expect(readFileSync(log, 'utf8')).toContain(`Inspector: ${address}\n`)
  expect(readFileSync(log, 'utf8')).not.toContain(token)
  await page.close()
})

test('machines lists the statecharts, and prints one as code or as JSON', async () => {
  expect((await cli(['machines'])).out).toMatch(/^supervisor +idle starting running/m)
  const { out } = await cli(['machines', 'loop'])
  expect(out).toMatch(
    /^import \{ createMachine \} from 'xstate'\n\nexport const loopMachine = createMachine\(\{/,
  )
  expect(await answerOf(['machines', 'loop'])).toMatchObject({ id: 'loop', initial: 'stopped' })
  expect(await answerOf(['machines'])).toHaveLength(18)
  expect(await cli(['machines', 'tsk'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('Did you mean "task"?'),
  })
})
