/**
 * One Chromium for a run of tests, without a window: started when the first test asks for it, ended with the run. It comes with
 * the package @sparticuz/chromium, for Linux on x64; STATEWARD_TEST_CHROMIUM, the path of another one, takes its place.
 * Test processes ask through a socket, since they come and go: any request, one answer in JSON.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserServer } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { buildPage } from '../../scripts/build-page.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    browserSocket: string
  }
}

export type BrowserAnswer = { readonly endpoint: string } | { readonly error: string }

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'stateward-browser-'))
  let browser: Promise<BrowserServer> | undefined
  const ear = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      browser ??= launch()
      browser.then(
        (server) => socket.end(JSON.stringify({ endpoint: server.wsEndpoint() } satisfies BrowserAnswer)),
        (error: Error) => socket.end(JSON.stringify({ error: error.message } satisfies BrowserAnswer)),
      )
    })
  })
  const path = join(folder, 'ask')
  await new Promise<void>((resolve, reject) => {
    ear.once('error', reject)
    ear.listen(path, resolve)
  })
  project.provide('browserSocket', path)
  return async () => {
    ear.close()
    const server = await browser?.catch(() => undefined)
    await server?.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** With the page built, which whoever asks is about to open. */
async function launch(): Promise<BrowserServer> {
  await buildPage()
  const { chromium } = await import('playwright-core')
  const executablePath = await pathOfChromium()
  try {
    return await chromium.launchServer({
      executablePath,
      // What would differ from one machine to another is off: hints of fonts, colours of subpixels, the graphics card.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-lcd-text',
        '--font-render-hinting=none',
        '--force-color-profile=srgb',
        '--hide-scrollbars',
      ],
    })
  } catch (error) {
    throw new Error(
      `Chromium at ${executablePath} does not start: ${(error as Error).message.split('\n')[0]} ` +
        'Set STATEWARD_TEST_CHROMIUM to the path of one that does.',
      { cause: error },
    )
  }
}

async function pathOfChromium(): Promise<string> {
  const given = process.env.STATEWARD_TEST_CHROMIUM ?? ''
  if (given !== '') return given
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `There is no Chromium for the tests of the page on ${process.platform} ${process.arch}: ` +
        'set STATEWARD_TEST_CHROMIUM to the path of one.',
    )
  }
  const { default: packed } = await import('@sparticuz/chromium')
  return packed.executablePath()
}
