/** What the page shows, what it asks for and what it lets do, in a real browser, on a feed that the test says. */
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { usePages } from './page-kit.ts'
import { ACTORS, answerScene, POOLS, sceneEvents, sceneFrames, TASK_ROWS, THUMBNAIL } from './scene.ts'
import { openScene } from './scene-page.ts'
import { ScriptedFeed } from './scripted-feed.ts'

const pages = usePages()
const onThumbnail = `#view=actors&actor=${encodeURIComponent(THUMBNAIL)}`

const treeOf = (page: Page) => page.getByRole('tree', { name: 'Actors' })
const selectedIn = (page: Page) => treeOf(page).getByRole('treeitem', { selected: true })

describe('actors', () => {
  test('are a tree that opens and closes', async () => {
    const { page } = await openScene(pages)
    const items = treeOf(page).getByRole('treeitem')
    await items.filter({ hasText: 'parser' }).waitFor()
    expect(await items.count()).toBe(ACTORS.length)
    await items.filter({ hasText: 'pool' }).locator('.twist').click()
    await items.filter({ hasText: 'import catalogue' }).waitFor({ state: 'detached' })
    expect(await items.count()).toBe(ACTORS.length - 10)
  })

  test('are asked for as far as they are open and in sight', async () => {
    const feed = await openScene(pages)
    await until(() => Object.keys(feed.last('watch')?.expanded ?? {}).length === 3)
    expect(feed.last('watch')?.expanded).toEqual({
      supervisor: { offset: 0, limit: 200 },
      pool: { offset: 0, limit: 200 },
      children: { offset: 0, limit: 200 },
    })
    await feed.page.getByRole('tab', { name: 'Tasks' }).click()
    await until(() => Object.keys(feed.last('watch')?.expanded ?? {}).length === 0)
  })

  test('are gone through by keys: one tab stop, arrows, / for the filter', async () => {
    const feed = await openScene(pages)
    const { page } = feed
    await treeOf(page).getByRole('treeitem').first().waitFor()
    await treeOf(page).focus()
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key)
    expect(await selectedIn(page).textContent()).toContain('thumbnail')
    expect(await treeOf(page).getAttribute('aria-activedescendant')).toBe(
      await selectedIn(page).getAttribute('id'),
    )
    await page.keyboard.press('ArrowLeft')
    expect(await selectedIn(page).getAttribute('aria-level')).toBe('2')
    await page.keyboard.press('ArrowLeft')
    expect(await selectedIn(page).getAttribute('aria-expanded')).toBe('false')
    await page.keyboard.press('End')
    expect(await selectedIn(page).textContent()).toContain('parser')
    await page.keyboard.press('/')
    await page.keyboard.type('thumb')
    await until(() => feed.last('watch')?.filter?.text === 'thumb')
    await page.keyboard.press('ArrowDown')
    expect(await treeOf(page).evaluate((tree) => tree.matches(':focus'))).toBe(true)
    await page.getByRole('combobox', { name: 'State of tasks' }).selectOption('queued')
    await until(() => feed.last('watch')?.filter?.states?.[0] === 'queued')
  })
})

