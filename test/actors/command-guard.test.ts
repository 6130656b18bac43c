/** Commands die with the process that started them, however it dies. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { CommandGuard } from '../../src/actors/command-guard.ts'
import { gone, isAlive } from '../support/processes.ts'

const PARENT = join(import.meta.dirname, '../fixtures/commands/parent.ts')

test.each(['SIGKILL', 'SIGINT'] as const)('no command outlives a process that ends by %s', async (signal) => {
  const parent = spawn(process.execPath, [PARENT], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(parent.stdout), 'line')
  const pids = String(line).split(' ').map(Number)
  expect(pids.map(isAlive)).toEqual([true, true])
  parent.kill(signal)
  await once(parent, 'close')
  await gone(...pids)
})

test('kills only what it still watches, and ends when it is closed', async () => {
  const guard = new CommandGuard()
  const [first, second, third] = [1, 2, 3].map(() =>
    spawn('sleep', ['600'], { stdio: 'ignore', detached: true }),
  )
  for (const { pid = 0 } of [first!, second!, third!]) guard.watch(pid)
  guard.forget(second!.pid as number)
  await guard.close()
  await gone(first!.pid as number, third!.pid as number)
  expect(isAlive(second!.pid as number)).toBe(true)
  second!.kill()
  await once(second!, 'exit')
})

test('closing one that never watched anything, or twice, does nothing', async () => {
  const guard = new CommandGuard()
  await guard.close()
  await guard.close()
})
