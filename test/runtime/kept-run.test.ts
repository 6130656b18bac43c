/** Runs that somebody keeps elsewhere: one attempt here, and a word about what comes after it. */
import { describe, expect, test } from 'vitest'
import { KeptRun } from '../../src/actors/kept-run.ts'
import type { TaskRun } from '../../src/actors/task-run.ts'
import type { TaskCall } from '../../src/index.ts'
import type { LiveSupervisor } from '../../src/runtime/live-supervisor.ts'
import { echoTask, heldTask, slots, startedSupervisor, taskOf, thrownBy, turns } from '../support/harness.ts'

async function keeping(options = {}) {
  const rig = await startedSupervisor(options)
  const keep = (call: TaskCall, attempt = 0, id = 'kept'): { run: TaskRun; kept: KeptRun } => {
    const kept = new KeptRun()
    const facts = {
      id,
      attempt,
      priority: 'normal',
      ageMs: 0,
      waitedMs: 0,
      expiresInMs: Number.POSITIVE_INFINITY,
      run: kept,
    } as const
    return { run: (rig.supervisor as LiveSupervisor).submitKept(call, facts), kept }
  }
  return { ...rig, keep }
}

const HANDED_BACK = { kind: 'terminated', reason: 'handedBack' }
const retry = { attempts: 3, backoff: { kind: 'fixed', initialMs: 500, jitter: 'none' } } as const

describe('a kept run', () => {
  test('that finishes has its outcome and no word', async () => {
    const { keep, supervisor } = await keeping()
    const { run, kept } = keep(echoTask<number>().call(5))
    await supervisor.idle()
    expect([run.id, run.outcome, kept.word]).toEqual(['kept', { kind: 'finished', value: 5 }, undefined])
  })

  test('counts the attempts that it has had, and says when another one is to follow', async () => {
    const error = new Error('again')
    const seen: number[] = []
    const task = taskOf<void>(
      (_, ctx) => {
        seen.push(ctx.attempt)
        throw error
      },
      { retry },
    )
    const { keep, supervisor, of, clock } = await keeping()
    const second = keep(task.call(), 1)
    await supervisor.idle()
    expect([second.run.outcome, second.kept.word]).toMatchObject([
      HANDED_BACK,
      { kind: 'retry', delayMs: 500, error },
    ])
    const last = keep(task.call(), 2)
    await supervisor.idle()
    expect([last.run.outcome?.kind, last.kept.word]).toEqual(['failed', undefined])
    expect(seen).toEqual([2, 3])
    expect(of('task.retrying').map(({ delayMs }) => delayMs)).toEqual([500])
    expect(clock.pending).toBe(0)
  })

  test('is tried again elsewhere after a run timeout', async () => {
    const { task } = heldTask({ runTimeoutMs: 10, retry })
    const { keep, clock } = await keeping()
    const { run, kept } = keep(task.call())
    await clock.advance(10)
    await turns()
    expect([run.outcome, kept.word]).toMatchObject([HANDED_BACK, { kind: 'retry', error: undefined }])
  })

  test('snoozes elsewhere, and the attempt is given back', async () => {
    const { keep, supervisor } = await keeping()
    const { run, kept } = keep(taskOf<void, unknown>((_, ctx) => ctx.snooze(70)).call())
    await supervisor.idle()
    expect([run.outcome, kept.word]).toMatchObject([HANDED_BACK, { kind: 'snooze', delayMs: 70 }])
    expect(run.snapshot.context.attempt).toBe(0)
  })

  test('does not go on with its next step here', async () => {
    const next = echoTask<number>()
    let runs = 0
    const task = taskOf<void, unknown>((_, ctx) => {
      runs += 1
      return ctx.next(next.call(7))
    })
    const { keep, supervisor, of } = await keeping(slots(1))
    const { run, kept } = keep(task.call())
    await supervisor.idle()
    expect([run.outcome, runs]).toMatchObject([HANDED_BACK, 1])
    expect(kept.word).toMatchObject({ kind: 'next', call: { definition: next, input: 7 } })
    expect(of('task.started')).toHaveLength(1)
    expect(await supervisor.submit(next, 1).result).toBe(1)
  })

  test('that is handed back has not ended, for whoever listens, counts and keeps records', async () => {
    const { keep, supervisor, of, lines } = await keeping({ taskLog: { keep: 10 } })
    keep(taskOf<void, unknown>((_, ctx) => ctx.snooze(70), { name: 'sleepy' }).call(), 0, 'snoozed')
    keep(taskOf<void>(() => Promise.reject(new Error('no')), { retry }).call(), 0, 'retried')
    const other = echoTask<number>()
    keep(taskOf<void, unknown>((_, ctx) => ctx.next(other.call(7))).call(), 0, 'stepped')
    await supervisor.idle()
    expect(of('task.terminated')).toEqual([])
    const handedBack = of('task.handedBack').map(({ runId, why, state, runMs }) => [runId, why, state, runMs])
    expect(handedBack.sort()).toEqual([
      ['retried', 'retry', 'retrying', 0],
      ['snoozed', 'snooze', 'snoozed', 0],
      ['stepped', 'next', 'queued', 0],
    ])
    expect(supervisor.info().runs).toMatchObject({ terminated: 0, failed: 0, finished: 0 })
    expect(supervisor.records({ name: 'sleepy' }).map(({ action }) => action)).toEqual(['run', 'inaction'])
    expect(lines.filter(({ level }) => level >= 40)).toEqual([])
  })

  test('has one id at a time, and its supervisor must take runs', async () => {
    const { keep, supervisor, stop } = await keeping()
    const { task, calls } = heldTask<number>()
    keep(task.call(1))
    expect(thrownBy(() => keep(task.call(1)))).toMatchObject({ code: 'ERR_RUN_ID_TAKEN' })
    await turns()
    calls[0]!.resolve(1)
    await supervisor.idle()
    await stop()
    expect(thrownBy(() => keep(task.call(1)))).toMatchObject({ code: 'ERR_SUPERVISOR_STOPPED' })
  })

  test('waits for others of its kind where one is allowed at a time, whatever onConflict says', async () => {
    const { task, calls } = heldTask<number>({ multilaunch: false, onConflict: 'reject' })
    const { keep } = await keeping()
    const first = keep(task.call(1), 0, 'one')
    const second = keep(task.call(2), 0, 'two')
    await turns()
    expect([first.run.state, second.run.state]).toEqual(['running', 'queued'])
    calls[0]!.resolve(1)
    await turns()
    expect(second.run.state).toBe('running')
    calls[1]!.resolve(2)
    await turns()
    expect(second.run.outcome).toEqual({ kind: 'finished', value: 2 })
  })
})
