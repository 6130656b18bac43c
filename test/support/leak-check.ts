/**
 * Vitest set-up file: a test that leaves anything behind fails, and says what and where it was made.
 *
 * What existed before a test (made by `beforeAll`, say) is not its leak; the end of the file asks for that.
 * Concurrent tests cannot be told apart, so they are only checked at the end of the file.
 */
import { afterAll, beforeEach } from 'vitest'
import { findLeaks, type LeakSnapshot, startTracking, takeSnapshot } from './leaks.ts'

async function check(whose: string, snapshot: LeakSnapshot): Promise<void> {
  const leaks = await findLeaks(snapshot)
  if (leaks.length === 0) return
  const error = new Error(`${whose} left behind:\n${leaks.map((leak) => `- ${leak}`).join('\n')}`)
  error.stack = `Error: ${error.message}`
  throw error
}

startTracking()
const atLoad = takeSnapshot()

// The first hook to be registered is the last to run: after the test's own `onTestFinished` and `afterEach`.
beforeEach(({ task, onTestFinished }) => {
  if (task.concurrent) return
  const snapshot = takeSnapshot()
  onTestFinished(() => check('The test', snapshot))
})

afterAll(() => check('The test file', atLoad))
