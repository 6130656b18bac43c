/** `when`: what conditions do to each kind of worker. */
import { describe, expect, test } from 'vitest'
import { after, all, condition, every, retry } from '../../../src/index.ts'
import { echoTask, heldTask, startedSupervisor, taskOf, thrownBy, turns } from '../../support/harness.ts'

describe('when', () => {
  test('an interval worker lets occurrences go by while it does not hold', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    let open = false
    let runs = 0
    supervisor.workers.interval({
      name: 'w',
      handler: () => void runs++,
      intervalMs: 10,
      missed: 'all',
      when: () => open,
    })
    await clock.advance(20)
    expect([runs, of('worker.skipped').map(({ reason, count }) => `${reason} ${count}`)]).toEqual([
      0,
      ['condition 1', 'condition 1', 'condition 1'],
    ])
    open = true
    await clock.advance(10)
    expect(runs).toBe(1)
  })

  test('trigger() asks it, too, unless it is forced', async () => {
    const { supervisor, of } = await startedSupervisor()
    let runs = 0
    const handler = (): void => void runs++
    const { workers } = supervisor
    for (const worker of [
      workers.interval({ name: 'i', handler, intervalMs: 1_000, when: () => false }),
      workers.event({ name: 'e', handler, when: () => false }),
    ]) {
      runs = 0
      worker.trigger()
      await turns()
      expect([runs, of('worker.skipped').at(-1)?.reason]).toEqual([0, 'condition'])
      worker.trigger({ force: true })
      await turns()
      expect(runs).toBe(1)
    }
  })

  test('an event worker is triggered by it when it turns true: a task after another one', async () => {
    const { supervisor, of } = await startedSupervisor()
    const first = echoTask<number>()
    const { task, calls } = heldTask()
    supervisor.workers.event({ name: 'then', task, when: after(first) })
    await turns()
    expect(calls).toHaveLength(0)
    // Several completions before it is picked up are one.
    const runs = [supervisor.submit(first, 1), supervisor.submit(first, 2)]
    await Promise.all(runs.map((run) => run.result))
    await turns()
    expect([calls.length, of('worker.triggered').map(({ by }) => by)]).toEqual([1, ['condition']])
    calls[0]!.resolve()
    await turns()
    await supervisor.submit(first, 3).result
    await turns()
    expect(calls).toHaveLength(2)
    calls[1]!.resolve()
    await turns()
  })

  test('a plain worker waits until it holds, also when it turned false and true unseen', async () => {
    const { supervisor, clock } = await startedSupervisor()
    let open = false
    const { task, calls } = heldTask()
    const worker = supervisor.workers.plain({
      name: 'w',
      task,
      when: condition(() => open, { recheckMs: 100 }),
    })
    await turns()
    expect([worker.state, calls.length]).toEqual(['idle', 0])
    open = true
    await clock.advance(100)
    expect([worker.state, calls.length]).toEqual(['active', 1])
    open = false
    calls[0]!.resolve()
    await turns()
    await turns()
    expect(worker.state).toBe('idle')
    open = true
    await clock.advance(100)
    expect(calls).toHaveLength(2)
    await worker.stop({ wait: false })
    expect(clock.pending).toBe(0)
  })

  test('every and retry ask about the worker itself, also when it has a handler of its own', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const begun: number[] = []
    const origin = clock.monotonic()
    supervisor.workers.interval({
      name: 'w',
      handler: () => void begun.push(clock.monotonic() - origin),
      intervalMs: 10,
      when: every(25),
    })
    let failures = 0
    const again = supervisor.workers.interval({
      name: 'again',
      handler: () => {
        failures += 1
        throw new Error('x')
      },
      intervalMs: 10,
      when: retry(2),
    })
    await clock.advance(60)
    expect([begun, failures]).toEqual([[0, 30, 60], 0])
    again.trigger({ force: true })
    await clock.advance(60)
    // The first one by hand, then two more tries.
    expect(failures).toBe(3)
  })

  test('joins with that of the definition', async () => {
    const { supervisor, clock } = await startedSupervisor()
    let mine = false
    let theirs = false
    let runs = 0
    const task = taskOf<void>(() => void runs++, { when: () => theirs })
    supervisor.workers.interval({ name: 'w', task, intervalMs: 10, when: all(() => mine) })
    mine = true
    await clock.advance(10)
    theirs = true
    mine = false
    await clock.advance(10)
    expect(runs).toBe(0)
    mine = true
    await clock.advance(10)
    expect(runs).toBe(1)
  })

  test('that throws counts as false and is reported', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    const when = (): boolean => {
      throw new Error('broken')
    }
    let runs = 0
    supervisor.workers.interval({ name: 'w', handler: () => void runs++, intervalMs: 10, when })
    await clock.advance(20)
    expect([runs, of('condition.failed').length > 0]).toEqual([0, true])
  })

  test('must be a condition', async () => {
    const { supervisor } = await startedSupervisor()
    const options = { name: 'w', handler: () => {}, intervalMs: 10, when: 'daily' as never }
    expect(thrownBy(() => supervisor.workers.interval(options))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })
})
