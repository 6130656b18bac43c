/**
 * How the page looks, in both schemes and at two sizes: against pictures that are in the repository, and against the rules of
 * axe. What differs is in reports/looks; `STATEWARD_NEW_LOOKS=1` makes new pictures.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import axe from 'axe-core'
import pixelmatch from 'pixelmatch'
import type { Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { describe, expect, test } from 'vitest'
import { usePages } from './page-kit.ts'
import { THUMBNAIL } from './scene.ts'
import { openScene } from './scene-page.ts'

const PICTURES = 'docs/images'
const REPORTS = 'reports/looks'
/** Of all points: edges of letters may be drawn otherwise on another machine. */
const MOST_OTHER = 0.002

const WIDE = { width: 1280, height: 800 }
const NARROW = { width: 390, height: 844 }

const pages = usePages()
const onThumbnail = `#token=t&view=actors&actor=${encodeURIComponent(THUMBNAIL)}`

interface Look {
  readonly name: string
  readonly hash: string
  readonly size: typeof WIDE
  readonly scheme: 'light' | 'dark'
  /** When it is all there. */
  ready(page: Page): Promise<unknown>
}

const chart = (page: Page) => page.locator('.chart .state.live').waitFor()
const rows = (page: Page) => page.locator('.table-box tbody').last().waitFor()
const sequence = async (page: Page) => {
  await page.getByRole('button', { name: 'Sequence' }).click()
  await page.locator('.message').last().waitFor()
}
const bars = (page: Page) => page.locator('.plot canvas').last().waitFor()

const LOOKS: readonly Look[] = [
  { name: 'actors', hash: onThumbnail, size: WIDE, scheme: 'light', ready: chart },
  { name: 'actors-dark', hash: onThumbnail, size: WIDE, scheme: 'dark', ready: chart },
  { name: 'tasks', hash: '#token=t&view=tasks', size: WIDE, scheme: 'light', ready: rows },
  { name: 'events-dark', hash: '#view=events', size: WIDE, scheme: 'dark', ready: sequence },
  { name: 'actors-narrow', hash: onThumbnail, size: NARROW, scheme: 'light', ready: chart },
  { name: 'overview-narrow-dark', hash: '#view=overview', size: NARROW, scheme: 'dark', ready: bars },
  { name: 'tasks-narrow', hash: '#token=t&view=tasks', size: NARROW, scheme: 'light', ready: rows },
]

describe('looks as ever', () => {
  test.each(LOOKS)('$name', async ({ name, hash, size, scheme, ready }) => {
    const { page } = await openScene(pages, hash, { viewport: size, colorScheme: scheme })
    await ready(page)
    if (size === WIDE) await bars(page)
    await page.evaluate('document.fonts.ready.then(() => undefined)')
    await settled(page)
    await compare(name, await page.screenshot())
  })
})

describe('breaks no rule of axe', () => {
  const views = ['overview', 'actors', 'tasks', 'events', 'schedules']
  test.each(['light', 'dark'] as const)('in %s', async (scheme) => {
    const { page } = await openScene(pages, onThumbnail, { colorScheme: scheme })
    await chart(page)
    await page.evaluate(axe.source)
    for (const view of views) {
      // In wide windows this one is always there, beside the others.
      if (view === 'overview') await page.setViewportSize(NARROW)
      await page.locator(`#tab-${view}`).click()
      await settled(page)
      const broken = await page.evaluate<unknown>(`axe.run().then(({ violations }) =>
        violations.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => html + failureSummary)]))`)
      expect({ view, broken }).toEqual({ view, broken: [] })
      await page.setViewportSize(WIDE)
    }
  })
})

/** Two pictures in a row are the same. */
async function settled(page: Page): Promise<void> {
  for (let before = await page.screenshot(), tries = 0; tries < 20; tries += 1) {
    const after = await page.screenshot()
    if (after.equals(before)) return
    before = after
  }
}

async function compare(name: string, taken: Buffer): Promise<void> {
  const path = join(PICTURES, `${name}.png`)
  if (process.env.STATEWARD_NEW_LOOKS === '1') {
    await mkdir(PICTURES, { recursive: true })
    return writeFile(path, taken)
  }
  const [kept, now] = [PNG.sync.read(await readFile(path)), PNG.sync.read(taken)]
  const { width, height } = kept
  expect([now.width, now.height]).toEqual([width, height])
  const diff = new PNG({ width, height })
  const other = pixelmatch(kept.data, now.data, diff.data, width, height, { threshold: 0.15 })
  if (other <= width * height * MOST_OTHER) return
  await mkdir(REPORTS, { recursive: true })
  await writeFile(join(REPORTS, `${name}.png`), taken)
  await writeFile(join(REPORTS, `${name}.diff.png`), PNG.sync.write(diff))
  expect.fail(`${other} points differ from ${path}: see ${REPORTS}/${name}.png and ${name}.diff.png`)
}
