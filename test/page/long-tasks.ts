/** How long the page was busy at a stretch: longer than 200 ms, and a person sees it freeze. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

const LONGEST_MS = 200
/** Other work on the machine only makes it longer: the best of a few rounds is the page's own. */
const ROUNDS = 3

/** To be called before the page is opened. */
export async function watchSmoothness(page: Page): Promise<void> {
  await page.addInitScript(`
    globalThis.longTasks = []
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: 'longtask', buffered: true })
  `)
}

/** Fails when the page is busy for too long at a stretch while `act` goes on, in each of a few rounds. */
export async function smooth(page: Page, act: () => Promise<void>): Promise<void> {
  const longest: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    await page.evaluate('longTasks.length = 0')
    await act()
    longest.push(await page.evaluate<number>('Math.max(0, ...longTasks)'))
    if (longest.at(-1)! < LONGEST_MS) return
  }
  expect(Math.min(...longest)).toBeLessThan(LONGEST_MS)
}
