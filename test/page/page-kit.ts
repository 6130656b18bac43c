/** Pages in the browser of a test run: opened for one test, watched for errors, closed with it. */
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, onTestFinished } from 'vitest'
import { pageFolder, readPage, servePage } from '../../src/runtime/inspector/page-files.ts'
import type { BrowserAnswer } from '../support/browser-server.ts'

export interface Pages {
  /** A page on nothing yet, that fails its test when it says an error. */
  open(options?: PageOptions): Promise<Page>
  /** Where the page is, and nothing else: who speaks to it is up to the test. */
  readonly url: string
}

export interface PageOptions extends BrowserContextOptions {
  /** Errors that are expected: a connection that is lost is told in the console. */
  readonly tolerates?: RegExp
}

/** To be called where tests are declared. @throws Error, in `beforeAll`, when there is no browser: a test never passes without one */
export function usePages(): Pages {
  let browser: Browser
  let files: Server
  beforeAll(async () => {
    browser = await chromium.connect(await endpoint())
    files = await serveFiles()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    files?.closeAllConnections()
    await new Promise((resolve) => files?.close(resolve))
  })
  return {
    get url() {
      return `http://127.0.0.1:${(files.address() as AddressInfo).port}/`
    },
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

/** As the inspector serves it, under the same policy. */
async function serveFiles(): Promise<Server> {
  const files = await readPage(pageFolder())
  const server = createServer((request, response) => servePage(files, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

async function endpoint(): Promise<string> {
  const socket = connect(inject('browserSocket'))
  socket.write('browser')
  const answer = JSON.parse(await text(socket)) as BrowserAnswer
  if ('error' in answer) throw new Error(answer.error)
  return answer.endpoint
}
