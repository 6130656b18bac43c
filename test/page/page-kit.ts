/** Pages in the browser of a test run: opened for one test, watched for errors, closed with it. */
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { extname, join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, onTestFinished } from 'vitest'
import type { BrowserAnswer } from '../support/browser-server.ts'

const PAGE_FOLDER = resolve('dist/page')
/** Where pages of the scripted feed seem to be. Nothing is asked of a network. */
export const SCRIPTED_URL = 'http://inspector.test/'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** The same as the inspector's own, which other tests open. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self' ws:; worker-src 'self'"

export interface Pages {
  /** A page on nothing yet, that fails its test when it says an error. */
  open(options?: PageOptions): Promise<Page>
}

export interface PageOptions extends BrowserContextOptions {
  /** Errors that are expected: a connection that is lost is told in the console. */
  readonly tolerates?: RegExp
}

/** To be called where tests are declared. @throws Error, in `beforeAll`, when there is no browser: a test never passes without one */
export function usePages(): Pages {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.connect(await endpoint())
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
  })
  return {
    open: async ({ tolerates, ...options } = {}) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        locale: 'en-GB',
        timezoneId: 'UTC',
        reducedMotion: 'reduce',
        ...options,
      })
      // Shorter than a test may take, so that it says what it was waiting for.
      context.setDefaultTimeout(12_000)
      const page = await context.newPage()
      const errors: string[] = []
      const note = (error: string): void => {
        if (tolerates?.test(error) !== true) errors.push(error)
      }
      page.on('pageerror', (error) => note(String(error.stack)))
      page.on('console', (message) => {
        if (message.type() === 'error') note(message.text())
      })
      onTestFinished(async () => {
        await context.close()
        expect(errors).toEqual([])
      })
      return page
    },
  }
}

/** Serves the built page at {@link SCRIPTED_URL}, and refuses whatever else it asks for. */
export async function serveBuilt(page: Page): Promise<void> {
  await page.route('**/*', async (route) => {
    const { origin, pathname } = new URL(route.request().url())
    if (`${origin}/` !== SCRIPTED_URL) return route.abort()
    const path = join(PAGE_FOLDER, pathname === '/' ? 'index.html' : pathname)
    const body = await readFile(path)
    const contentType = TYPES[extname(path)] ?? 'application/octet-stream'
    await route.fulfill({ body, contentType, headers: { 'content-security-policy': POLICY } })
  })
}

async function endpoint(): Promise<string> {
  const socket = connect(inject('browserSocket'))
  socket.write('browser')
  const answer = JSON.parse(await text(socket)) as BrowserAnswer
  if ('error' in answer) throw new Error(answer.error)
  return answer.endpoint
}
