/** The connection of the page as it is lost and found, and what it may without a token. */
import { describe, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { usePages } from './page-kit.ts'
import { ACTORS, LISTS, TASK_ROWS } from './scene.ts'
import { openScene } from './scene-page.ts'
import { NOW, ScriptedFeed } from './scripted-feed.ts'

const pages = usePages()
const statusOf = ({ page }: ScriptedFeed) => page.locator('.status')

describe('a connection that is lost', () => {
  test('is made again, and everything begins anew', async () => {
    const feed = await openScene(pages)
    const { page } = feed
    await page.getByRole('treeitem', { name: 'parser' }).waitFor()
    await until(() => feed.last('watch')?.expanded?.pool !== undefined)
    const wanted = feed.last('watch')
    const heard = feed.heard.length
    await feed.drop()
    await until(async () => (await statusOf(feed).textContent()) === 'Live' && feed.heard.length > heard)
    expect(await page.getByRole('treeitem').count()).toBe(0)
    expect(feed.heard[heard]).toEqual(wanted)
    feed.frame({ added: ACTORS.slice(0, 1), lists: { supervisor: { offset: 0, total: 0, ids: [] } } })
    await page.getByRole('treeitem', { name: 'shop' }).waitFor()
  })

  test('leaves a picture that is held still as it is', async () => {
    const feed = await openScene(pages)
    const { page } = feed
    const parser = page.getByRole('treeitem', { name: 'parser' })
    await parser.waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    const heard = feed.heard.length
    await feed.drop()
    await until(() => feed.heard.length > heard)
    expect(await parser.count()).toBe(1)
    await page.getByRole('button', { name: 'Go on' }).click()
    await parser.waitFor({ state: 'detached' })
  })

  test('fails what was asked and not answered', async () => {
    const feed = await openScene(pages, '#token=open-sesame&view=tasks')
    const { page } = feed
    await page.getByRole('button', { name: 'Cancel charge card' }).waitFor()
    feed.mute()
    await page.getByRole('button', { name: 'Cancel charge card' }).click()
    await until(() => feed.last('act') !== undefined)
    await feed.drop()
    await page.getByText('The connection to the server was lost before it answered.').waitFor()
  })

  test('logs in again with the token that it has', async () => {
    const feed = await openScene(pages, '#token=open-sesame')
    await until(() => feed.last('login') !== undefined)
    const heard = feed.heard.length
    await feed.drop()
    await until(() => feed.heard.slice(heard).some((message) => message.type === 'login'))
    expect(feed.last('login')).toMatchObject({ token: 'open-sesame' })
  })
})

test('a server that says goodbye is asked once more, and no button pretends that it hears', async () => {
  const feed = await openScene(pages, '#token=open-sesame&view=tasks')
  const { page } = feed
  const { answers } = feed
  const cancel = page.getByRole('button', { name: 'Cancel charge card' })
  await cancel.waitFor()
  expect(await cancel.isEnabled()).toBe(true)
  feed.answers = (message) =>
    message.type === 'ask' && message.ask === 'tasks'
      ? { tasks: TASK_ROWS.map((row) => ({ ...row, state: 'terminated', acts: ['retry'] })), next: null }
      : answers(message)
  feed.closeForGood()
  feed.send({ type: 'goodbye', reason: 'stopped' })
  await page.locator('.status', { hasText: 'The supervisor has stopped' }).waitFor()
  const retry = page.getByRole('button', { name: 'Retry charge card' })
  await retry.waitFor()
  expect(await retry.isDisabled()).toBe(true)
  const uptime = page.locator('.subject .muted')
  const before = await uptime.textContent()
  await page.clock.setFixedTime(NOW + 3_600_000)
  await page.getByRole('tab', { name: 'Actors' }).click()
  expect(await uptime.textContent()).toBe(before)
})

test('a server of another version is not understood: the page says so and leaves it alone', async () => {
  const feed = await ScriptedFeed.open(pages, { hello: { protocol: 99 } })
  await feed.page.getByText('Reload the page: the server is of another version').waitFor()
  expect(feed.heard).toEqual([])
})

describe('a server that shows nothing without a token', () => {
  const open = async () =>
    ScriptedFeed.open(pages, {
      hello: {
        access: 'none',
        sources: { supervisor: null, queue: null },
        host: '',
        pid: 0,
        startedAt: 0,
      },
    })

  test('is a form, and nothing that pretends to know more', async () => {
    const { page } = await open()
    await page.getByLabel('Token').waitFor()
    expect(await page.getByRole('tab').count()).toBe(0)
    expect(await page.locator('.header').textContent()).toBe('StatewardLive')
  })

  test('is asked with the one that is typed in', async () => {
    const feed = await open()
    const { page } = feed
    feed.answers = () => 'act'
    await page.getByLabel('Token').fill('open-sesame')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('tree', { name: 'Actors' }).waitFor()
    feed.frame({ added: ACTORS, lists: LISTS ?? {} })
    await page.getByRole('treeitem', { name: 'shop' }).waitFor()
    expect(feed.heard.map(({ type }) => type)).toContain('login')
  })

  test('says that it is the wrong one', async () => {
    const feed = await open()
    feed.refuse('ERR_TOKEN_WRONG', 'This is not the token.')
    await feed.page.getByLabel('Token').fill('open-barley')
    await feed.page.getByRole('button', { name: 'Open' }).click()
    await feed.page.getByText('This is not the token.').waitFor()
    expect(await feed.page.getByLabel('Token').count()).toBe(1)
  })
})

test('a server that lets look is unlocked with the token, or looked at again', async () => {
  const feed = await openScene(pages, '#view=tasks')
  const { page } = feed
  await page.getByRole('button', { name: 'Unlock' }).click()
  // The field has the focus, and no letter is a shortcut of the page behind it.
  await page.keyboard.type('p/')
  expect(await page.getByLabel('Token').inputValue()).toBe('p/')
  await page.getByRole('button', { name: 'Go on looking' }).focus()
  await page.keyboard.press('p')
  expect(await page.getByRole('button', { name: 'Pause' }).getAttribute('aria-pressed')).toBe('false')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Unlock' }).click()
  await page.getByRole('button', { name: 'Go on looking' }).click()
  await page.getByRole('button', { name: 'charge card' }).waitFor()
  await page.getByRole('button', { name: 'Unlock' }).click()
  await page.getByLabel('Token').fill('open-sesame')
  await page.getByRole('button', { name: 'Unlock' }).click()
  await page.getByRole('button', { name: 'Cancel charge card' }).waitFor()
  expect(feed.last('login')).toMatchObject({ token: 'open-sesame' })
  expect(await page.getByRole('button', { name: 'Unlock' }).count()).toBe(0)
})

test('nothing is asked of anybody else, and the token is sent to nobody', async () => {
  const asked: string[] = []
  const { page } = await ScriptedFeed.open(pages, {
    hash: '#token=open-sesame',
    before: (opened) => opened.on('request', (request) => asked.push(request.url())),
  })
  await page.getByRole('tree', { name: 'Actors' }).waitFor()
  expect(asked.filter((url) => !url.startsWith(pages.url))).toEqual([])
  expect(asked.filter((url) => url.includes('sesame') && url !== `${pages.url}#token=open-sesame`)).toEqual(
    [],
  )
  expect(page.url()).not.toContain('sesame')
})
