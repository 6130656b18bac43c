/** The page of `stateward inspect` over a queue in a file, which a daemon of its own process works off. */
import { expect, onTestFinished, test } from 'vitest'
import { begin, startDaemon } from '../cli/cli-kit.ts'
import { freshUrl, testQueue } from '../durable/queue-kit.ts'
import { endless, square } from '../fixtures/cli/tasks.ts'
import { usePages } from './page-kit.ts'

const pages = usePages()

test('schedules have their next runs, a task that runs is followed, and is cancelled', {
  timeout: 90_000,
}, async () => {
  const url = await freshUrl()
  const queue = await testQueue({ url })
  await queue.schedule('nightly', square, { n: 3 }, { cron: '30 2 * * *', timezone: 'Europe/Berlin' })
  await queue.schedule('yearly', square, { n: 4 }, { everyMs: 31_536_000_000 })
  await startDaemon(url)
  const run = begin(['inspect', '-q', url])
  onTestFinished(() => run.interrupt())
  const address = /http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]+/
  await run.out.shows(address)
  const page = await pages.open()
  await page.goto(`${address.exec(run.out.text)?.[0]}&view=schedules`)
  await page.getByRole('row', { name: /^nightly square .*30 2 \* \* \* Europe\/Berlin in \d+ / }).waitFor()
  await page.getByRole('row', { name: /^yearly square .*every 365 d in 364 d / }).waitFor()

  const { id } = await queue.enqueue(endless)
  await page.getByRole('tab', { name: 'Actors' }).click()
  const tree = page.getByRole('tree', { name: 'Actors' })
  await tree.getByRole('treeitem', { name: 'default' }).waitFor()
  await tree.getByRole('treeitem', { name: 'endless' }).click()
  await page.getByRole('heading', { name: 'endless running.held' }).waitFor()
  await page.locator('.chart .state.live').first().waitFor()
  await page.getByRole('tab', { name: 'Tasks' }).click()
  await page.getByRole('row', { name: /^endless .*running/ }).waitFor()
  await page.getByRole('button', { name: 'Cancel endless' }).click()
  await page.getByRole('row', { name: /^endless .*cancelled/ }).waitFor()
  expect(await queue.get(id)).toMatchObject({ state: 'cancelled', reason: 'cancelled in the inspector' })
  await page.getByRole('button', { name: 'Retry endless' }).waitFor()
  run.interrupt()
  expect(await run.code).toBe(0)
})