describe('a statechart', () => {
  test('shows the live state and the last transition, and follows', async () => {
    const feed = await openScene(pages, onThumbnail)
    const { page } = feed
    await page.getByRole('button', { name: 'All states' }).click()
    const live = page.locator('.chart .state.live')
    await page.locator('.chart .state[data-state="running.executing"].live').waitFor()
    expect(
      await live.evaluateAll((states) => states.map((state) => state.getAttribute('data-state'))),
    ).toEqual(['running', 'running.executing'])
    expect(await page.locator('.chart .label.last').textContent()).toContain('attempt.started')
    feed.frame({
      changed: [
        { id: THUMBNAIL, state: 'snoozed', event: 'attempt.snoozed', from: 'running.executing', eventAt: 1 },
      ],
    })
    await page.locator('.chart .state[data-state="snoozed"].live').waitFor()
    expect(await live.count()).toBe(1)
    expect(await page.locator('.chart .label.last').textContent()).toContain('attempt.snoozed')
    expect(await page.locator('.chart .arrow.last').count()).toBe(1)
  })

  test('is drawn without the states inside of others when it is large', async () => {
    const { page } = await openScene(pages, onThumbnail)
    const live = page.locator('.chart .state.live')
    await live.waitFor()
    expect(await live.locator('text').allTextContents()).toEqual(['running', 'executing'])
    expect(await page.locator('.chart .state.compound').count()).toBe(0)
    const widthOf = (selector: string) =>
      page.locator(selector).evaluate((element) => element.getBoundingClientRect().width)
    await page.getByRole('button', { name: 'Fit', pressed: true }).click()
    expect(await widthOf('.chart')).toBeGreaterThan(await widthOf('.chart-box'))
    await page.getByRole('button', { name: 'Fit', pressed: false }).click()
    await until(async () => (await widthOf('.chart')) <= (await widthOf('.chart-box')))
  })

  test('fits as it opens, and again whenever its room is another one, until somebody wants it larger', async () => {
    const { page } = await openScene(pages, onThumbnail)
    await page.locator('.chart .state.live').waitFor()
    const hidden = () =>
      page.locator('.chart-box').evaluate((box) => {
        const outer = box.getBoundingClientRect()
        const inner = box.querySelector('svg')!.getBoundingClientRect()
        return Math.max(0, outer.left - inner.left, inner.right - outer.right, inner.bottom - outer.bottom)
      })
    for (const [width, height] of [
      [1280, 800],
      [1000, 640],
      [1600, 1000],
    ] as const) {
      await page.setViewportSize({ width, height })
      await until(async () => (await hidden()) === 0)
    }
    await page.getByRole('button', { name: 'Fit' }).click()
    await until(async () => (await hidden()) > 0)
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.getByRole('button', { name: 'Fit', pressed: false }).waitFor()
    expect(await hidden()).toBeGreaterThan(0)
  })

  test('is asked of one actor that has ended what became of it', async () => {
    const feed = await openScene(pages, onThumbnail)
    const { page } = feed
    const { answers } = feed
    await page.getByRole('heading', { name: 'thumbnail running.executing' }).waitFor()
    feed.answers = (message) =>
      message.type === 'ask' && message.ask === 'task'
        ? { ...TASK_ROWS[0], state: 'finished', acts: [], log: [], values: null }
        : answers(message)
    feed.frame({ gone: [THUMBNAIL] })
    await page.getByText('ended asfinished').waitFor()
  })
})

