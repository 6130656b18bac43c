/** Streams of server-sent events: what becomes of tasks, resumed where it was left, and nothing that stays. */
import { describe, expect, test } from 'vitest'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { done, settle, take, workOff } from '../durable/queue-kit.ts'
import { mail, openApi, type Told } from './http-kit.ts'

const states = (told: readonly (Told | undefined)[]): string[] =>
  told.map((one) => `${one?.event} ${one?.data.state}`)

describe('one task', () => {
  test('is told as it is, whenever it has changed, and the stream ends with it', async () => {
    const { follow, queue } = await openApi()
    const { id } = await queue.enqueue(mail, 'ada')
    const stream = await follow(`/tasks/${id}/events`)
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    const told = [await stream.next()]
    const [task] = await take(queue)
    if (task === undefined) throw new Error('not taken')
    told.push(await stream.next())
    const store = storeOf(queue)
    const { fence } = task
    const at = store.now()
    await store.do({
      type: 'progress',
      at,
      reports: [{ id, fence, percent: 40, note: 'half' }],
    })
    told.push(await stream.next())
    await settle(queue, task, done('ada'))
    told.push(await stream.next())
    expect(states(told)).toEqual(['task queued', 'task running', 'task running', 'task finished'])
    expect(told[2]?.data.progress).toEqual({ percent: 40, note: 'half' })
    expect(told[3]?.data).toMatchObject({ result: 'ada', progress: { percent: 100 } })
    expect(await stream.next()).toBeUndefined()
  })

  test('goes on after what its reader has seen, and says when there is nothing more', async () => {
    const { follow, queue } = await openApi()
    const { id } = await queue.enqueue(mail, 'ada')
    const first = await follow(`/tasks/${id}/events`)
    const seen = await first.next()
    await first.leave()
    const second = await follow(`/tasks/${id}/events`, { 'last-event-id': seen?.id ?? '' })
    await workOff(queue, done('ada'))
    let last = await second.next()
    // A store that takes its time may be looked at between the claim and the end.
    if (last?.data.state === 'running') last = await second.next()
    expect(last?.data.state).toBe('finished')
    const third = await follow(`/tasks/${id}/events`, { 'last-event-id': last?.id ?? '' })
    expect(third.status).toBe(204)
    const fourth = await follow(`/tasks/${id}/events`, { 'last-event-id': seen?.id ?? '' })
    expect((await fourth.next())?.data.state).toBe('finished')
    expect(await fourth.next()).toBeUndefined()
  })

  test('that is removed ends its stream', async () => {
    const { follow, queue, ask } = await openApi()
    const { id } = await queue.enqueue(mail, 'ada')
    const stream = await follow(`/tasks/${id}/events`)
    await stream.next()
    await queue.remove(id)
    const last = await stream.next()
    expect([last?.event, await stream.next()]).toEqual(['removed', undefined])
    expect((await follow(`/tasks/${id}/events`, { 'last-event-id': last?.id ?? '' })).status).toBe(204)
    expect((await ask('GET', `/tasks/${id}/events`)).status).toBe(404)
  })

  test('a reader of heads gets no stream', async () => {
    const { handler, queue } = await openApi({ maxStreams: 1 })
    const { id } = await queue.enqueue(mail, 'ada')
    for (let round = 0; round < 3; round += 1) {
      const { status, body } = await handler(
        new Request(`http://localhost/tasks/${id}/events`, { method: 'HEAD' }),
      )
      expect([status, body]).toEqual([200, null])
    }
  })
})

describe('all tasks', () => {
  test('are told as they come, run and end, with how many there are', async () => {
    const { follow, queue } = await openApi()
    await queue.enqueue(mail, 'before')
    const stream = await follow('/events')
    expect(await stream.next()).toMatchObject({ event: 'hello', data: { resumed: false } })
    const { id } = await queue.enqueue(mail, 'ada', { priority: 'high' })
    const of = (state: string) => (told: Told) =>
      told.event === 'task' && told.data.id === id && told.data.state === state
    const came = await stream.until(of('queued'))
    expect(came.data).not.toHaveProperty('input')
    await stream.until(({ event, data }) => event === 'counts' && data.queued === 2)
    const [task] = await take(queue)
    await stream.until(of('running'))
    if (task !== undefined) await settle(queue, task, done('x'.repeat(1_000)))
    expect((await stream.until(of('finished'))).data).not.toHaveProperty('result')
    await stream.leave()
  })

  test('a reader that comes again gets what it missed, each task as it is by then', async () => {
    const { follow, queue } = await openApi()
    const first = await follow('/events')
    const hello = await first.next()
    await first.leave()
    const { id } = await queue.enqueue(mail, 'ada')
    await workOff(queue, done('ada'))
    const again = await follow('/events', { 'last-event-id': hello?.id ?? '' })
    expect(await again.next()).toMatchObject({ event: 'hello', data: { resumed: true } })
    const told = await again.next()
    expect([told?.data.id, told?.data.state]).toEqual([id, 'finished'])
    await again.leave()
  })

  test('a reader that missed too much, or comes from another server, is told so', async () => {
    const { follow, queue } = await openApi()
    const first = await follow('/events')
    const hello = await first.next()
    await first.leave()
    await queue.enqueueMany(Array.from({ length: 250 }, (_, n) => mail.call(`${n}`)))
    // What was seen before is not among the newest.
    const other = await follow('/events', { 'last-event-id': 'elsewhere.7' })
    expect((await other.next())?.data).toEqual({ resumed: false })
    await other.leave()
    await queue.enqueueMany(Array.from({ length: 250 }, (_, n) => mail.call(`${n}`)))
    const again = await follow('/events', { 'last-event-id': hello?.id ?? '' })
    expect((await again.next())?.data).toEqual({ resumed: false })
    await again.leave()
  })

  test('only those of a name, a schedule, a parent', async () => {
    const { follow, queue } = await openApi()
    const stream = await follow('/events?name=square,other')
    await stream.next()
    await queue.enqueue(mail, 'ada')
    await stream.until(({ event, data }) => event === 'counts' && data.queued === 1)
    await queue.enqueue(mail, 'bob')
    expect((await stream.next())?.event).toBe('counts')
    await stream.leave()
  })
})

describe('many', () => {
  test('a hundred that come and go leave nothing, and cost one look', async () => {
    const { follow, queue, handler } = await openApi({ maxStreams: 100 })
    const { id } = await queue.enqueue(mail, 'ada')
    for (let round = 0; round < 3; round += 1) {
      const streams = await Promise.all(
        Array.from({ length: 100 }, (_, n) => follow(n % 2 === 0 ? '/events' : `/tasks/${id}/events`)),
      )
      expect((await Promise.all(streams.map(({ next }) => next()))).every((told) => told !== undefined)).toBe(
        true,
      )
      const refused = await handler(new Request('http://localhost/events'))
      expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
        503,
        'ERR_HTTP_STREAMS_TAKEN',
      ])
      await Promise.all(streams.map(({ leave }) => leave()))
    }
    const last = await follow('/events')
    await last.next()
    await last.leave()
  })

  test('all end when the handler is closed, whatever they wait for', async () => {
    const { follow, queue, handler } = await openApi()
    const { id } = await queue.enqueue(mail, 'ada')
    const streams = await Promise.all([follow('/events'), follow(`/tasks/${id}/events`), follow('/events')])
    await streams[1]?.next()
    await handler.close()
    for (const { until } of streams) await expect(until(() => false)).rejects.toThrow('ended')
  })
})
