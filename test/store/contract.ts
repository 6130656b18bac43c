/** What every store must do. Run against each engine; instants are the test's own. */
import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../src/actors/store/operations.ts'
import type { Store } from '../../src/actors/store/store.ts'
import type { NewTask } from '../../src/actors/store/task-record.ts'
import { NO_BOUNDS, type WaitBounds } from '../../src/machines/overdue.ts'
import {
  claim,
  claimed,
  closing,
  enqueue,
  FINISHED,
  newTask,
  one,
  put,
  ROOM,
  record,
  type StorePlace,
  settle,
} from './store-kit.ts'

const CALL = { name: 'next', version: 2, input: '[1]', options: null, description: 'd', metadata: '{"a":1}' }
const forking = (runAt: number, ...children: NewTask[]): Verdict => ({
  kind: 'fork',
  runAt,
  call: CALL,
  children,
  percent: { from: 0, to: 100 },
})
const FAILED: Verdict = { kind: 'failed', error: '{"message":"no"}', reason: 'threw' }

/** @param prepare - a fresh place per test; it cleans up by itself */
export function storeContract(engine: string, prepare: () => Promise<StorePlace>): void {
  const open = async (): Promise<Store> => closing((await prepare()).open())
  const openTwo = async (): Promise<[Store, Store]> => {
    const place = await prepare()
    return [await closing(place.open()), await closing(place.open())]
  }
  const idsOf = (tasks: readonly { id: string }[]): string[] => tasks.map(({ id }) => id)

  describe(`${engine}: enqueue`, () => {
    it('keeps all that was given, and says who made it and when', async () => {
      const store = await open()
      const task = newTask({
        ...CALL,
        options: '{"o":1}',
        key: 'k',
        priority: 'high',
        runAt: 7,
        schedule: 's',
      })
      expect(await one(store, enqueue(5, task))).toEqual({ items: [{ kind: 'stored', replaced: null }] })
      const { onConflict: _, ...kept } = task
      expect(await record(store, task.id)).toMatchObject({
        ...kept,
        state: 'pending',
        phase: 'new',
        attempt: 0,
        step: 0,
        lost: 0,
        holder: null,
        request: null,
        createdAt: 5,
        createdBy: 'web',
        startedAt: null,
        endedAt: null,
        result: null,
        error: null,
      })
    })

    it('refuses an id that is stored, and stores the others', async () => {
      const store = await open()
      const first = await put(store)
      const again = newTask({ id: first.id, name: 'other' })
      const other = newTask()
      const { items } = await one(store, enqueue(1, again, other))
      expect(items).toEqual([
        { kind: 'refused', code: 'ERR_RUN_ID_TAKEN' },
        { kind: 'stored', replaced: null },
      ])
      expect((await record(store, first.id)).name).toBe('work')
    })

    it('lets one live task have a key: keep, reject', async () => {
      const store = await open()
      const first = await put(store, { key: 'k' })
      const { items } = await one(
        store,
        enqueue(1, newTask({ key: 'k', onConflict: 'keep' }), newTask({ key: 'k', onConflict: 'reject' })),
      )
      expect(items).toEqual([
        { kind: 'kept', id: first.id },
        { kind: 'refused', code: 'ERR_TASK_KEY_TAKEN', id: first.id },
      ])
      const { tasks } = await claimed(store, 1)
      await settle(store, tasks[0]!, FINISHED)
      const next = newTask({ key: 'k' })
      expect((await one(store, enqueue(2, next))).items).toEqual([{ kind: 'stored', replaced: null }])
    })

    it('replaces a waiting task with the key at once', async () => {
      const store = await open()
      const first = await put(store, { key: 'k' })
      const next = newTask({ key: 'k', onConflict: 'replace' })
      expect((await one(store, enqueue(3, next))).items).toEqual([{ kind: 'stored', replaced: first.id }])
      expect(await record(store, first.id)).toMatchObject({
        state: 'terminated',
        reason: 'replaced',
        endedAt: 3,
      })
      expect(idsOf((await claimed(store, 4)).tasks)).toEqual([next.id])
    })

    it('keeps the order of what one commit stores, also where one of it replaces another one of it', async () => {
      const store = await open()
      const tasks = [
        newTask({ key: 'k' }),
        newTask({ key: 'k', onConflict: 'replace' }),
        newTask(),
        newTask({ key: 'k', onConflict: 'replace' }),
        newTask(),
      ]
      await one(store, enqueue(1, ...tasks))
      expect(idsOf((await claimed(store, 2)).tasks)).toEqual(tasks.slice(2).map(({ id }) => id))
      const { items } = await store.list({}, { limit: 9, order: 'oldest' }, 3)
      expect(idsOf(items)).toEqual(idsOf(tasks))
    })

    it('replaces a running task with the key: its holder has to end it, and it never waits again', async () => {
      const store = await open()
      const first = await put(store, { key: 'k' })
      const [lease] = (await claimed(store, 1)).tasks
      const next = newTask({ key: 'k', onConflict: 'replace' })
      expect((await one(store, enqueue(3, next))).items).toEqual([{ kind: 'stored', replaced: first.id }])
      const { tasks, asked } = await claimed(store, 4)
      expect(idsOf(tasks)).toEqual([next.id])
      expect(asked).toMatchObject([{ id: first.id, fence: lease!.fence, request: { replaced: true, at: 3 } }])
      const retry: Verdict = { kind: 'retry', runAt: 9, error: '"e"' }
      expect(await settle(store, lease!, retry)).toEqual({ kind: 'settled', state: 'terminated' })
      expect(await record(store, first.id)).toMatchObject({
        state: 'terminated',
        reason: 'replaced',
        error: '"e"',
      })
    })
  })

  describe(`${engine}: claim`, () => {
    it('takes the highest band first, and inside of it what is due longest, then what was stored first', async () => {
      const store = await open()
      const low = await put(store, { priority: 'low', runAt: 1 })
      const late = await put(store, { runAt: 5 })
      const early = await put(store, { runAt: 2 })
      const early2 = await put(store, { runAt: 2 })
      const critical = await put(store, { priority: 'critical', runAt: 5 })
      const notDue = await put(store, { priority: 'high', runAt: 6 })
      const answer = await claimed(store, 5)
      expect(idsOf(answer.tasks)).toEqual([critical.id, early.id, early2.id, late.id, low.id])
      expect(answer.nextAt).toBe(6)
      expect(answer.tasks[0]).toMatchObject({
        priority: 'critical',
        attempt: 1,
        fence: 1,
        input: critical.input,
      })
      expect(await record(store, late.id)).toMatchObject({
        state: 'running',
        phase: 'held',
        holder: 'daemon',
        startedAt: 5,
        leaseUntil: 10_005,
      })
      expect(idsOf((await claimed(store, 6)).tasks)).toEqual([notDue.id])
      expect(await claimed(store, 7)).toEqual({
        tasks: [],
        asked: [],
        nextAt: null,
        scheduleAt: null,
        overdueAt: null,
      })
    })

    it('takes no more of a band than there is room for, the higher ones counted', async () => {
      const store = await open()
      for (const priority of ['low', 'normal', 'high', 'critical'] as const) {
        for (let count = 0; count < 4; count += 1) await put(store, { priority })
      }
      const room = { critical: Number.POSITIVE_INFINITY, high: 6, normal: 7, low: 5 }
      const { tasks } = await claimed(store, 1, { room })
      expect(tasks.map(({ priority }) => priority)).toEqual([
        ...Array(4).fill('critical'),
        ...Array(2).fill('high'),
        'normal',
      ])
      expect((await claimed(store, 1, { limit: 2 })).tasks).toHaveLength(2)
      expect((await claimed(store, 1, { room: { critical: 0, high: 0, normal: 0, low: 0 } })).tasks).toEqual(
        [],
      )
    })

    it('leaves tasks of other definitions alone, however many wait', async () => {
      const store = await open()
      await one(store, enqueue(0, ...Array.from({ length: 400 }, () => newTask({ name: 'foreign' }))))
      const own = await put(store, { name: 'own' })
      const own2 = await put(store, { name: 'own2' })
      const { tasks } = await claimed(store, 1, { names: ['own2', 'own'], limit: 3 })
      expect(idsOf(tasks)).toEqual([own.id, own2.id])
      expect((await claimed(store, 1, { names: ['own'] })).tasks).toEqual([])
      expect((await claimed(store, 1, { names: ['foreign'], limit: 500 })).tasks).toHaveLength(400)
    })

    it('takes what is not excepted', async () => {
      const store = await open()
      await put(store, { name: 'known' })
      const strange = await put(store, { name: 'strange' })
      const { tasks } = await claimed(store, 1, { except: ['known', 'other'] })
      expect(idsOf(tasks)).toEqual([strange.id])
      expect((await claimed(store, 1)).tasks).toHaveLength(1)
    })

    it('takes only the tasks that are named by their ids, if they are due', async () => {
      const store = await open()
      await put(store)
      const [wanted, later] = [
        await put(store, { priority: 'low', name: 'own' }),
        await put(store, { runAt: 9 }),
      ]
      const ids = [later.id, wanted.id, wanted.id, 'nobody']
      expect((await claimed(store, 1, { ids, names: ['foreign'] })).tasks).toEqual([])
      expect((await claimed(store, 1, { ids, except: ['own'] })).tasks).toEqual([])
      expect(idsOf((await claimed(store, 1, { ids })).tasks)).toEqual([wanted.id])
      expect(idsOf((await claimed(store, 9, { ids })).tasks)).toEqual([later.id])
      expect((await claimed(store, 9, { ids: [] })).tasks).toEqual([])
      expect((await claimed(store, 9)).tasks).toHaveLength(1)
    })

    it('gives a task to one of two, and never twice', async () => {
      const [a, b] = await openTwo()
      await one(a, enqueue(0, ...Array.from({ length: 200 }, () => newTask())))
      const taken: string[] = []
      const drain = async (store: Store, holder: string): Promise<void> => {
        for (;;) {
          const { tasks } = await claimed(store, 1, { holder, limit: 7 })
          if (tasks.length === 0) return
          taken.push(...idsOf(tasks))
        }
      }
      await Promise.all([drain(a, 'a'), drain(b, 'b')])
      expect(taken).toHaveLength(200)
      expect(new Set(taken).size).toBe(200)
    })
  })

  describe(`${engine}: lease`, () => {
    it('is renewed by who holds the fence only', async () => {
      const store = await open()
      await put(store)
      const [lease] = (await claimed(store, 1)).tasks
      const { id, fence } = lease!
      const leases = [
        { id, fence },
        { id, fence: fence + 1 },
        { id: 'nobody', fence: 1 },
      ]
      const { items } = await one(store, { type: 'renew', at: 2, leaseUntil: 50, leases })
      expect(items).toEqual([{ kind: 'kept', request: null }, { kind: 'lost' }, { kind: 'lost' }])
      expect((await record(store, id)).leaseUntil).toBe(50)
    })

    it('is not taken back once it is renewed, whatever kind of object bears it', async () => {
      const [holder, other] = await openTwo()
      const task = await put(holder)
      const [lease] = (await claimed(holder, 1, { holder: 'a', leaseUntil: 10 })).tasks
      // A daemon gives what it holds, which bears much besides a lease.
      class Held {
        readonly self = this
        get id(): string {
          return lease!.id
        }
        get fence(): number {
          return lease!.fence
        }
      }
      const renew = { type: 'renew', leases: [new Held()] } as const
      const reclaim = { type: 'reclaim', by: 'b', lostLimit: 5, limit: 100 } as const
      for (const at of [9, 18, 27]) {
        expect((await one(holder, { ...renew, at, leaseUntil: at + 10 })).items).toEqual([
          { kind: 'kept', request: null },
        ])
        expect((await one(other, { ...reclaim, at: at + 9 })).tasks).toEqual([])
      }
      expect(await record(other, task.id)).toMatchObject({
        state: 'running',
        holder: 'a',
        attempt: 1,
        lost: 0,
      })
      expect(await settle(holder, lease!, FINISHED)).toEqual({ kind: 'settled', state: 'finished' })
    })

    it('is taken back of one task alone where that is asked for', async () => {
      const [store] = await openTwo()
      const tasks = [await put(store), await put(store)] as const
      await claimed(store, 1, { holder: 'a', leaseUntil: 10 })
      const reclaim = { type: 'reclaim', by: 'b', lostLimit: 5, limit: 100, id: tasks[1].id } as const
      expect((await one(store, { ...reclaim, at: 9 })).tasks).toEqual([])
      expect((await one(store, { ...reclaim, at: 10 })).tasks).toMatchObject([{ id: tasks[1].id }])
      expect((await record(store, tasks[0].id)).state).toBe('running')
    })

    it('is taken back when it is over, and what its old holder says later changes nothing', async () => {
      const [a, b] = await openTwo()
      const task = await put(a)
      const [old] = (await claimed(a, 1, { holder: 'a', leaseUntil: 10 })).tasks
      const reclaim = { type: 'reclaim', by: 'b', lostLimit: 5, limit: 100 } as const
      expect((await one(b, { ...reclaim, at: 9 })).tasks).toEqual([])
      expect((await one(b, { ...reclaim, at: 10 })).tasks).toEqual([
        { id: task.id, name: 'work', holder: 'a', schedule: null, state: 'pending' },
      ])
      const verdicts: Verdict[] = [
        FINISHED,
        FAILED,
        { kind: 'cancelled', error: null, reason: null },
        { kind: 'terminated', error: null, reason: 'stop' },
        { kind: 'retry', runAt: 5, error: null },
        { kind: 'snooze', runAt: 5 },
        { kind: 'step', runAt: 5, call: CALL },
        forking(5, newTask()),
        { kind: 'returned' },
      ]
      const before = await record(a, task.id)
      for (const verdict of verdicts) expect(await settle(a, old!, verdict)).toEqual({ kind: 'lost' })
      expect(await record(a, task.id)).toEqual(before)
      const [next] = (await claimed(b, 11, { holder: 'b' })).tasks
      expect(next).toMatchObject({ id: task.id, attempt: 2, lost: 1 })
      expect(next!.fence).toBeGreaterThan(old!.fence)
      const held = await record(a, task.id)
      for (const verdict of verdicts) expect(await settle(a, old!, verdict)).toEqual({ kind: 'lost' })
      const report = { id: old!.id, fence: old!.fence, percent: 50, note: null }
      expect(await one(a, { type: 'progress', at: 12, reports: [report] })).toEqual({
        items: [{ kind: 'lost' }],
      })
      expect(await record(a, task.id)).toEqual(held)
      expect(await settle(b, next!, FINISHED)).toEqual({ kind: 'settled', state: 'finished' })
    })

    it('is not taken back twice too often: the task is terminated as awol', async () => {
      const store = await open()
      const task = await put(store)
      for (const at of [1, 20]) {
        await claimed(store, at, { leaseUntil: at + 5 })
        await one(store, { type: 'reclaim', at: at + 5, by: 'd', lostLimit: 1, limit: 10 })
      }
      expect(await record(store, task.id)).toMatchObject({ state: 'terminated', reason: 'awol', attempt: 2 })
      expect(await store.log(task.id)).toMatchObject([
        { act: 'created' },
        { act: 'started', at: 1, by: 'daemon' },
        { act: 'leaseLost', at: 6, by: 'd' },
        { act: 'started', at: 20, by: 'daemon' },
        { act: 'leaseLost', at: 25 },
        { act: 'terminated', at: 25, by: 'd', detail: 'awol' },
      ])
    })

    it('is taken back so many at a time', async () => {
      const store = await open()
      for (let count = 0; count < 5; count += 1) await put(store)
      await claimed(store, 1, { leaseUntil: 2 })
      const reclaim = { type: 'reclaim', at: 3, by: 'd', lostLimit: 9, limit: 3 } as const
      expect((await one(store, reclaim)).tasks).toHaveLength(3)
      expect((await one(store, reclaim)).tasks).toHaveLength(2)
    })
  })

  describe(`${engine}: overdue`, () => {
    const end = (store: Store, at: number, limit = 100) =>
      one(store, { type: 'overdue', at, by: 'keeper', limit })
    const bounds = (given: Partial<WaitBounds>): { bounds: WaitBounds } => ({
      bounds: { ...NO_BOUNDS, ...given },
    })

    it('ends what has waited for too long, by what bounds it, and says who and when', async () => {
      const store = await open()
      const waited = await put(store, { runAt: 50, ...bounds({ queueTimeoutMs: 20 }) }, 10)
      const far = await put(store, { runAt: 1e6, ...bounds({ deadlineMs: 40 }) }, 10)
      const expired = await put(store, { ...bounds({ expiresAt: 60 }) }, 10)
      const never = await put(store, {}, 10)
      const later = await put(store, { ...bounds({ deadlineMs: 1e6 }) }, 10)
      expect((await claimed(store, 10, { limit: 0 })).overdueAt).toBe(50)
      expect(await end(store, 49)).toEqual({ tasks: [], nextAt: 50 })
      expect(await end(store, 70)).toEqual({
        tasks: [
          { id: far.id, name: 'work', state: 'terminated', reason: 'deadline' },
          { id: expired.id, name: 'work', state: 'failed', reason: 'expired' },
          { id: waited.id, name: 'work', state: 'terminated', reason: 'queueTimeout' },
        ],
        nextAt: 1e6 + 10,
      })
      expect(await record(store, waited.id)).toMatchObject({
        state: 'terminated',
        phase: null,
        reason: 'queueTimeout',
        attempt: 0,
        endedAt: 70,
        endedBy: 'keeper',
        holder: null,
        startedAt: null,
        error: null,
      })
      expect(await store.log(expired.id)).toEqual([
        { at: 10, by: 'web', act: 'created', detail: null },
        { at: 70, by: 'keeper', act: 'failed', detail: 'expired' },
      ])
      const { tasks, overdueAt } = await claimed(store, 70)
      expect([idsOf(tasks), overdueAt]).toEqual([[never.id, later.id], null])
      expect(await store.check()).toMatchObject({ ok: true })
    })

    it('ends so many at a time, those that are overdue for longest first', async () => {
      const store = await open()
      const ids: string[] = []
      for (const deadlineMs of [30, 10, 20]) ids.push((await put(store, bounds({ deadlineMs }))).id)
      const ended = async (): Promise<string[]> => idsOf((await end(store, 100, 2)).tasks)
      expect(await ended()).toEqual([ids[1], ids[2]])
      expect(await ended()).toEqual([ids[0]])
      expect(await ended()).toEqual([])
    })

    it('leaves what runs to its holder, and counts anew when it waits again', async () => {
      const store = await open()
      const { id } = await put(store, bounds({ queueTimeoutMs: 10, expiresAt: 50 }))
      const [first] = (await claimed(store, 5)).tasks
      expect(await end(store, 100)).toEqual({ tasks: [], nextAt: null })
      // Nobody has begun it, so it may still expire; its place in the queue is the old one.
      await settle(store, first!, { kind: 'returned' }, 6)
      expect((await claimed(store, 6, { limit: 0 })).overdueAt).toBe(10)
      const [again] = (await claimed(store, 7)).tasks
      await settle(store, again!, { kind: 'retry', runAt: 200, error: '"e"' }, 8)
      expect(await end(store, 209)).toEqual({ tasks: [], nextAt: 210 })
      expect((await end(store, 210)).tasks).toMatchObject([{ id, reason: 'queueTimeout' }])
      expect(await record(store, id)).toMatchObject({ attempt: 1, error: '"e"', endedBy: 'keeper' })
      const acts = (await store.log(id)).map(({ act, by }) => `${by} ${act}`)
      expect(acts.filter((act) => act === 'daemon started')).toHaveLength(2)
      expect(acts.at(-1)).toBe('keeper terminated')
    })

    it('goes with the bounds of the step that is due, and with what was moved', async () => {
      const store = await open()
      await put(store, bounds({ expiresAt: 50, deadlineMs: 60 }))
      const [lease] = (await claimed(store, 1)).tasks
      const call = { ...CALL, ...bounds({ queueTimeoutMs: 30, expiresAt: 20 }) }
      await settle(store, lease!, { kind: 'step', runAt: 10, call }, 10)
      expect((await end(store, 39)).nextAt).toBe(40)
      await one(store, { type: 'move', ids: [lease!.id], runAt: 100, at: 39, by: 'me' })
      expect((await end(store, 129)).nextAt).toBe(130)
      await settle(
        store,
        (await claimed(store, 129)).tasks[0]!,
        { kind: 'step', runAt: 130, call: CALL },
        130,
      )
      expect(await end(store, 1e6)).toEqual({ tasks: [], nextAt: null })
    })

    it('frees the key, and can be undone by a person', async () => {
      const store = await open()
      const { id } = await put(store, { key: 'k', ...bounds({ queueTimeoutMs: 10 }) })
      await end(store, 10)
      const other = newTask({ key: 'k' })
      expect(await one(store, enqueue(11, other))).toMatchObject({ items: [{ kind: 'stored' }] })
      await one(store, { type: 'cancel', ids: [other.id], reason: null, at: 12, by: 'me' })
      await one(store, { type: 'retry', ids: [id], runAt: 50, at: 50, by: 'me' })
      expect(await record(store, id)).toMatchObject({ state: 'pending', endedBy: null, reason: null })
      expect((await end(store, 59)).nextAt).toBe(60)
      expect(await store.log(id)).toEqual([
        { at: 0, by: 'web', act: 'created', detail: null },
        { at: 10, by: 'keeper', act: 'terminated', detail: null },
        { at: 50, by: 'me', act: 'retried', detail: null },
      ])
    })

    it('has a parent go on when the last of its children is overdue', async () => {
      const [store, other] = await openTwo()
      const { id } = await put(store)
      const children = [
        newTask(bounds({ deadlineMs: 20 })),
        newTask({ runAt: 10, ...bounds({ queueTimeoutMs: 30 }) }),
      ]
      await settle(store, (await claimed(store, 1)).tasks[0]!, forking(10, ...children), 10)
      expect(await end(store, 29)).toMatchObject({ tasks: [], nextAt: 30 })
      await end(store, 30)
      expect((await record(store, id)).state).toBe('forked')
      const woken = Promise.withResolvers<void>()
      const unlisten = other.wake('work', () => woken.resolve())
      await end(store, 40)
      await woken.promise
      unlisten()
      expect(await record(store, id)).toMatchObject({ state: 'pending', phase: 'step', runAt: 40 })
    })

    it('has a schedule looked at whose run is overdue', async () => {
      const store = await open()
      await one(store, {
        type: 'schedule',
        at: 0,
        by: 'me',
        schedules: [{ name: 's', rule: '{}', call: '{}', nextAt: 5 }],
      })
      const task = newTask({ schedule: 's', ...bounds({ queueTimeoutMs: 10 }) })
      const seen = { nextAt: 5, owed: null, runId: null }
      const plan = { nextAt: null, owed: null, lookAt: null }
      await one(store, { type: 'occur', at: 5, by: 'd', name: 's', seen, task, plan })
      expect((await store.schedules())[0]).toMatchObject({ runId: task.id, lookAt: null })
      await end(store, 15)
      expect((await store.schedules())[0]).toMatchObject({ runId: null, endedAt: 15, lookAt: 15 })
      expect((await claimed(store, 15)).scheduleAt).toBe(15)
    })

    it('is ended by one of many, once', async () => {
      const [first, second] = await openTwo()
      for (let count = 0; count < 50; count += 1) await put(first, bounds({ deadlineMs: count }))
      const [a, b] = await Promise.all([end(first, 100), end(second, 100)])
      expect(idsOf([...a.tasks, ...b.tasks]).length).toBe(50)
      expect(new Set(idsOf([...a.tasks, ...b.tasks])).size).toBe(50)
    })
  })

  describe(`${engine}: settle`, () => {
    const run = async (store: Store, given = {}): Promise<{ id: string; fence: number }> => {
      const task = await put(store, given)
      const { tasks } = await claimed(store, 1)
      return tasks.find(({ id }) => id === task.id)!
    }

    it.each<[Verdict, object]>([
      [
        { kind: 'finished', result: '{"a":[1]}', reason: null },
        { result: '{"a":[1]}', error: null, reason: null },
      ],
      [
        { kind: 'finished', result: null, reason: 'nothing to do' },
        { result: null, reason: 'nothing to do' },
      ],
      [FAILED, { error: '{"message":"no"}', reason: 'threw' }],
      [{ kind: 'cancelled', error: null, reason: 'enough' }, { reason: 'enough' }],
      [{ kind: 'terminated', error: null, reason: 'deadline' }, { reason: 'deadline' }],
    ])('ends it: %o', async (verdict, expected) => {
      const store = await open()
      const lease = await run(store)
      const state = verdict.kind as 'finished'
      expect(await settle(store, lease, verdict, 9)).toEqual({ kind: 'settled', state })
      const after = await record(store, lease.id)
      expect(after).toMatchObject({
        state,
        phase: null,
        endedAt: 9,
        leaseUntil: null,
        holder: 'daemon',
        ...expected,
      })
      expect(await settle(store, lease, FINISHED, 10)).toEqual({ kind: 'lost' })
      expect(await record(store, lease.id)).toEqual(after)
    })

    it('makes it wait for another attempt, which counts', async () => {
      const store = await open()
      const lease = await run(store)
      expect(await settle(store, lease, { kind: 'retry', runAt: 50, error: '"e"' }, 9)).toEqual({
        kind: 'settled',
        state: 'pending',
      })
      expect(await record(store, lease.id)).toMatchObject({
        phase: 'retry',
        runAt: 50,
        attempt: 1,
        error: '"e"',
      })
      expect((await claimed(store, 49)).tasks).toEqual([])
      expect((await claimed(store, 50)).tasks).toMatchObject([{ id: lease.id, attempt: 2 }])
    })

    it('gives it the options that come with the verdict, if it may run once more and the word still counts', async () => {
      const store = await open()
      const again: Verdict[] = [
        FAILED,
        { kind: 'cancelled', error: null, reason: null },
        { kind: 'terminated', error: null, reason: 'runTimeout' },
        { kind: 'retry', runAt: 50, error: null },
        { kind: 'snooze', runAt: 50 },
        { kind: 'returned' },
      ]
      for (const verdict of again) {
        const lease = await run(store, { options: '{"o":1}' })
        const late = { ...lease, fence: lease.fence + 1 }
        await settle(store, late, { ...verdict, options: '{"o":3}' } as Verdict)
        expect((await record(store, lease.id)).options).toBe('{"o":1}')
        await settle(store, lease, { ...verdict, options: '{"o":2}' } as Verdict)
        expect([verdict.kind, (await record(store, lease.id)).options]).toEqual([verdict.kind, '{"o":2}'])
        await one(store, { type: 'cancel', ids: [lease.id], at: 100, by: 'ann', reason: null })
      }
    })

    it('makes it wait without using an attempt: snoozed, or handed back', async () => {
      const store = await open()
      const lease = await run(store, { runAt: 1 })
      await settle(store, lease, { kind: 'snooze', runAt: 50 })
      expect(await record(store, lease.id)).toMatchObject({ phase: 'snooze', runAt: 50, attempt: 0 })
      const [again] = (await claimed(store, 50)).tasks
      expect(again).toMatchObject({ attempt: 1 })
      await settle(store, again!, { kind: 'returned' })
      expect(await record(store, lease.id)).toMatchObject({
        phase: 'returned',
        runAt: 50,
        attempt: 0,
        leaseUntil: null,
      })
      expect((await claimed(store, 50)).tasks).toMatchObject([{ id: lease.id, attempt: 1 }])
    })

    it('gives a returned task its old place in the queue', async () => {
      const store = await open()
      const first = await run(store, { runAt: 1 })
      const second = await put(store, { runAt: 2 })
      await settle(store, first, { kind: 'returned' })
      expect(idsOf((await claimed(store, 9)).tasks)).toEqual([first.id, second.id])
    })

    it('goes on with the next step under the same id, its attempts from one, at the tail of its band', async () => {
      const store = await open()
      const lease = await run(store, { key: 'k', runAt: 1 })
      const other = await put(store, { runAt: 5 })
      await settle(store, lease, { kind: 'step', runAt: 9, call: CALL })
      expect(await record(store, lease.id)).toMatchObject({
        ...CALL,
        phase: 'step',
        attempt: 0,
        step: 1,
        key: 'k',
      })
      const { tasks } = await claimed(store, 9)
      expect(idsOf(tasks)).toEqual([other.id, lease.id])
      expect(tasks[1]).toMatchObject({ ...CALL, attempt: 1, step: 1 })
    })

    it('hands the calls that come after a step out one at a time, and those of a step before them', async () => {
      const store = await open()
      const { id } = await put(store, { after: ['"b"', '"c"'] })
      const next = async (): Promise<unknown> => (await claimed(store, 9)).tasks[0]?.next
      const step = async (given: object): Promise<void> => {
        const { fence } = await record(store, id)
        await settle(store, { id, fence }, { kind: 'step', runAt: 9, call: CALL, ...given })
      }
      expect(await next()).toBe('"b"')
      await step({ call: { ...CALL, after: ['"x"', '"y"'] } })
      expect(await next()).toBe('"x"')
      await step({ isNext: true })
      await step({ isNext: true })
      expect(await next()).toBe('"y"')
      await step({ isNext: true, call: { ...CALL, after: ['"z"'] } })
      for (const left of ['"z"', '"b"', '"c"', null]) {
        expect(await next()).toBe(left)
        await step({ isNext: true })
      }
      expect(await next()).toBeNull()
    })

    it('keeps the calls that come after one that failed or was to end, for a retry', async () => {
      const store = await open()
      const lease = await run(store, { after: ['"b"', '"c"'] })
      expect(lease).toMatchObject({ next: '"b"' })
      await settle(store, lease, FAILED)
      await one(store, { type: 'retry', ids: [lease.id], at: 5, by: 'ann', runAt: 5 })
      const [again] = (await claimed(store, 5)).tasks
      expect(again).toMatchObject({ next: '"b"' })
      await one(store, { type: 'cancel', ids: [lease.id], at: 6, by: 'ann', reason: null })
      await settle(store, again!, { kind: 'step', runAt: 7, call: CALL, isNext: true })
      expect((await record(store, lease.id)).state).toBe('cancelled')
      await one(store, { type: 'retry', ids: [lease.id], at: 8, by: 'ann', runAt: 8 })
      expect((await claimed(store, 8)).tasks).toMatchObject([{ next: '"b"', step: 0 }])
    })

    it('forgets the calls that come after a task with the task', async () => {
      const store = await open()
      for (const after of [['"a"', '"b"'], ['"c"']]) {
        const { id } = await put(store, { after })
        expect((await claimed(store, 1)).tasks).toMatchObject([{ id, next: after[0] }])
        await one(store, { type: 'cancel', ids: [id], at: 2, by: 'ann', reason: null })
        await settle(store, await record(store, id), { kind: 'cancelled', error: null, reason: null })
        await one(store, { type: 'remove', at: 3, ids: [id] })
      }
      const { id } = await put(store)
      expect((await claimed(store, 4)).tasks).toMatchObject([{ id, next: null }])
    })

    it('gives a step the band that it is to have, and another one the band back', async () => {
      const store = await open()
      const lease = await run(store, { priority: 'normal' })
      await settle(store, lease, { kind: 'step', runAt: 9, call: { ...CALL, priority: 'critical' } })
      const before = await put(store, { runAt: 1, priority: 'high' })
      const { tasks } = await claimed(store, 9, { limit: 1 })
      expect(tasks).toMatchObject([{ id: lease.id, priority: 'critical' }])
      await settle(store, tasks[0]!, { kind: 'step', runAt: 9, call: { ...CALL, priority: 'normal' } })
      expect((await claimed(store, 9)).tasks).toMatchObject([
        { id: before.id, priority: 'high' },
        { id: lease.id, priority: 'normal' },
      ])
    })

    it('tells of each start, whoever held it, however the attempt ended', async () => {
      const store = await open()
      const { id } = await put(store)
      const start = async (at: number, holder: string): Promise<{ id: string; fence: number }> =>
        (await claimed(store, at, { holder, leaseUntil: at + 4 })).tasks[0]!
      await settle(store, await start(1, 'a'), { kind: 'retry', runAt: 10, error: '"e"' }, 1)
      await settle(store, await start(10, 'a'), { kind: 'snooze', runAt: 20 }, 12)
      await settle(store, await start(20, 'b'), { kind: 'returned' }, 21)
      await start(30, 'c')
      await one(store, { type: 'reclaim', at: 34, by: 'd', lostLimit: 5, limit: 1 })
      await settle(store, await start(40, 'b'), { kind: 'step', runAt: 50, call: CALL }, 41)
      await settle(store, await start(50, 'e'), FAILED, 51)
      await one(store, { type: 'retry', ids: [id], at: 60, by: 'ann', runAt: 60 })
      const last = await start(60, 'e')
      await one(store, { type: 'cancel', ids: [id], at: 61, by: 'ann', reason: null })
      await settle(store, last, { kind: 'snooze', runAt: 70 }, 62)
      const told = (await store.log(id)).map(({ at, by, act }) => `${at} ${by} ${act}`)
      expect(told).toEqual([
        ...['0 web created', '1 a started', '1 daemon attemptFailed', '10 a started', '12 daemon snoozed'],
        ...['20 b started', '21 daemon returned', '30 c started', '34 d leaseLost', '40 b started'],
        ...['41 daemon stepped', '50 e started', '51 e failed', '60 ann retried', '60 e started'],
        ...['61 ann cancelAsked', '62 daemon snoozed', '62 ann cancelled'],
      ])
      await one(store, { type: 'retry', ids: [id], at: 70, by: 'ann', runAt: 70 })
      expect((await store.log(id)).filter(({ act, at }) => act === 'started' && at === 60)).toHaveLength(1)
    })

    it('keeps the log of an endless trampoline bounded', async () => {
      const store = await open()
      const lease = await run(store)
      let fence = lease.fence
      for (let step = 0; step < 300; step += 1) {
        await settle(store, { id: lease.id, fence }, { kind: 'step', runAt: 1, call: CALL })
        fence = (await claimed(store, 1)).tasks[0]!.fence
      }
      expect((await record(store, lease.id)).step).toBe(300)
      expect((await store.log(lease.id)).length).toBeLessThan(110)
    })

    it('notes progress', async () => {
      const store = await open()
      const { id, fence } = await run(store)
      const report = (percent: number | null, note: string | null) =>
        one(store, { type: 'progress', at: 5, reports: [{ id, fence, percent, note }] })
      expect(await report(12.5, 'half')).toEqual({ items: [{ kind: 'done' }] })
      await report(30, null)
      expect(await record(store, id)).toMatchObject({ percent: 30, note: 'half' })
      await settle(store, { id, fence }, { kind: 'snooze', runAt: 5 })
      await claimed(store, 5)
      expect(await record(store, id)).toMatchObject({ percent: null, note: null })
    })
  })

  describe(`${engine}: children`, () => {
    /** A running parent that has made children. */
    const forked = async (store: Store, children: NewTask[], given = {}): Promise<NewTask> => {
      const parent = await put(store, given)
      const [lease] = (await claimed(store, 1)).tasks
      expect(await settle(store, lease!, forking(1, ...children), 2)).toEqual({
        kind: 'settled',
        state: 'forked',
      })
      return parent
    }
    const children = (count: number, given = {}): NewTask[] =>
      Array.from({ length: count }, () => newTask({ runAt: 2, ...given }))
    const retry = (store: Store, at: number, ...ids: string[]) =>
      one(store, { type: 'retry', at, by: 'ann', runAt: at, ids }).then(({ items }) => items)
    const cancel = (store: Store, at: number, ...ids: string[]) =>
      one(store, { type: 'cancel', at, by: 'ann', reason: 'enough', ids }).then(({ items }) => items)

    it('are tasks of their own; their parent is held by nobody and due with its next step after the last of them', async () => {
      const store = await open()
      const [a, b] = children(2, { priority: 'high', metadata: '{"c":1}' })
      const parent = await forked(store, [a!, b!], { key: 'k' })
      expect(await record(store, parent.id)).toMatchObject({
        ...CALL,
        state: 'forked',
        phase: null,
        step: 1,
        attempt: 0,
        leaseUntil: null,
        key: 'k',
        parent: null,
        endedAt: null,
      })
      const { onConflict: _, ...kept } = a!
      expect(await record(store, a!.id)).toMatchObject({
        ...kept,
        state: 'pending',
        phase: 'new',
        parent: parent.id,
        createdAt: 2,
        createdBy: 'daemon',
      })
      expect((await store.log(parent.id)).map(({ act, detail }) => [act, detail])).toContainEqual([
        'forked',
        '2',
      ])
      const { tasks } = await claimed(store, 3)
      expect(idsOf(tasks)).toEqual([a!.id, b!.id])
      const said = await one(store, {
        type: 'settle',
        at: 5,
        by: 'd',
        settlements: [{ ...tasks[0]!, verdict: FINISHED }],
      })
      expect(said.joined).toBe(false)
      expect(await claimed(store, 6)).toMatchObject({ tasks: [], nextAt: null })
      const last = await one(store, {
        type: 'settle',
        at: 7,
        by: 'd',
        settlements: [{ ...tasks[1]!, verdict: FAILED }],
      })
      expect(last.joined).toBe(true)
      expect(await record(store, parent.id)).toMatchObject({ state: 'pending', phase: 'step', runAt: 7 })
      expect((await claimed(store, 7)).tasks).toMatchObject([{ id: parent.id, ...CALL, attempt: 1, step: 1 }])
    })

    it.each<[string, (store: Store, id: string) => Promise<unknown>]>([
      ['cancelled', (store, id) => cancel(store, 9, id)],
      ['removed', (store, id) => one(store, { type: 'remove', at: 9, ids: [id] })],
      [
        'lost',
        async (store) => {
          await claimed(store, 3, { leaseUntil: 4 })
          await one(store, { type: 'reclaim', at: 9, by: 'd', lostLimit: 0, limit: 9 })
        },
      ],
      [
        'terminated',
        async (store) => {
          const [lease] = (await claimed(store, 3)).tasks
          await settle(store, lease!, { kind: 'terminated', error: null, reason: 'deadline' }, 9)
        },
      ],
      [
        'asked and ended',
        async (store, id) => {
          const [lease] = (await claimed(store, 3)).tasks
          await cancel(store, 5, id)
          await settle(store, lease!, { kind: 'retry', runAt: 50, error: null }, 9)
        },
      ],
    ])('count however they end: %s', async (_, end) => {
      const store = await open()
      const [child] = children(1)
      const parent = await forked(store, [child!])
      await end(store, child!.id)
      expect(await record(store, parent.id)).toMatchObject({ state: 'pending', phase: 'step', runAt: 9 })
    })

    it('that do not exist make nobody wait', async () => {
      const store = await open()
      const parent = await put(store)
      const [lease] = (await claimed(store, 1)).tasks
      expect(await settle(store, lease!, forking(8))).toEqual({ kind: 'settled', state: 'pending' })
      expect(await record(store, parent.id)).toMatchObject({ phase: 'step', runAt: 8, step: 1, percent: 100 })
    })

    it('that cannot be stored leave their parent as it was', async () => {
      const store = await open()
      const taken = await put(store, { runAt: 1e6 })
      await put(store)
      const [lease] = (await claimed(store, 1)).tasks
      const other = newTask()
      await expect(settle(store, lease!, forking(1, other, newTask({ id: taken.id })))).rejects.toThrow()
      expect(await record(store, lease!.id)).toMatchObject({ state: 'running', phase: 'held', step: 0 })
      expect(await store.get([other.id])).toEqual([undefined])
    })

    it('end at once with a parent that waits for them, those that run by their holders; theirs, too', async () => {
      const [store, web] = await openTwo()
      const [waiting, running, above] = children(3)
      const parent = await forked(store, [waiting!, running!, above!])
      const held = (await claimed(store, 3)).tasks
      const leaseOf = (id: string) => held.find((task) => task.id === id)!
      await settle(store, leaseOf(waiting!.id), { kind: 'retry', runAt: 99, error: null })
      const [below] = children(1)
      await settle(store, leaseOf(above!.id), forking(4, below!))
      expect(await cancel(web, 9, parent.id)).toEqual([{ kind: 'cancelled' }])
      for (const { id } of [parent, waiting!, above!, below!])
        expect(await record(store, id)).toMatchObject({ state: 'cancelled', reason: 'enough', endedAt: 9 })
      expect((await claimed(store, 10)).asked).toMatchObject([{ id: running!.id, request: { by: 'ann' } }])
      await settle(store, leaseOf(running!.id), { kind: 'cancelled', error: null, reason: null })
      expect(await record(store, parent.id)).toMatchObject({ state: 'cancelled', endedAt: 9 })
    })

    it('are cancelled when another task takes the key of their parent', async () => {
      const store = await open()
      const [child] = children(1)
      const parent = await forked(store, [child!], { key: 'k' })
      await put(store, { key: 'k', onConflict: 'replace' }, 5)
      expect(await record(store, parent.id)).toMatchObject({ state: 'terminated', reason: 'replaced' })
      expect(await record(store, child!.id)).toMatchObject({ state: 'cancelled', reason: 'replaced' })
    })

    it('are retried with their parent unless they have finished, and it waits for them again', async () => {
      const store = await open()
      const [good, bad] = children(2)
      const parent = await forked(store, [good!, bad!])
      const held = (await claimed(store, 3)).tasks
      await settle(store, held[0]!, FINISHED)
      await settle(store, held[1]!, FAILED)
      await settle(store, (await claimed(store, 200)).tasks[0]!, FAILED, 201)
      expect((await record(store, parent.id)).state).toBe('failed')
      expect(await retry(store, 300, parent.id)).toEqual([{ kind: 'done' }])
      expect(await record(store, parent.id)).toMatchObject({ state: 'forked', attempt: 0, endedAt: null })
      const { tasks } = await claimed(store, 300)
      expect(idsOf(tasks)).toEqual([bad!.id])
      await settle(store, tasks[0]!, FINISHED, 301)
      expect(await record(store, parent.id)).toMatchObject({ state: 'pending', phase: 'step', runAt: 301 })
      // When all have finished, it is only its own step that is made again.
      await settle(store, (await claimed(store, 302)).tasks[0]!, FAILED, 303)
      await retry(store, 304, parent.id)
      expect(await record(store, parent.id)).toMatchObject({ state: 'pending', phase: 'new', runAt: 304 })
    })

    it('that are retried by themselves are waited for, too', async () => {
      const store = await open()
      const [a, b] = children(2)
      const parent = await forked(store, [a!, b!])
      const held = (await claimed(store, 3)).tasks
      await settle(store, held[0]!, FAILED)
      await retry(store, 5, a!.id)
      await settle(store, held[1]!, FINISHED)
      expect((await record(store, parent.id)).state).toBe('forked')
      await settle(store, (await claimed(store, 6)).tasks[0]!, FINISHED, 7)
      expect(await record(store, parent.id)).toMatchObject({ state: 'pending', runAt: 7 })
    })

    it('have calls of their own that come after them, and leave those of their parent where they are', async () => {
      const store = await open()
      const [a] = children(1)
      const parent = await put(store, { after: ['"p"'] })
      const [lease] = (await claimed(store, 1)).tasks
      await settle(store, lease!, forking(1, { ...a!, after: ['"x"', '"y"'] }))
      const [child] = (await claimed(store, 3)).tasks
      expect(child).toMatchObject({ id: a!.id, next: '"x"' })
      await settle(store, child!, FINISHED)
      expect((await claimed(store, 200)).tasks).toMatchObject([{ id: parent.id, next: '"p"' }])
    })

    it('are counted right when two daemons end the last ones at once', async () => {
      const [one, two] = await openTwo()
      for (let round = 0; round < 5; round += 1) {
        const parent = await forked(one, children(2))
        const [a, b] = (await claimed(one, 3)).tasks
        await Promise.all([settle(one, a!, FINISHED, 4), settle(two, b!, FAILED, 4)])
        expect(await record(two, parent.id)).toMatchObject({ state: 'pending', phase: 'step' })
        await settle(one, (await claimed(one, 5)).tasks[0]!, FINISHED)
      }
    })

    it('make the percent of their parent, and theirs that of the parent above', async () => {
      const store = await open()
      const [a, b] = children(2)
      const parent = await put(store)
      const [lease] = (await claimed(store, 1)).tasks
      const fork = forking(1, a!, b!) as Extract<Verdict, { kind: 'fork' }>
      await settle(store, lease!, { ...fork, percent: { from: 20, to: 60 } })
      const percents = async (): Promise<unknown> => {
        const { items } = await store.list({}, { limit: 9, order: 'oldest' }, 5)
        const [read] = await store.get([parent.id])
        expect(read?.percent).toBe(items[0]?.percent)
        return read?.percent
      }
      expect(await percents()).toBe(20)
      const held = (await claimed(store, 3)).tasks
      const { fence } = held[0]!
      await one(store, { type: 'progress', at: 4, reports: [{ id: a!.id, fence, percent: 50, note: null }] })
      expect(await percents()).toBe(30)
      const [c, d] = children(2)
      await settle(store, held[1]!, forking(4, c!, d!))
      const below = (await claimed(store, 5)).tasks
      await settle(store, below[0]!, FINISHED)
      expect(await percents()).toBe(40)
      await settle(store, held[0]!, FAILED)
      expect(await percents()).toBe(50)
      await settle(store, below[1]!, FINISHED, 6)
      await settle(store, (await claimed(store, 6)).tasks[0]!, FINISHED, 7)
      expect(await percents()).toBe(60)
    })

    it('are found by their parent, which is counted and listed as running and cannot be moved or removed', async () => {
      const store = await open()
      const made = children(2)
      const parent = await forked(store, made)
      const page = { limit: 10, order: 'oldest' } as const
      expect(idsOf((await store.list({ parent: parent.id }, page, 9)).items)).toEqual(idsOf(made))
      expect(idsOf((await store.list({ states: ['running'] }, page, 9)).items)).toEqual([parent.id])
      expect(await store.counts(9)).toMatchObject({ running: 1, queued: 2 })
      const refused = { kind: 'refused', code: 'ERR_RUN_STATE', state: 'forked' }
      const ids = [parent.id]
      expect((await one(store, { type: 'remove', at: 9, ids })).items).toEqual([refused])
      expect((await one(store, { type: 'move', at: 9, by: 'a', runAt: 99, ids })).items).toEqual([refused])
      expect(await retry(store, 9, parent.id)).toEqual([refused])
      expect(await store.check()).toMatchObject({ ok: true, problems: [] })
    })

    it('are not pruned while their parent lives', async () => {
      const store = await open()
      const [a, b] = children(2)
      const parent = await forked(store, [a!, b!])
      const held = (await claimed(store, 3)).tasks
      await settle(store, held[0]!, FINISHED, 4)
      const prune = (): Promise<{ readonly removed: number }> =>
        one(store, {
          type: 'prune',
          at: 1e6,
          keep: [
            { state: 'finished', ms: 0 },
            { state: 'finished', count: 0 },
          ],
          limit: 10,
        })
      expect(await prune()).toEqual({ removed: 0 })
      await settle(store, held[1]!, FINISHED, 5)
      expect(await prune()).toEqual({ removed: 0 })
      await settle(store, (await claimed(store, 6)).tasks[0]!, FINISHED, 7)
      expect(await prune()).toEqual({ removed: 3 })
      expect(await store.get([parent.id, a!.id])).toEqual([undefined, undefined])
    })
  })

  describe(`${engine}: acts of people`, () => {
    const cancel = (store: Store, ...ids: string[]) =>
      one(store, { type: 'cancel', at: 7, by: 'ann', reason: 'enough', ids }).then(({ items }) => items)

    it('cancels a waiting task at once', async () => {
      const store = await open()
      const task = await put(store, { key: 'k' })
      expect(await cancel(store, task.id, 'nobody')).toEqual([
        { kind: 'cancelled' },
        { kind: 'refused', code: 'ERR_RUN_UNKNOWN' },
      ])
      expect(await record(store, task.id)).toMatchObject({ state: 'cancelled', reason: 'enough', endedAt: 7 })
      expect(await cancel(store, task.id)).toEqual([
        { kind: 'refused', code: 'ERR_RUN_STATE', state: 'cancelled' },
      ])
      expect((await claimed(store, 9)).tasks).toEqual([])
      expect(await store.log(task.id)).toMatchObject([
        { act: 'created', by: 'web', at: 0 },
        { act: 'cancelled', by: 'ann', at: 7, detail: 'enough' },
      ])
    })

    it('asks the holder of a running task, by its next claim and renewal', async () => {
      const [web, daemon] = await openTwo()
      const task = await put(web)
      await put(web, {}, 0)
      const [lease] = (await claimed(daemon, 1, { limit: 1 })).tasks
      await claimed(daemon, 1, { holder: 'other' })
      expect(await cancel(web, task.id)).toEqual([{ kind: 'asked' }])
      expect(await cancel(web, task.id)).toEqual([{ kind: 'asked' }])
      const request = { at: 7, by: 'ann', reason: 'enough', replaced: false }
      expect((await claimed(daemon, 8)).asked).toEqual([{ id: task.id, fence: lease!.fence, request }])
      expect((await claimed(daemon, 8, { holder: 'other' })).asked).toEqual([])
      const leases = [{ id: task.id, fence: lease!.fence }]
      expect((await one(daemon, { type: 'renew', at: 8, leaseUntil: 20, leases })).items).toEqual([
        { kind: 'kept', request },
      ])
      await settle(daemon, lease!, { kind: 'cancelled', error: null, reason: null }, 9)
      expect(await record(web, task.id)).toMatchObject({
        state: 'cancelled',
        reason: 'enough',
        request,
        endedAt: 9,
      })
      expect((await claimed(daemon, 10)).asked).toEqual([])
    })

    it.each<Verdict>([
      { kind: 'retry', runAt: 50, error: null },
      { kind: 'snooze', runAt: 50 },
      { kind: 'step', runAt: 50, call: CALL },
      forking(50, newTask()),
      { kind: 'returned' },
    ])('never lets a task wait again that is to be cancelled: $kind', async (verdict) => {
      const store = await open()
      const task = await put(store)
      const [lease] = (await claimed(store, 1)).tasks
      await cancel(store, task.id)
      expect(await settle(store, lease!, verdict)).toEqual({ kind: 'settled', state: 'cancelled' })
      expect(await record(store, task.id)).toMatchObject({
        name: 'work',
        reason: 'enough',
        request: { by: 'ann' },
      })
    })

    it('cancels a task that was asked and whose holder has died', async () => {
      const store = await open()
      const task = await put(store)
      await claimed(store, 1, { leaseUntil: 5 })
      await cancel(store, task.id)
      const { tasks } = await one(store, { type: 'reclaim', at: 8, by: 'd', lostLimit: 5, limit: 5 })
      expect(tasks).toMatchObject([{ id: task.id, state: 'cancelled' }])
      expect(await record(store, task.id)).toMatchObject({ state: 'cancelled', reason: 'enough' })
    })

    it('keeps a result that was faster than a cancel', async () => {
      const store = await open()
      const task = await put(store)
      const [lease] = (await claimed(store, 1)).tasks
      await cancel(store, task.id)
      expect(await settle(store, lease!, FINISHED)).toEqual({ kind: 'settled', state: 'finished' })
    })

    it('retries failed, terminated and cancelled ones from the first attempt, and nothing else', async () => {
      const store = await open()
      const ends: Verdict[] = [FAILED, { kind: 'terminated', error: null, reason: 'awol' }, FINISHED]
      const ids: string[] = []
      for (const verdict of ends) {
        const { id } = await put(store)
        await settle(store, (await claimed(store, 1)).tasks[0]!, verdict, 2)
        ids.push(id)
      }
      const gone = await put(store)
      await cancel(store, gone.id)
      const waiting = await put(store)
      const retry = { type: 'retry', at: 20, by: 'ann', runAt: 30 } as const
      const { items } = await one(store, { ...retry, ids: [...ids, gone.id, waiting.id, 'nobody'] })
      expect(items).toEqual([
        { kind: 'done' },
        { kind: 'done' },
        { kind: 'refused', code: 'ERR_RUN_STATE', state: 'finished' },
        { kind: 'done' },
        { kind: 'refused', code: 'ERR_RUN_STATE', state: 'pending' },
        { kind: 'refused', code: 'ERR_RUN_UNKNOWN' },
      ])
      const first = ids[0] as string
      expect(await record(store, first)).toMatchObject({
        state: 'pending',
        phase: 'new',
        runAt: 30,
        attempt: 0,
        endedAt: null,
        reason: null,
        request: null,
      })
      expect(await store.log(first)).toMatchObject([
        { act: 'created' },
        { act: 'started', at: 1 },
        { act: 'failed', at: 2, by: 'daemon', detail: '{"message":"no"}' },
        { act: 'retried', at: 20, by: 'ann' },
      ])
      const again = (await claimed(store, 30)).tasks.find(({ id }) => id === first)!
      expect(again).toMatchObject({ attempt: 1, fence: 2 })
    })

    it('does not retry a task whose key another one has', async () => {
      const store = await open()
      const first = await put(store, { key: 'k' })
      await cancel(store, first.id)
      const second = await put(store, { key: 'k' })
      const retry = { type: 'retry', at: 20, by: 'ann', runAt: 30, ids: [first.id] } as const
      expect((await one(store, retry)).items).toEqual([
        { kind: 'refused', code: 'ERR_TASK_KEY_TAKEN', id: second.id },
      ])
      await cancel(store, second.id)
      expect((await one(store, retry)).items).toEqual([{ kind: 'done' }])
      expect((await one(store, enqueue(40, newTask({ key: 'k' })))).items).toMatchObject([
        { kind: 'refused' },
      ])
    })

    it('moves waiting tasks', async () => {
      const store = await open()
      const task = await put(store, { runAt: 5 })
      const other = await put(store, { runAt: 5 })
      await claimed(store, 5, { limit: 1 })
      const move = { type: 'move', at: 6, by: 'ann', runAt: 90, ids: [task.id, other.id, 'nobody'] } as const
      expect((await one(store, move)).items).toEqual([
        { kind: 'refused', code: 'ERR_RUN_STATE', state: 'running' },
        { kind: 'done' },
        { kind: 'refused', code: 'ERR_RUN_UNKNOWN' },
      ])
      expect(await claimed(store, 89)).toMatchObject({ tasks: [], nextAt: 90 })
      expect(idsOf((await claimed(store, 90)).tasks)).toEqual([other.id])
      expect(await store.log(other.id)).toMatchObject([
        { act: 'created' },
        { act: 'moved', at: 6, by: 'ann', detail: '90' },
        { act: 'started' },
      ])
    })

    it('removes what does not run, with its log', async () => {
      const store = await open()
      const task = await put(store)
      const other = await put(store)
      await claimed(store, 1, { limit: 1 })
      await one(store, { type: 'move', at: 1, by: 'ann', runAt: 9, ids: [other.id] })
      const { items } = await one(store, { type: 'remove', at: 9, ids: [task.id, other.id, 'nobody'] })
      expect(items).toEqual([
        { kind: 'refused', code: 'ERR_RUN_STATE', state: 'running' },
        { kind: 'done' },
        { kind: 'refused', code: 'ERR_RUN_UNKNOWN' },
      ])
      expect(await store.get([other.id, task.id])).toMatchObject([undefined, { id: task.id }])
      expect(await store.log(other.id)).toEqual([])
    })
  })

  describe(`${engine}: schedules`, () => {
    const daily = { name: 'daily', rule: '{"every":1}', call: '{"name":"work"}', nextAt: 100 }
    const seen = { nextAt: 100, owed: null, runId: null }
    const plan = { nextAt: 200, owed: null, lookAt: 200 }
    const occur = { type: 'occur', at: 100, by: 'd', name: 'daily', seen, plan } as const
    const scheduled = async (given: object = {}): Promise<Store> => {
      const store = await open()
      await one(store, { type: 'schedule', at: 1, by: 'ann', schedules: [{ ...daily, ...given }] })
      return store
    }

    it('are made, changed and taken away', async () => {
      const store = await scheduled()
      const made = {
        ...daily,
        owed: null,
        lookAt: 100,
        runId: null,
        endedAt: null,
        createdAt: 1,
        createdBy: 'ann',
      }
      expect(await store.schedules()).toEqual([made])
      expect((await claimed(store, 5)).scheduleAt).toBe(100)
      const changed = { ...daily, rule: '{}', nextAt: 50 }
      await one(store, { type: 'schedule', at: 2, by: 'bob', schedules: [changed] })
      expect(await store.schedules()).toEqual([{ ...made, ...changed, lookAt: 50 }])
      expect([await store.schedules(49), (await store.schedules(50)).length]).toEqual([[], 1])
      const { items } = await one(store, { type: 'unschedule', names: ['daily', 'nobody'] })
      expect(items).toEqual([{ kind: 'done' }, { kind: 'unknown' }])
      expect(await store.schedules()).toEqual([])
    })

    it('go on as planned when the same rule is said again, with what they call changed', async () => {
      const store = await scheduled()
      const task = newTask({ schedule: 'daily' })
      await one(store, { ...occur, task, plan: { ...plan, owed: '[150]' } })
      const again = { ...daily, call: '{"name":"other"}', nextAt: 7 }
      await one(store, { type: 'schedule', at: 2, by: 'bob', schedules: [again] })
      expect(await store.schedules()).toMatchObject([
        { call: again.call, nextAt: 200, lookAt: 200, owed: '[150]', runId: task.id },
      ])
      await one(store, { type: 'schedule', at: 2, by: 'bob', schedules: [{ ...again, rule: '2' }] })
      expect(await store.schedules()).toMatchObject([{ nextAt: 7, lookAt: 7, owed: null, runId: task.id }])
    })

    it('give each occurrence to one of two daemons', async () => {
      const [a, b] = await openTwo()
      await one(a, { type: 'schedule', at: 1, by: 'ann', schedules: [daily] })
      const tasks = [newTask({ schedule: 'daily' }), newTask({ schedule: 'daily' })]
      const said = await Promise.all([
        one(a, { ...occur, task: tasks[0]! }),
        one(b, { ...occur, task: tasks[1]! }),
      ])
      expect(said.map(({ kind }) => kind).sort()).toEqual(['occurred', 'stale'])
      const stored = (await a.get(tasks.map(({ id }) => id))).filter((found) => found !== undefined)
      expect(stored).toHaveLength(1)
      expect(await a.schedules()).toMatchObject([{ nextAt: 200, runId: stored[0]!.id }])
    })

    it('work off what is owed one after another, each once', async () => {
      const store = await scheduled()
      const owing = { ...plan, owed: '[100,150]' }
      expect(await one(store, { ...occur, task: null, plan: owing })).toEqual({
        kind: 'occurred',
        enqueued: null,
      })
      const next = { ...occur, seen: { ...owing, runId: null }, plan: { ...plan, owed: '[150]' } }
      expect(await one(store, { ...next, task: newTask() })).toMatchObject({ kind: 'occurred' })
      expect(await one(store, { ...next, task: newTask() })).toEqual({ kind: 'stale' })
    })

    it.each<[string, Verdict]>([
      ['finished', FINISHED],
      ['failed', { kind: 'failed', error: null, reason: 'threw' }],
      ['terminated', { kind: 'terminated', error: null, reason: 'awol' }],
    ])('know when their run is %s, and are looked at if they owe or wait for that', async (_, verdict) => {
      const store = await scheduled()
      const ends = async (given: object, at: number) => {
        const task = newTask({ schedule: 'daily' })
        const seen = (await store.schedules())[0]!
        await one(store, { ...occur, seen, task, plan: { ...plan, ...given } })
        const { tasks } = await claimed(store, at)
        expect(await store.schedules()).toMatchObject([
          { runId: task.id, lookAt: { ...plan, ...given }.lookAt },
        ])
        await settle(store, tasks[0]!, verdict, at)
        return (await store.schedules())[0]
      }
      expect(await ends({}, 110)).toMatchObject({ runId: null, endedAt: 110, lookAt: 200 })
      expect(await ends({ nextAt: null, lookAt: null }, 120)).toMatchObject({ endedAt: 120, lookAt: 120 })
      expect(await ends({ owed: '[1]' }, 130)).toMatchObject({ nextAt: 200, owed: '[1]', lookAt: 130 })
    })

    it('are looked at anew by who has not seen that their run ended meanwhile', async () => {
      const store = await scheduled()
      const task = newTask({ schedule: 'daily' })
      await one(store, { ...occur, task })
      const seen = (await store.schedules())[0]!
      await settle(store, (await claimed(store, 110)).tasks[0]!, FINISHED, 110)
      const waits = { nextAt: null, owed: '[150]', lookAt: null }
      expect(await one(store, { ...occur, seen, task: null, plan: waits })).toEqual({ kind: 'stale' })
      expect(await store.schedules()).toMatchObject([{ nextAt: 200, owed: null, runId: null }])
    })

    it('know when their run was cancelled, removed, replaced or lost', async () => {
      const store = await scheduled()
      const waiting = { nextAt: null, owed: null, lookAt: null }
      const over = async (id: string): Promise<void> => {
        const [found] = await store.schedules()
        expect([id, found?.runId, found?.lookAt]).toEqual([id, null, expect.any(Number)])
      }
      const begin = async (): Promise<NewTask> => {
        const task = newTask({ schedule: 'daily', key: 'k' })
        const seen = (await store.schedules())[0]!
        await one(store, { ...occur, seen, task, plan: waiting })
        expect(await store.schedules()).toMatchObject([{ runId: task.id, lookAt: null }])
        return task
      }
      const cancelled = await begin()
      await one(store, { type: 'cancel', at: 110, by: 'ann', ids: [cancelled.id], reason: null })
      await over('cancelled')
      await one(store, { type: 'remove', at: 9, ids: [(await begin()).id] })
      await over('removed')
      await begin()
      await put(store, { key: 'k', onConflict: 'replace', runAt: 1e6 }, 120)
      await over('replaced')
      await one(store, {
        type: 'remove',
        at: 130,
        ids: [
          (await store.list({ key: 'k', states: ['scheduled'] }, { limit: 1, order: 'newest' }, 130))
            .items[0]!.id,
        ],
      })
      await begin()
      await claimed(store, 130)
      await one(store, { type: 'reclaim', at: 1e5, by: 'd', lostLimit: 0, limit: 10 })
      await over('lost')
      // A run that has ended and is forgotten later is no news, nor is one that the schedule does not know.
      await one(store, {
        ...occur,
        seen: { nextAt: null, owed: null, runId: null },
        task: null,
        plan: waiting,
      })
      await one(store, { type: 'remove', at: 9, ids: [cancelled.id] })
      await put(store, { schedule: 'daily' })
      const { tasks } = await claimed(store, 2e5)
      await settle(store, tasks[0]!, FINISHED, 2e5)
      expect(await store.schedules()).toMatchObject([{ lookAt: null }])
    })
  })

  describe(`${engine}: upkeep`, () => {
    const finish = async (store: Store, count: number, verdict = FINISHED): Promise<string[]> => {
      const ids: string[] = []
      for (let index = 0; index < count; index += 1) {
        ids.push((await put(store)).id)
        await settle(store, (await claimed(store, 1)).tasks[0]!, verdict, 10 + index)
      }
      return ids
    }

    it('prunes by age and by count per state, so many at a time', async () => {
      const store = await open()
      const finished = await finish(store, 6)
      const failed = await finish(store, 2, FAILED)
      const waiting = await put(store)
      const prune = { type: 'prune', at: 20, limit: 2 } as const
      const old = { state: 'finished', ms: 8 } as const
      expect(await one(store, { ...prune, keep: [old] })).toEqual({ removed: 2 })
      expect(await one(store, { ...prune, keep: [old] })).toEqual({ removed: 1 })
      expect(await one(store, { ...prune, keep: [{ state: 'finished', count: 1 }], limit: 9 })).toEqual({
        removed: 2,
      })
      expect(await one(store, { ...prune, keep: [{ state: 'finished', count: 1 }], limit: 9 })).toEqual({
        removed: 0,
      })
      const left = await store.list({}, { limit: 9, order: 'oldest' }, 20)
      expect(idsOf(left.items)).toEqual([finished[5], ...failed, waiting.id])
    })

    it('knows its daemons, and brings them messages once', async () => {
      const store = await open()
      const daemon = {
        id: 'd1',
        name: 'main',
        host: 'h',
        pid: 7,
        startedAt: 1,
        state: 'running',
        counts: null,
      }
      expect(await one(store, { type: 'beat', at: 1, daemon })).toEqual({ message: null })
      await one(store, { type: 'beat', at: 2, daemon: { ...daemon, id: 'd2', startedAt: 2 } })
      expect(await one(store, { type: 'tell', ids: ['d1', 'nobody'], message: 'stop' })).toEqual({ told: 1 })
      expect(await store.daemons()).toEqual([
        { ...daemon, beatAt: 1, message: 'stop' },
        { ...daemon, id: 'd2', startedAt: 2, beatAt: 2, message: null },
      ])
      const beat = { type: 'beat', at: 5, daemon: { ...daemon, state: 'stopping', counts: '{}' } } as const
      expect(await one(store, beat)).toEqual({ message: 'stop' })
      expect(await one(store, beat)).toEqual({ message: null })
      expect(await one(store, { type: 'tell', message: 'all' })).toEqual({ told: 2 })
      expect(await one(store, { type: 'leave', ids: ['d2', 'nobody'] })).toEqual({ left: 1 })
      expect(await store.daemons()).toMatchObject([{ id: 'd1', beatAt: 5, state: 'stopping', counts: '{}' }])
    })

    it('is well', async () => {
      const store = await open()
      await finish(store, 3)
      expect(await store.check()).toMatchObject({ ok: true, problems: [] })
    })

    it('migrates what is new already without changing anything', async () => {
      const store = await open()
      const { from, to } = await store.migrate()
      expect(from).toBe(to)
    })
  })

  describe(`${engine}: lists`, () => {
    const page = { limit: 10, order: 'oldest' } as const

    it('pages in the order of storing, both ways', async () => {
      const store = await open()
      const ids: string[] = []
      for (let count = 0; count < 7; count += 1) ids.push((await put(store)).id)
      for (const order of ['oldest', 'newest'] as const) {
        const seen: string[] = []
        let after: string | null | undefined
        do {
          const found = await store.list({}, { limit: 3, order, ...(after ? { after } : {}) }, 0)
          expect(found.items.length).toBeLessThanOrEqual(3)
          seen.push(...idsOf(found.items))
          after = found.next
        } while (after !== null)
        expect(seen).toEqual(order === 'oldest' ? ids : ids.toReversed())
      }
    })

    it('filters by state as it is called in public, and counts the same', async () => {
      const store = await open()
      const names = ['finished', 'failed', 'retrying', 'snoozed', 'running', 'due'] as const
      const verdicts: Record<string, Verdict> = {
        finished: FINISHED,
        failed: FAILED,
        retrying: { kind: 'retry', runAt: 50, error: null },
        snoozed: { kind: 'snooze', runAt: 50 },
        due: { kind: 'retry', runAt: 20, error: null },
      }
      for (const name of names) await put(store, { id: name })
      const { tasks } = await claimed(store, 1)
      for (const lease of tasks) {
        const verdict = verdicts[lease.id]
        if (verdict !== undefined) await settle(store, lease, verdict)
      }
      await put(store, { id: 'scheduled', runAt: 50 })
      await put(store, { id: 'queued', runAt: 20 })
      await put(store, { id: 'cancelled' })
      await one(store, { type: 'cancel', at: 2, by: 'a', reason: null, ids: ['cancelled'] })
      const now = 20
      for (const state of [
        'finished',
        'failed',
        'retrying',
        'snoozed',
        'running',
        'scheduled',
        'cancelled',
      ] as const) {
        expect(idsOf((await store.list({ states: [state] }, page, now)).items)).toEqual([state])
      }
      expect(idsOf((await store.list({ states: ['queued', 'failed'] }, page, now)).items)).toEqual([
        'failed',
        'due',
        'queued',
      ])
      expect((await store.list({ states: ['created'] }, page, now)).items).toEqual([])
      expect(await store.counts(now)).toEqual({
        scheduled: 1,
        queued: 2,
        running: 1,
        retrying: 1,
        snoozed: 1,
        finished: 1,
        failed: 1,
        cancelled: 1,
        terminated: 0,
      })
    })

    it('counts what is due by band, and says since when', async () => {
      const store = await open()
      await put(store, { priority: 'high', runAt: 5 })
      await put(store, { priority: 'high', runAt: 3 })
      await put(store, { priority: 'high', runAt: 11 })
      await put(store, { priority: 'low', runAt: 10 })
      const none = { count: 0, since: null }
      expect(await store.backlog(10)).toEqual({
        critical: none,
        high: { count: 2, since: 3 },
        normal: none,
        low: { count: 1, since: 10 },
      })
      await claimed(store, 10)
      expect(await store.backlog(10)).toEqual({ critical: none, high: none, normal: none, low: none })
    })

    it('filters by name, key, schedule, metadata and dates', async () => {
      const store = await open()
      const metadata = '{"user":"ann","n":1,"on":true,"none":null,"a\\"b.c":"x"}'
      const a = await put(store, { name: 'a', key: 'k', metadata }, 10)
      const b = await put(store, { name: 'b', schedule: 's', metadata: '{"user":"bob","n":"1","on":1}' }, 20)
      const c = await put(store, { name: 'c' }, 30)
      const ids = async (filter: Parameters<Store['list']>[0]) =>
        idsOf((await store.list(filter, page, 0)).items)
      expect(await ids({ names: ['a'] })).toEqual([a.id])
      expect(await ids({ names: ['c', 'b'] })).toEqual([b.id, c.id])
      expect(await ids({ key: 'k' })).toEqual([a.id])
      expect(await ids({ schedule: 's' })).toEqual([b.id])
      expect(await ids({ metadata: { user: 'ann' } })).toEqual([a.id])
      expect(await ids({ metadata: { n: 1 } })).toEqual([a.id])
      expect(await ids({ metadata: { n: '1' } })).toEqual([b.id])
      expect(await ids({ metadata: { on: true } })).toEqual([a.id])
      expect(await ids({ metadata: { none: null } })).toEqual([a.id])
      expect(await ids({ metadata: { 'a"b.c': 'x' } })).toEqual([a.id])
      expect(await ids({ metadata: { user: 'ann', n: 2 } })).toEqual([])
      expect(await ids({ createdFrom: 20, createdBefore: 30 })).toEqual([b.id])
      await settle(store, (await claimed(store, 1, { names: ['a'] })).tasks[0]!, FINISHED, 40)
      expect(await ids({ endedFrom: 40, endedBefore: 41 })).toEqual([a.id])
      expect(await ids({ endedFrom: 41 })).toEqual([])
    })
  })

  describe(`${engine}: commits and wakes`, () => {
    it('carries operations out together and in order', async () => {
      const store = await open()
      const task = newTask()
      const answers = await store.commit([
        enqueue(0, task),
        claim(1),
        { type: 'remove', at: 9, ids: [task.id] },
      ])
      expect(answers).toMatchObject([
        { type: 'enqueue' },
        { type: 'claim', answer: { tasks: [{ id: task.id }] } },
        { type: 'remove', answer: { items: [{ code: 'ERR_RUN_STATE' }] } },
      ])
      expect(await store.commit([])).toEqual([])
    })

    it('leaves out what cannot be stored, and nothing beside it', async () => {
      const store = await open()
      const [good, bad, good2] = [newTask(), newTask({ name: null as never }), newTask()]
      const answers = await store.commit([enqueue(0, good), enqueue(0, newTask(), bad), enqueue(0, good2)])
      expect(answers).toMatchObject([{ type: 'enqueue' }, { type: 'failed' }, { type: 'enqueue' }])
      expect(idsOf((await claimed(store, 1)).tasks)).toEqual([good.id, good2.id])
    })

    it('wakes who listens in another connection and in the same one', async () => {
      const [a, b] = await openTwo()
      for (const listening of [a, b]) {
        const woken = Promise.withResolvers<void>()
        const stop = listening.wake('work', woken.resolve)
        await put(a)
        await woken.promise
        stop()
      }
      const news = Promise.withResolvers<void>()
      b.wake('news', news.resolve)
      const { tasks } = await claimed(a, 1, { room: ROOM })
      await settle(a, tasks[0]!, FINISHED)
      await news.promise
    })

    it('refuses every call when it is closed', async () => {
      const store = await open()
      await store.close()
      const closed = { code: 'ERR_STORE_CLOSED' }
      await expect(store.commit([claim(1)])).rejects.toMatchObject(closed)
      await expect(store.get(['a'])).rejects.toMatchObject(closed)
      await expect(store.list({}, page(), 0)).rejects.toMatchObject(closed)
      await expect(store.counts(0)).rejects.toMatchObject(closed)
      await expect(store.check()).rejects.toMatchObject(closed)
      await store.close()
    })
  })
}

const page = () => ({ limit: 1, order: 'oldest' }) as const
