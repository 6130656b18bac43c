/** A daemon that is served over HTTP, as the command line starts it. */
import { expect, onTestFinished, test } from 'vitest'
import { freshUrl } from '../durable/queue-kit.ts'
import { clientOf } from '../http/http-kit.ts'
import { begin, type CliRun, cli, TASKS } from './cli-kit.ts'

const TOKEN = 'a-token-of-some-length'

/** In the foreground, until the test ends. */
async function start(...more: readonly string[]): Promise<{ run: CliRun; site: string }> {
  const run = begin([
    'daemon',
    'start',
    '-f',
    '-q',
    await freshUrl(),
    '-t',
    TASKS,
    '--http-port',
    '0',
    ...more,
  ])
  onTestFinished(async () => {
    run.interrupt()
    await run.code
  })
  await Promise.race([run.out.shows('works'), run.code])
  expect(run.err.text).toBe('')
  return { run, site: /served on (\S+)/.exec(run.out.text)?.[1] ?? '' }
}

test('tells where, runs what is submitted there, and shows its metrics', async () => {
  const { run, site } = await start()
  expect(site).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const { ask, follow } = await clientOf(fetch, site)
  const { headers } = await ask('POST', '/tasks', { body: { task: 'square', input: { n: 7 } } })
  const stream = await follow(`${headers.get('location')}/events`)
  expect((await stream.until(({ data }) => data.endedAt !== undefined)).data.result).toBe(49)
  const metrics = await fetch(`${site}/metrics`)
  expect(await metrics.text()).toMatch(/stateward_\w+\{.*supervisor="default"/)
  run.interrupt()
  expect(await run.code).toBe(0)
  await expect(fetch(`${site}/healthz`)).rejects.toThrow()
})

test('asks for the token, also for metrics', async () => {
  const { site } = await start('--http-host', '0.0.0.0', '--http-token', TOKEN)
  const local = site.replace('0.0.0.0', '127.0.0.1')
  for (const path of ['/tasks', '/metrics']) expect((await fetch(local + path)).status).toBe(401)
  const { ask } = await clientOf(fetch, local, TOKEN)
  expect((await ask('GET', '/tasks')).status).toBe(200)
})

test('what will not do is refused before anything is started', async () => {
  const url = await freshUrl()
  const wrong: [string[], RegExp][] = [
    [['--http-port', '8080', '--http-host', '0.0.0.0'], /listen on 0\.0\.0\.0, .*expected a token/],
    [['--http-host', '127.0.0.1'], /--http-port/],
    [['--http-port', '70000'], /--http-port .*a port: 0 to 65535/],
    [['--http-port', '0', '--http-token', 'short'], /--http-token.*16 letters/],
    [['--http-port', '0', '--http-host', ''], /--http-host/],
  ]
  for (const [more, text] of wrong) {
    const { code, err } = await cli(['daemon', 'start', '-f', '-q', url, '-t', TASKS, ...more])
    expect([code, err]).toEqual([2, expect.stringMatching(text)])
  }
})
