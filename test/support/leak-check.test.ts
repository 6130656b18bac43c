/** Proofs that the leak check sees every kind of leak, says where it was made, and sees no others. */
import { spawn } from 'node:child_process'
import { unwatchFile, watchFile } from 'node:fs'
import { createServer } from 'node:net'
import { MessageChannel, Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/actors/clock.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { deferred } from './deferred.ts'
import { findLeaks, onUnhandledRejection, takeSnapshot } from './leaks.ts'
import { once } from './once.ts'

/** Short, since the proofs wait for it in vain. */
const SOON_MS = 40
const SELF = 'leak-check.test.ts'
const IDLE_THREAD = 'setInterval(() => {}, 60_000)'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** The one leak that `act` makes. */
async function leakOf(act: () => unknown): Promise<string> {
  const snapshot = takeSnapshot()
  await act()
  const leaks = await findLeaks(snapshot, SOON_MS)
  expect(leaks).toHaveLength(1)
  return leaks[0] as string
}

describe('is caught:', () => {
  test('a timer', async () => {
    const leak = await leakOf(() => {
      const timer = setTimeout(() => {}, 60_000)
      cleanUps.push(() => clearTimeout(timer))
    })
    expect(leak).toMatch(/^timer of 60000 ms\n/)
    expect(leak).toContain(SELF)
  })

  test('an unref’d timer, as those of the system clock are', async () => {
    const leak = await leakOf(() => {
      const timer = systemClock.setTimeout(() => {}, 50_000)
      cleanUps.push(() => systemClock.clearTimeout(timer))
    })
    expect(leak).toMatch(/^timer of 50000 ms \(unref'd\)/)
    expect(leak).toContain('clock.ts')
  })

  test('an interval', async () => {
    const leak = await leakOf(() => {
      const timer = setInterval(() => {}, 5)
      cleanUps.push(() => clearInterval(timer))
    })
    expect(leak).toMatch(/^interval of 5 ms/)
  })

  test('a pending timer of a manual clock', async () => {
    const clock = new ManualClock()
    const snapshot = takeSnapshot()
    const leak = await leakOf(() => {
      new ManualClock().setTimeout(() => {}, 1)
      new ManualClock()
      clock.setTimeout(() => {}, 1)
    })
    expect(leak).toMatch(/^1 pending timer of a ManualClock/)
    expect(leak).toContain(SELF)
    expect(await findLeaks(snapshot, SOON_MS)).toEqual([])
    await clock.runAll()
  })

  test('a thread, without its ports beside it', async () => {
    const leak = await leakOf(async () => {
      const worker = new Worker(IDLE_THREAD, { eval: true, name: 'sleeper' })
      cleanUps.push(() => worker.terminate())
      await once(worker, 'online')
    })
    expect(leak).toMatch(/^thread \d+ \(sleeper\)\n/)
    expect(leak).toContain(SELF)
  })

  test('an unref’d thread', async () => {
    const leak = await leakOf(() => {
      const worker = new Worker(IDLE_THREAD, { eval: true })
      worker.unref()
      cleanUps.push(() => worker.terminate())
    })
    expect(leak).toMatch(/^thread/)
  })

  test('a child process, without its pipes beside it', async () => {
    const leak = await leakOf(() => {
      const child = spawn(process.execPath, ['-e', IDLE_THREAD])
      cleanUps.push(() => {
        child.kill('SIGKILL')
        return once(child, 'close')
      })
    })
    expect(leak).toMatch(/^child process \d+ \(.*setInterval/)
    expect(leak).toContain(SELF)
  })

  test.runIf(process.platform === 'linux')('a child process that a thread left behind', async () => {
    const leak = await leakOf(async () => {
      const code = `
        const { spawn } = require('node:child_process')
        const child = spawn(process.execPath, ['-e', '${IDLE_THREAD}'], { stdio: 'ignore' })
        require('node:worker_threads').parentPort.postMessage(child.pid)`
      const worker = new Worker(code, { eval: true })
      const pid = await once<number>(worker, 'message')
      await worker.terminate()
      cleanUps.push(() => process.kill(pid, 'SIGKILL'))
    })
    expect(leak).toMatch(/^child process \d+ \(.*node/)
  })

  test('a message port that is listened to', async () => {
    const leak = await leakOf(() => {
      const { port1 } = new MessageChannel()
      port1.on('message', () => {})
      cleanUps.push(() => port1.close())
    })
    expect(leak).toMatch(/^open handle MESSAGEPORT/)
  })

  test('an unref’d server', async () => {
    const leak = await leakOf(async () => {
      const server = createServer().listen(0, '127.0.0.1').unref()
      cleanUps.push(() => server.close())
      await once(server, 'listening')
    })
    expect(leak).toMatch(/^open handle TCPSERVERWRAP/)
  })

  test('a watched file', async () => {
    const leak = await leakOf(() => {
      watchFile(import.meta.filename, { persistent: false }, () => {})
      cleanUps.push(() => unwatchFile(import.meta.filename))
    })
    expect(leak).toMatch(/^open handle STATWATCHER/)
  })

  test('a listener for a signal', async () => {
    const listener = (): void => {}
    const leak = await leakOf(() => {
      process.on('SIGUSR2', listener)
      cleanUps.push(() => process.off('SIGUSR2', listener))
    })
    expect(leak).toMatch(/^open handle SIGNALWRAP/)
  })

  test('an unhandled rejection, once', async () => {
    replaceListeners('unhandledRejection', onUnhandledRejection)
    const snapshot = takeSnapshot()
    const leak = await leakOf(() => void Promise.reject(new Error('nobody listens')))
    expect(leak).toMatch(/^unhandled rejection: Error: nobody listens\n/)
    expect(leak).toContain(SELF)
    expect(await findLeaks(snapshot, SOON_MS)).toEqual([])
  })

  test('an uncaught exception', async () => {
    replaceListeners('uncaughtException', () => {})
    const leak = await leakOf(() => {
      process.nextTick(() => {
        throw new Error('nobody catches')
      })
    })
    expect(leak).toMatch(/^uncaught exception: Error: nobody catches\n/)
  })

  test('several leaks at once, each with its own text', async () => {
    const snapshot = takeSnapshot()
    const timers = [1, 2].map((hours) => systemClock.setTimeout(() => {}, hours * 3_600_000))
    const clock = new ManualClock()
    clock.setTimeout(() => {}, 1)
    cleanUps.push(() => timers.map((timer) => systemClock.clearTimeout(timer)))
    const leaks = await findLeaks(snapshot, SOON_MS)
    expect(leaks.map((leak) => leak.split('\n')[0]).sort()).toEqual([
      '1 pending timer of a ManualClock',
      "timer of 3600000 ms (unref'd)",
      "timer of 7200000 ms (unref'd)",
    ])
    await clock.runAll()
  })
})

describe('is no leak:', () => {
  test('what was there before', async () => {
    const timer = systemClock.setTimeout(() => {}, 60_000)
    const worker = new Worker(IDLE_THREAD, { eval: true })
    const snapshot = takeSnapshot()
    expect(await findLeaks(snapshot, SOON_MS)).toEqual([])
    systemClock.clearTimeout(timer)
    await worker.terminate()
  })

  test('what was closed, and what closes within the time given', async () => {
    const snapshot = takeSnapshot()
    systemClock.clearTimeout(systemClock.setTimeout(() => {}, 60_000))
    const worker = new Worker(IDLE_THREAD, { eval: true })
    const child = spawn(process.execPath, ['-e', IDLE_THREAD])
    await Promise.all([once(worker, 'online'), once(child, 'spawn')])
    void worker.terminate()
    child.kill('SIGKILL')
    systemClock.setTimeout(() => {}, 20)
    expect(await findLeaks(snapshot)).toEqual([])
  })

  test('a program that could not be started', async () => {
    const snapshot = takeSnapshot()
    const child = spawn('/no/such/program')
    await once(child, 'error')
    expect(await findLeaks(snapshot)).toEqual([])
  })

  test('a message port that nobody ever listened to', async () => {
    const snapshot = takeSnapshot()
    new MessageChannel()
    expect(await findLeaks(snapshot, SOON_MS)).toEqual([])
  })

  test('a rejection that is handled', async () => {
    const snapshot = takeSnapshot()
    const { promise, reject } = deferred()
    reject(new Error('handled'))
    await expect(promise).rejects.toThrow('handled')
    void deferred().reject(new Error('pre-handled'))
    expect(await findLeaks(snapshot)).toEqual([])
  })

  test('a timer of the test runner', async () => {
    const snapshot = takeSnapshot()
    let done = false
    const waiting = vi.waitFor(() => expect(done).toBe(true), { timeout: 10_000, interval: 20 })
    expect(await findLeaks(snapshot, SOON_MS)).toEqual([])
    done = true
    await waiting
  })
})

/** Lets an error of the process reach nobody but `listener` until the test ends. */
function replaceListeners(
  event: 'unhandledRejection' | 'uncaughtException',
  listener: (error: unknown) => void,
): void {
  const emitter: NodeJS.EventEmitter = process
  const saved = emitter.listeners(event) as (() => void)[]
  emitter.removeAllListeners(event)
  emitter.on(event, listener)
  cleanUps.push(() => {
    emitter.removeAllListeners(event)
    for (const each of saved) emitter.on(event, each)
  })
}
