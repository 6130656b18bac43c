import { describe, expect, test } from 'vitest'
import {
  echoTask,
  errorOf,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  thrownBy,
  turns,
} from '../support/harness.ts'

describe('multilaunch: false', () => {
  test('queue: runs one at a time, in order, although slots are free', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<number>({ multilaunch: false })
    const runs = [1, 2, 3].map((input) => supervisor.submit(task, input))
    expect(runs.map(({ state }) => state)).toEqual(['running', 'queued', 'queued'])
    await turns()
    calls[0]!.reject(new Error('even so'))
    await turns()
    runs[2]!.cancel()
    expect(runs.map(({ state }) => state)).toEqual(['failed', 'running', 'cancelled'])
    calls[1]!.resolve()
    await turns()
    expect(inputs()).toEqual([1, 2])
  })

  test('queue: the higher band goes first among those that wait', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<string>({ multilaunch: false })
    supervisor.submit(task, 'live')
    supervisor.submit(task, 'low', { priority: 'low' })
    supervisor.submit(task, 'high', { priority: 'high' })
    await turns()
    calls[0]!.resolve()
    await turns()
    expect(inputs()).toEqual(['live', 'high'])
  })

  test('queue: never hides a task of another definition', async () => {
    const { supervisor } = await startedSupervisor(slots(2))
    const { task } = heldTask<number>({ multilaunch: false, priority: 'high' })
    supervisor.submit(task, 1)
    supervisor.submit(task, 2)
    await expect(supervisor.submit(echoTask<string>(), 'low', { priority: 'low' }).result).resolves.toBe(
      'low',
    )
  })

  test('queue: a run that snoozes or waits to be tried again keeps the others waiting', async () => {
    const { supervisor, clock } = await startedSupervisor()
    let calls = 0
    const task = taskOf<void, unknown>(
      (_, ctx) => {
        calls += 1
        return calls === 1 ? ctx.snooze(100) : calls
      },
      { multilaunch: false },
    )
    const first = supervisor.submit(task)
    const second = supervisor.submit(task)
    await clock.advance(50)
    expect([first.state, second.state, calls]).toEqual(['snoozed', 'queued', 1])
    await clock.advance(50)
    await expect(Promise.all([first.result, second.result])).resolves.toEqual([2, 3])
  })

  test('queue: given by the submission, waits for every live run of the definition', async () => {
    const { supervisor } = await startedSupervisor()
    const { task } = heldTask()
    supervisor.submit(task)
    expect(supervisor.submit(task, undefined, { multilaunch: false }).state).toBe('queued')
  })

  test('skip: gives back the live run, and submits when none is live', async () => {
    const { supervisor, recorder } = await startedSupervisor()
    const { task, calls } = heldTask({ multilaunch: false, onConflict: 'skip' })
    const first = supervisor.submit(task)
    const before = recorder.events.length
    expect(supervisor.submit(task)).toBe(first)
    expect(supervisor.submit(task, undefined, { runId: 'other' }).id).toBe(first.id)
    expect(recorder.events).toHaveLength(before)
    await turns()
    calls[0]!.resolve()
    await first.result
    expect(supervisor.submit(task)).not.toBe(first)
  })

  test('reject: throws with the id of the live run', () => {
    const { supervisor } = testSupervisor()
    const task = echoTask({ multilaunch: false, onConflict: 'reject' })
    const live = supervisor.submit(task, undefined, { delayMs: 10 })
    expect(thrownBy(() => supervisor.submit(task))).toMatchObject({
      code: 'ERR_TASK_ALREADY_LIVE',
      runId: live.id,
    })
    expect(supervisor.list({ name: task.name })).toHaveLength(1)
    live.cancel()
    expect(supervisor.submit(task).state).toBe('queued')
  })

  test('replace: terminates what is live and runs when it has ended', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<number>({
      multilaunch: false,
      onConflict: 'replace',
      deaf: true,
    })
    const first = supervisor.submit(task, 1)
    await turns()
    const second = supervisor.submit(task, 2)
    const third = supervisor.submit(task, 3)
    expect([first.state, second.state, third.state]).toEqual(['running', 'terminated', 'queued'])
    calls[0]!.resolve('too late')
    expect(await errorOf(first.result)).toMatchObject({
      code: 'ERR_TASK_TERMINATED',
      reason: 'replaced',
      step: 'signal',
    })
    expect(await errorOf(second.result)).toMatchObject({ reason: 'replaced', step: 'none' })
    await turns()
    expect(inputs()).toEqual([1, 3])
  })

  test('leaves other definitions alone', async () => {
    const { supervisor } = await startedSupervisor()
    const one = heldTask({ multilaunch: false, onConflict: 'replace' })
    const other = heldTask({ multilaunch: false, onConflict: 'replace' })
    const live = supervisor.submit(other.task)
    supervisor.submit(one.task)
    supervisor.submit(one.task)
    expect(live.state).toBe('running')
  })

  test('a child of a live run of the same definition is refused, as it would wait for itself', async () => {
    const { supervisor } = await startedSupervisor()
    const self = taskOf<void, unknown>((_, ctx): Promise<unknown> => ctx.submit(self).result, {
      multilaunch: false,
    })
    const error = await errorOf(supervisor.submit(self).result)
    expect(error.cause).toMatchObject({ code: 'ERR_TASK_ALREADY_LIVE' })
  })
})