describe('tasks', () => {
  test('are filtered and paged by the server', async () => {
    const feed = await openScene(pages, '#view=tasks')
    const { page } = feed
    const { answers } = feed
    feed.answers = (message) =>
      message.type === 'ask' && message.ask === 'tasks' && message.text === undefined
        ? { ...(answers(message) as object), next: message.after === undefined ? 'second' : null }
        : answers(message)
    await page.getByRole('button', { name: 'Older' }).click()
    await until(() => feed.asked('tasks').some((ask) => 'after' in ask && ask.after === 'second'))
    await page.getByText('page 2').waitFor()
    await page.getByRole('button', { name: 'Newer' }).click()
    await page.getByText('page 1').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('invoice')
    await page.getByRole('combobox', { name: 'State' }).selectOption('failed')
    await page.locator('.task-table tbody').nth(1).waitFor({ state: 'detached' })
    expect(await page.locator('.task-table .badge').allTextContents()).toEqual(['failed'])
    expect(feed.asked('tasks').at(-1)).toMatchObject({
      of: 'supervisor',
      text: 'invoice',
      states: ['failed'],
    })
  })

  test('can be looked at without the token, and that is all', async () => {
    const feed = await openScene(pages, '#view=tasks')
    const { page } = feed
    await page.getByRole('button', { name: 'charge card' }).click()
    await page.getByText('created by web-1').waitFor()
    expect(await page.getByRole('button', { name: /Cancel|Retry|Show input/ }).count()).toBe(0)
    expect(feed.heard.filter(({ type }) => type === 'login')).toEqual([])
  })

  test('are cancelled and retried with it', async () => {
    const feed = await openScene(pages, '#token=open-sesame&view=tasks')
    const { page } = feed
    await page.getByRole('button', { name: 'Cancel charge card' }).click()
    await page.getByText('charge card is asked to end.').waitFor()
    await page.getByRole('button', { name: 'Retry send invoice' }).click()
    await page.getByText('send invoice runs again.').waitFor()
    const [cancelled, failed] = [TASK_ROWS[2], TASK_ROWS.at(-1)]
    expect(feed.heard.filter(({ type }) => type === 'act')).toEqual([
      { type: 'act', act: 'cancel', task: cancelled?.id, of: 'supervisor', id: expect.any(Number) },
      { type: 'act', act: 'retry', task: failed?.id, of: 'supervisor', id: expect.any(Number) },
    ])
    expect(page.url()).not.toContain('sesame')
  })

  test('show their values only when somebody asks', async () => {
    const feed = await openScene(pages, '#token=open-sesame&view=tasks')
    const { page } = feed
    const { answers } = feed
    feed.answers = (message) =>
      message.type === 'ask' && message.ask === 'task' && message.values === true
        ? { ...(answers(message) as object), values: { input: { card: '4242' }, result: null } }
        : answers(message)
    await page.getByRole('button', { name: 'charge card', exact: true }).click()
    await page.getByRole('button', { name: 'Show input and result' }).waitFor()
    expect(feed.asked('task').some((ask) => 'values' in ask)).toBe(false)
    await page.getByRole('button', { name: 'Show input and result' }).click()
    await page.getByText('"card": "4242"').waitFor()
  })
})

describe('events', () => {
  test('are a log that can be filtered, and lead to their actors', async () => {
    const { page } = await openScene(pages, '#view=events')
    await page
      .locator('.log-row')
      .nth(sceneEvents().length - 1)
      .waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('attempt.failed')
    await page.locator('.log-row').nth(1).waitFor({ state: 'detached' })
    await page.locator('.log-row').getByRole('button', { name: 'send invoice' }).click()
    await page.getByRole('heading', { name: 'send invoice retrying' }).waitFor()
  })

  test('may be left while their log scrolls', async () => {
    const { page } = await openScene(pages, '#view=events')
    await page.locator('.log-row').nth(5).waitFor()
    await page.setViewportSize({ width: 1280, height: 260 })
    // The browser tells of it with its next picture; by then the log has gone.
    await page.evaluate(`new Promise((resolve) => {
      document.querySelector('.log').scrollTop = 40
      document.querySelector('#tab-tasks').click()
      requestAnimationFrame(() => requestAnimationFrame(resolve))
    })`)
    await page.getByRole('region', { name: 'Tasks' }).waitFor()
  })

  test('are a sequence between actors', async () => {
    const { page } = await openScene(pages, '#view=events')
    await page.getByRole('button', { name: 'Sequence' }).click()
    await page.locator('.message').first().waitFor()
    expect(await page.locator('.message').count()).toBe(sceneEvents().length)
    expect(await page.locator('.lifeline-name').allTextContents()).toContain('charge card')
  })
})

test('a queue alone has no events and no plots: the page says who has', async () => {
  const feed = await ScriptedFeed.open(pages, {
    hello: { sources: { supervisor: null, queue: { engine: 'sqlite', daemon: null } } },
    hash: '#view=tasks',
    answers: answerScene,
  })
  const { page } = feed
  feed.frame({ stored: { queued: 3 } })
  await page.getByRole('complementary').getByText('daemon start --inspect').waitFor()
  expect(await page.getByRole('region', { name: /Throughput|Times/ }).count()).toBe(0)
  expect((await page.getByRole('tab').allTextContents()).join(' ')).toBe('Actors Tasks Schedules')
  await page.getByPlaceholder('Whole name or id').waitFor()
})

