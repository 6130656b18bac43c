/** The page on a supervisor that lives, through its own server: nothing is scripted. */
import type { Page } from 'playwright-core'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createSupervisor,
  type InspectorOptions,
  type SupervisorOptions,
  supervisorLogic,
} from '../../src/index.ts'
import { memoryLogger, slots, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { smooth, watchSmoothness } from './long-tasks.ts'
import { usePages } from './page-kit.ts'

const pages = usePages()

async function inspected(options: SupervisorOptions = {}, given: InspectorOptions = {}) {
  const supervisor = createSupervisor({ id: 'shop', logger: memoryLogger([]), ...options })
  onTestFinished(async () => void (await supervisor.stop({ wait: false, cancelTasks: true })))
  await supervisor.start()
  const inspector = await supervisor.serveInspector(given)
  return { supervisor, inspector }
}

/** Tasks that run until the test lets them go, by their input. */
function gated(name: string) {
  const gates = new Map<string, PromiseWithResolvers<string>>()
  const gateOf = (input: string) => {
    const gate = gates.get(input) ?? Promise.withResolvers<string>()
    gates.set(input, gate)
    return gate
  }
  const task = taskOf<string, string>(
    (input, { signal }) => {
      signal.addEventListener('abort', () => gateOf(input).reject(signal.reason))
      return gateOf(input).promise
    },
    { name },
  )
  return {
    task,
    open: (input: string) => gateOf(input).resolve('done'),
    fail: (input: string) => gateOf(input).reject(new Error('the printer is on fire')),
  }
}

const treeOf = (page: Page) => page.getByRole('tree', { name: 'Actors' })
const liveState = (page: Page) => page.locator('.chart .state.live').last().getAttribute('data-state')

describe('a task', () => {
  test('is watched through its states, up to what became of it', async () => {
    const { supervisor, inspector } = await inspected(slots(1))
    const { task, open } = gated('print')
    const first = supervisor.submit(task, 'first')
    const second = supervisor.submit(task, 'second')
    const page = await pages.open()
    await page.goto(inspector.address)
    await treeOf(page).getByRole('treeitem', { name: 'print' }).nth(1).click()
    await page.getByRole('heading', { name: 'print queued' }).waitFor()
    await page.getByRole('button', { name: 'All states' }).click()
    await until(async () => (await liveState(page)) === 'queued')
    open('first')
    await first.result
    await page.getByRole('heading', { name: 'print running.executing' }).waitFor()
    await until(async () => (await liveState(page)) === 'running.executing')
    expect(await page.locator('.chart .label.last').textContent()).toContain('attempt.started')
    open('second')
    await second.result
    await page.getByRole('heading', { name: 'print finished' }).waitFor()
  })

  test('is found, cancelled and run again with the token that came with the address', async () => {
    const { supervisor, inspector } = await inspected()
    const { task, fail } = gated('print')
    const { task: other } = gated('scan')
    const run = supervisor.submit(task, 'first')
    const failing = supervisor.submit(task, 'second')
    supervisor.submit(other, 'third')
    const page = await pages.open()
    await page.goto(inspector.url)
    await page.getByRole('tab', { name: 'Tasks' }).click()
    await page.getByRole('button', { name: 'Cancel scan' }).waitFor()
    await page.getByRole('searchbox').fill('print')
    await page.getByRole('button', { name: 'Cancel scan' }).waitFor({ state: 'detached' })
    fail('second')
    await failing.result.catch(() => {})
    const cancel = page.getByRole('button', { name: 'Cancel print' })
    await until(async () => (await cancel.count()) === 1)
    await cancel.click()
    await expect(run.result).rejects.toMatchObject({ code: 'ERR_TASK_CANCELLED' })
    await page.getByRole('combobox', { name: 'State' }).selectOption('failed')
    const failed = page.getByRole('button', { name: 'print', exact: true })
    await until(async () => (await failed.count()) === 1)
    await page.getByRole('button', { name: 'Retry print' }).waitFor()
    await failed.click()
    await page.getByText('the printer is on fire').first().waitFor()
    const again = new Promise<{ name: string }>((resolve) => supervisor.on('task.created', resolve))
    await page.getByRole('button', { name: 'Retry print' }).click()
    expect((await again).name).toBe('print')
  })

  test('cannot be cancelled by whoever has no token', async () => {
    const { supervisor, inspector } = await inspected()
    supervisor.submit(gated('print').task, 'first')
    const page = await pages.open()
    await page.goto(inspector.address)
    await page.getByRole('tab', { name: 'Tasks' }).click()
    await page.locator('.task-table tbody').waitFor()
    expect(await page.getByRole('button', { name: /Cancel/ }).count()).toBe(0)
  })
})

test('a nested supervisor is opened as a tree, followed and reached', async () => {
  const { supervisor, inspector } = await inspected()
  const mail = createSupervisor({ id: 'mail', logger: memoryLogger([]), ...slots(1) })
  supervisor.spawn(
    supervisorLogic(() => mail),
    { id: 'mail' },
  )
  await until(() => mail.state === 'running')
  const { task } = gated('send')
  const run = mail.submit(task, 'first')
  const page = await pages.open()
  await page.goto(inspector.url)
  const item = (name: string) => treeOf(page).getByRole('treeitem', { name })
  await item('mail').locator('.twist').click()
  await item('send').click()
  await page.getByRole('heading', { name: 'send running.executing' }).waitFor()
  await page.getByText('task of pool in mail').waitFor()
  await until(async () => (await liveState(page)) === 'running')
  await page
    .getByRole('region', { name: 'Pool mail › tasks' })
    .getByRole('row', { name: 'normal 1 0' })
    .waitFor()
  await page.getByRole('tab', { name: 'Tasks' }).click()
  await page.locator('.task-table').getByText('mail ›').waitFor()
  await page.getByRole('button', { name: 'Cancel send' }).click()
  await expect(run.result).rejects.toMatchObject({ code: 'ERR_TASK_CANCELLED' })
  await page.getByRole('tab', { name: 'Events' }).click()
  await page.locator('.log-row', { hasText: 'task.cancel' }).getByText('mail › send').waitFor()
  await page.getByRole('button', { name: 'Sequence' }).click()
  await page.locator('.lifeline-name', { hasText: 'mail › send' }).waitFor()
})

test('a server that starts again is found again, and the page may act as before', async () => {
  const { supervisor, inspector } = await inspected({}, { token: 'open-sesame-open-sesame' })
  const page = await pages.open({ tolerates: /WebSocket|ERR_CONNECTION_REFUSED/ })
  await page.goto(inspector.url)
  await page.locator('.status').getByText('Live').waitFor()
  await inspector.close()
  await page.locator('.status').getByText('The inspector was closed').waitFor()
  const { port, token } = inspector
  await supervisor.serveInspector({ port, token })
  await page.locator('.status').getByText('Live').waitFor()
  const run = supervisor.submit(gated('print').task, 'first')
  await page.getByRole('tab', { name: 'Tasks' }).click()
  await page.getByRole('button', { name: 'Cancel print' }).click()
  await expect(run.result).rejects.toMatchObject({ code: 'ERR_TASK_CANCELLED' })
})

test('a row of a run opens to its task log', async () => {
  const { supervisor, inspector } = await inspected()
  await supervisor.submit(taskOf(() => 1, { name: 'print' })).result
  const page = await pages.open()
  await page.goto(`${inspector.address}#view=tasks`)
  await page.getByRole('button', { name: 'print', exact: true }).click()
  await page.locator('.task-log li').nth(1).waitFor()
  expect(await page.locator('.task-log li').allTextContents()).toEqual([
    expect.stringMatching(/ run$/),
    expect.stringMatching(/ success$/),
  ])
})

test('a supervisor that stops is shown as it ended: its tasks, too', async () => {
  const { supervisor, inspector } = await inspected()
  const run = supervisor.submit(gated('print').task, 'first')
  const page = await pages.open({ tolerates: /WebSocket|ERR_CONNECTION_REFUSED/ })
  await page.goto(inspector.url)
  await page.getByRole('tab', { name: 'Tasks' }).click()
  await page.getByRole('button', { name: 'Cancel print' }).waitFor()
  await supervisor.stop({ wait: false, cancelTasks: true })
  await page.locator('.status').getByText('The supervisor has stopped').waitFor()
  expect(run.state).toBe('terminated')
  await page.locator('.task-table .badge').getByText('terminated').waitFor()
  expect(await page.getByRole('button', { name: 'Retry print' }).isDisabled()).toBe(true)
})

describe('many', () => {
  test('10,000 actors are scrolled through and followed without freezing', async () => {
    const { supervisor, inspector } = await inspected(slots(1))
    const { task } = gated('print')
    for (let index = 0; index < 10_000; index += 1) supervisor.submit(task, `${index}`)
    const page = await pages.open()
    await watchSmoothness(page)
    await page.goto(inspector.address)
    const tree = treeOf(page)
    await tree.getByRole('treeitem', { name: 'print' }).first().waitFor()
    await tree.focus()
    await page.keyboard.press('End')
    await tree.locator('[aria-posinset="10000"]').waitFor()
    await smooth(page, async () => {
      await tree.hover()
      for (let turn = 0; turn < 25; turn += 1) await page.mouse.wheel(0, -3_000)
      await page.keyboard.press('Home')
      await tree.getByRole('treeitem', { name: 'shop' }).waitFor()
    })
    expect(await tree.getByRole('treeitem').count()).toBeLessThan(100)
  })

  test('5,000 events a second are followed without freezing', async () => {
    const { supervisor, inspector } = await inspected({ pool: { size: 0 } })
    const echo = taskOf<void, void>(() => {}, { name: 'echo' })
    // Four events each: submitted, admitted, started, returned.
    const pump = supervisor.workers.interval({
      name: 'pump',
      intervalMs: 20,
      handler: () => {
        for (let index = 0; index < 25; index += 1) supervisor.submit(echo)
      },
    })
    const page = await pages.open()
    await watchSmoothness(page)
    await page.goto(`${inspector.address}#view=events`)
    await page.locator('.log-row').first().waitFor()
    await smooth(page, async () => {
      await until(() => pump.info().runs > 100)
      await page.getByRole('button', { name: 'Sequence' }).click()
      await page.locator('.message').first().waitFor()
    })
    const count = page.locator('.counts li', { hasText: 'finished' }).locator('.number')
    const before = await count.textContent()
    await until(async () => (await count.textContent()) !== before)
  })
})
