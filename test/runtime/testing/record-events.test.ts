import { describe, expect, expectTypeOf, test } from 'vitest'
import { type RecordableSource, recordEvents } from '../../../src/runtime/testing/record-events.ts'
import { turns } from '../../support/turns.ts'

type Events = {
  'task.started': { runId: string }
  'task.finished': { runId: string; value: number }
  stopped: undefined
}

type Pair = { [Type in keyof Events]: [type: Type, payload: Events[Type]] }[keyof Events]

function source() {
  const listeners = new Set<(...event: Pair) => void>()
  const recordable: RecordableSource<Pair> = {
    on: (_type, listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const emit = (...event: Pair): void => {
    for (const listener of listeners) listener(...event)
  }
  return { emitter: { emit, listeners }, recordable }
}

/** How a promise stands after a turn of the event loop. */
async function state(promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  let now: 'pending' | 'resolved' | 'rejected' = 'pending'
  promise.then(
    () => {
      now = 'resolved'
    },
    () => {
      now = 'rejected'
    },
  )
  await turns(1)
  return now
}

describe('recordEvents', () => {
  test('keeps type and payload in order', () => {
    const { emitter, recordable } = source()
    const recorder = recordEvents(recordable)
    emitter.emit('task.started', { runId: 'a' })
    emitter.emit('task.finished', { runId: 'a', value: 1 })
    emitter.emit('stopped', undefined)
    expect(recorder.types()).toEqual(['task.started', 'task.finished', 'stopped'])
    expect(recorder.events[1]).toEqual({ type: 'task.finished', payload: { runId: 'a', value: 1 } })
    recorder.stop()
  })

  test('seen finds the first recorded match, by type or by predicate', () => {
    const { emitter, recordable } = source()
    using recorder = recordEvents(recordable)
    expect(recorder.seen('task.finished')).toBeUndefined()
    for (const value of [1, 2, 3]) emitter.emit('task.finished', { runId: 'a', value })
    expect(recorder.seen('task.finished')?.payload.value).toBe(1)
    const second = recorder.seen((event) => event.type === 'task.finished' && event.payload.value > 1)
    expect(second?.payload).toEqual({ runId: 'a', value: 2 })
  })

  test('until resolves at once for what was seen, and waits for what was not', async () => {
    const { emitter, recordable } = source()
    using recorder = recordEvents(recordable)
    emitter.emit('task.started', { runId: 'a' })
    expect((await recorder.until('task.started')).payload.runId).toBe('a')
    const finished = recorder.until('task.finished')
    expect(await state(finished)).toBe('pending')
    emitter.emit('task.finished', { runId: 'a', value: 7 })
    expect((await finished).payload.value).toBe(7)
  })

  test('next ignores what was seen', async () => {
    const { emitter, recordable } = source()
    using recorder = recordEvents(recordable)
    emitter.emit('task.started', { runId: 'a' })
    const next = recorder.next('task.started')
    expect(await state(next)).toBe('pending')
    emitter.emit('task.started', { runId: 'b' })
    emitter.emit('task.started', { runId: 'c' })
    expect((await next).payload.runId).toBe('b')
  })

  test('several waits are served by one event', async () => {
    const { emitter, recordable } = source()
    using recorder = recordEvents(recordable)
    const waits = [recorder.next('stopped'), recorder.next('stopped'), recorder.next(() => true)]
    emitter.emit('stopped', undefined)
    expect((await Promise.all(waits)).map((event) => event.type)).toEqual(['stopped', 'stopped', 'stopped'])
  })

  test('stop unsubscribes, rejects pending waits with what was seen, and keeps the record', async () => {
    const { emitter, recordable } = source()
    const recorder = recordEvents(recordable)
    emitter.emit('task.started', { runId: 'a' })
    const pending = recorder.next('task.finished')
    const predicate = recorder.until(() => false)
    recorder.stop()
    recorder.stop()
    emitter.emit('task.finished', { runId: 'a', value: 1 })
    await expect(pending).rejects.toThrow(
      "The recording was stopped before 'task.finished' was emitted. Seen: task.started.",
    )
    await expect(predicate).rejects.toThrow('before a matching event was emitted')
    await expect(recorder.next('stopped')).rejects.toThrow('stopped before')
    expect((await recorder.until('task.started')).payload.runId).toBe('a')
    expect(recorder.types()).toEqual(['task.started'])
    expect(emitter.listeners.size).toBe(0)
  })

  test('a rejected wait that nobody awaits is no unhandled rejection', async () => {
    const { recordable } = source()
    const recorder = recordEvents(recordable)
    void recorder.next('stopped')
    void recorder.until('stopped')
    recorder.stop()
    void recorder.next('stopped')
    await turns(2)
  })

  test('a predicate that throws rejects its own wait and reaches neither the source nor other waits', async () => {
    const { emitter, recordable } = source()
    using recorder = recordEvents(recordable)
    const bad = recorder.next(() => {
      throw new Error('bad predicate')
    })
    const good = recorder.next('stopped')
    expect(() => emitter.emit('stopped', undefined)).not.toThrow()
    await expect(bad).rejects.toThrow('bad predicate')
    await good
    await expect(
      recorder.until(() => {
        throw new Error('also when seen')
      }),
    ).rejects.toThrow('also when seen')
  })

  test('types follow the table of events of the source', () => {
    interface Overloaded {
      on<Type extends keyof Events>(type: Type, listener: (payload: Events[Type]) => void): () => void
      on(type: '*', listener: (...event: Pair) => void): () => void
    }
    const overloaded = { on: () => () => {} } as Overloaded
    using recorder = recordEvents(overloaded)
    expectTypeOf(recorder.types()).toEqualTypeOf<(keyof Events)[]>()
    expectTypeOf(recorder.next<'task.finished'>)
      .returns.resolves.toHaveProperty('payload')
      .toEqualTypeOf<Events['task.finished']>()
    interface LikeMitt {
      on(type: '*', listener: (type: keyof Events, payload: Events[keyof Events]) => void): () => void
    }
    using loose = recordEvents({ on: () => () => {} } as LikeMitt)
    expectTypeOf(loose.types()).toEqualTypeOf<(keyof Events)[]>()
    // @ts-expect-error: no such event
    recorder.seen('task.finnished')
  })
})