test('schedules fit a narrow window with their buttons', async () => {
  const { page } = await openScene(pages, '#token=open-sesame&view=schedules', {
    viewport: { width: 390, height: 844 },
  })
  const pause = page.getByRole('button', { name: 'pause nightly report' })
  await pause.waitFor()
  const box = await pause.boundingBox()
  expect((box?.x ?? 0) + (box?.width ?? 1_000)).toBeLessThanOrEqual(390)
  const inner = await page
    .locator('.table-box')
    .evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)
  expect(inner).toBe(0)
})

test('schedules are shown with their next runs, and triggered with the token', async () => {
  const feed = await openScene(pages, '#token=open-sesame&view=schedules')
  const { page } = feed
  await page.getByRole('row', { name: /nightly report.*30 2 \* \* \*.*Europe\/Berlin.*in 10 h/ }).waitFor()
  await page.getByRole('button', { name: 'trigger stock' }).click()
  await page.getByText('stock is triggered.').waitFor()
  expect(feed.last('act')).toMatchObject({ act: 'trigger', worker: 'stock' })
})

test('pools are shown against their size and reserves, with what waits in each band', async () => {
  const { page } = await openScene(pages)
  const pool = page.getByRole('region', { name: 'Pool tasks' })
  await pool.getByRole('img', { name: '9 slots taken of 8, reserves 2 and 2' }).waitFor()
  const rows = await pool.getByRole('row').allTextContents()
  expect(rows.slice(1)).toEqual(
    (['critical', 'high', 'normal', 'low'] as const).map(
      (band) => `${band}${POOLS[0]?.running[band]}${POOLS[0]?.queued[band]}`,
    ),
  )
})

test.each(['en-US@posix', 'C'])(
  'a browser whose language is called %s shows all, plots too',
  async (language) => {
    const feed = await ScriptedFeed.open(pages, {
      before: (opened) =>
        opened.addInitScript(
          `Object.defineProperty(Navigator.prototype, 'language', { configurable: true, get: () => '${language}' })`,
        ),
    })
    const { page } = feed
    for (const frame of sceneFrames()) feed.frame(frame)
    await treeOf(page).getByRole('treeitem', { name: 'parser' }).waitFor()
    await page.locator('.plot canvas').nth(1).waitFor()
    expect(await page.getByText('This browser cannot draw it.').count()).toBe(0)
  },
)

test('a page that cannot load its plots shows all but those', async () => {
  const feed = await ScriptedFeed.open(pages, {
    options: { tolerates: /ERR_FAILED/ },
    before: (opened) => opened.route(/live-plot/, (route) => route.abort()),
  })
  const { page } = feed
  for (const frame of sceneFrames()) feed.frame(frame)
  await page.getByText('This browser cannot draw it.').first().waitFor()
  await treeOf(page).getByRole('treeitem', { name: 'parser' }).waitFor()
})

test('tabs are changed by arrow keys', async () => {
  const { page } = await openScene(pages)
  await page.getByRole('tab', { name: 'Actors' }).focus()
  await page.keyboard.press('ArrowRight')
  await page.getByRole('tab', { name: 'Tasks', selected: true }).waitFor()
  await page.keyboard.press('ArrowLeft')
  await page.getByRole('tab', { name: 'Actors', selected: true }).waitFor()
  expect(await page.getByRole('tab', { name: 'Actors' }).evaluate((tab) => tab.matches(':focus'))).toBe(true)
})

test('a pause holds the picture still; what came meanwhile is shown when it goes on', async () => {
  const feed = await openScene(pages, onThumbnail)
  const { page } = feed
  await page.getByRole('button', { name: 'Pause' }).click()
  feed.frame({ changed: [{ id: THUMBNAIL, state: 'finished' }] })
  // The socket keeps the order: when the answer is there, the frame has been.
  feed.answers = () => 'act'
  await page.evaluate('new Promise(requestAnimationFrame)')
  await page.getByRole('heading', { name: 'thumbnail running.executing' }).waitFor()
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('heading', { name: 'thumbnail finished' }).waitFor()
})
