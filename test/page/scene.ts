/** A shop at work, as its inspector would tell of it: always the same, for pictures and for what is looked up on the page. */

import {
  cronWorkerMachine,
  intervalWorkerMachine,
  supervisorMachine,
  taskMachine,
} from '../../src/machines/index.ts'
import { machineJson } from '../../src/machines/machine-json.ts'
import type { TaskState } from '../../src/machines/model.ts'
import type {
  ActorRow,
  Band,
  EventRow,
  Frame,
  PageMessage,
  PoolRow,
  ScheduleRow,
  TaskRow,
} from '../../src/runtime/inspector/messages.ts'
import { NOW } from './scripted-feed.ts'

const CHARTS: NonNullable<Frame['charts']> = {
  task: machineJson(taskMachine),
  supervisor: machineJson(supervisorMachine),
  'interval-worker': machineJson(intervalWorkerMachine),
  'cron-worker': machineJson(cronWorkerMachine),
}

const NONE = { chart: null, startedAt: null, children: 0, event: null, eventAt: null, from: null } as const

const TASKS: readonly (readonly [name: string, state: string, priority: Band, percent: number | null])[] = [
  ['thumbnail', 'running.executing', 'normal', 62],
  ['thumbnail', 'running.executing', 'normal', 18],
  ['charge card', 'running.executing', 'critical', null],
  ['send invoice', 'running.stopping.signalled', 'high', null],
  ['import catalogue', 'running.executing', 'low', 87],
  ['thumbnail', 'queued', 'normal', null],
  ['thumbnail', 'queued', 'normal', null],
  ['send invoice', 'retrying', 'high', null],
  ['rebuild index', 'queued', 'low', null],
  ['send reminder', 'scheduled', 'normal', null],
]

const idOf = (index: number): string => `0195e1a0-7c3e-7000-8000-${String(index + 1).padStart(12, '0')}`

function taskRow(index: number): ActorRow {
  const [name, state, priority, percent] = TASKS[index] as (typeof TASKS)[number]
  return {
    ...NONE,
    id: `task:${idOf(index)}`,
    parent: 'pool',
    kind: 'task',
    name,
    chart: 'task',
    state,
    startedAt: state.startsWith('running') ? NOW - 4_200 - index * 310 : null,
    event: state === 'queued' ? 'task.submit' : 'attempt.started',
    eventAt: NOW - 4_100,
    from: state === 'queued' ? 'created' : 'running.starting',
    task: {
      runId: idOf(index),
      priority,
      execution: index % 2 === 0 ? 'thread' : 'async',
      attempt: 1,
      percent,
      note: percent === 62 ? 'resizing to 1200 px' : null,
      owner: null,
    },
  }
}

export const ACTORS: readonly ActorRow[] = [
  {
    ...NONE,
    id: 'supervisor',
    parent: null,
    kind: 'supervisor',
    name: 'shop',
    chart: 'supervisor',
    state: 'running',
    children: 3,
    event: 'supervisor.prepared',
    eventAt: NOW - 3_724_000,
    from: 'starting',
  },
  {
    ...NONE,
    id: 'pool',
    parent: 'supervisor',
    kind: 'pool',
    name: 'pool',
    state: 'open',
    children: TASKS.length,
  },
  { ...NONE, id: 'processes', parent: 'supervisor', kind: 'pool', name: 'processes', state: 'open' },
  {
    ...NONE,
    id: 'children',
    parent: 'supervisor',
    kind: 'group',
    name: 'children',
    state: 'running',
    children: 3,
  },
  ...TASKS.map((_, index) => taskRow(index)),
  {
    ...NONE,
    id: 'child:stock',
    parent: 'children',
    kind: 'worker',
    name: 'stock',
    chart: 'interval-worker',
    state: 'waiting',
  },
  {
    ...NONE,
    id: 'child:nightly report',
    parent: 'children',
    kind: 'worker',
    name: 'nightly report',
    chart: 'cron-worker',
    state: 'waiting',
  },
  { ...NONE, id: 'child:parser', parent: 'children', kind: 'actor', name: 'parser', state: 'backingOff' },
]

/** The task of the scene whose chart is looked at. */
export const THUMBNAIL = `task:${idOf(0)}`

const childrenOf = (parent: string): string[] =>
  ACTORS.filter((actor) => actor.parent === parent).map(({ id }) => id)

export const LISTS: Frame['lists'] = Object.fromEntries(
  ['supervisor', 'pool', 'children'].map((id) => {
    const ids = childrenOf(id)
    return [id, { offset: 0, total: ids.length, ids }]
  }),
)

export const POOLS: readonly PoolRow[] = [
  {
    id: 'pool',
    name: 'tasks',
    size: 8,
    reserveNormal: 2,
    reserveHigh: 2,
    admitted: 9,
    running: { critical: 1, high: 2, normal: 5, low: 1 },
    queued: { critical: 0, high: 3, normal: 41, low: 128 },
  },
  {
    id: 'processes',
    name: 'processes',
    size: 2,
    reserveNormal: 1,
    reserveHigh: 1,
    admitted: 1,
    running: { critical: 0, high: 0, normal: 1, low: 0 },
    queued: { critical: 0, high: 0, normal: 0, low: 0 },
  },
]

const EVENTS: readonly (readonly [index: number, type: string, from: string, to: string, source: string])[] =
  [
    [5, 'task.submit', 'created', 'queued', 'user'],
    [0, 'task.admit', 'queued', 'running.starting', 'pool'],
    [0, 'attempt.started', 'running.starting', 'running.executing', 'handler'],
    [7, 'attempt.failed', 'running.executing', 'retrying', 'handler'],
    [2, 'task.submit', 'created', 'queued', 'child:stock'],
    [2, 'task.admit', 'queued', 'running.starting', 'pool'],
    [2, 'attempt.started', 'running.starting', 'running.executing', 'handler'],
    [3, 'task.cancel', 'running.executing', 'running.stopping.signalled', 'user'],
    [8, 'timer.queueWarning', 'queued', 'queued', 'clock'],
    [9, 'task.submit', 'created', 'scheduled', 'user'],
    [6, 'task.submit', 'created', 'queued', THUMBNAIL],
  ]

export function sceneEvents(): EventRow[] {
  return EVENTS.map(([index, type, from, to, source], order) => ({
    at: NOW - (EVENTS.length - order) * 137,
    id: `task:${idOf(index)}`,
    name: TASKS[index]?.[0] as string,
    type,
    from,
    to,
    source,
  }))
}

/** Frames of the last minutes, for the plots, and at their end the scene. */
export function sceneFrames(): Partial<Frame>[] {
  const minutes = Array.from({ length: 240 }, (_, index): Partial<Frame> => {
    const wave = Math.sin(index / 17) + Math.sin(index / 5) / 3
    return {
      at: NOW - (240 - index) * 1_000,
      rates: {
        created: 42 + 12 * wave,
        started: 40 + 11 * wave,
        finished: 39 + 10 * Math.sin((index - 6) / 17),
        failed: index % 61 < 4 ? 5 : 0.4,
        events: 180,
      },
      waits: {
        queueMs: { p50: 120 + 40 * wave, p95: 460 + 130 * wave },
        runMs: { p50: 210, p95: 820 + 60 * Math.sin(index / 9) },
      },
    }
  })
  return [
    ...minutes,
    {
      charts: CHARTS,
      added: ACTORS,
      lists: LISTS ?? {},
      pools: POOLS,
      counts: {
        scheduled: 12,
        queued: 172,
        running: 10,
        retrying: 3,
        finished: 128_402,
        failed: 211,
        cancelled: 17,
        terminated: 42,
      },
      events: sceneEvents(),
    },
  ]
}

function taskOf(index: number): TaskRow {
  const row = ACTORS.find(({ id }) => id === `task:${idOf(index)}`) as ActorRow
  const state = row.state.split('.')[0] as TaskState
  const { priority, execution, attempt, percent, note } = row.task as NonNullable<ActorRow['task']>
  return {
    id: idOf(index),
    of: 'supervisor',
    name: row.name,
    description: row.name,
    state,
    priority,
    execution,
    attempt,
    percent,
    note,
    createdAt: NOW - 9_000 - index * 700,
    startedAt: row.startedAt,
    endedAt: null,
    runAt: state === 'scheduled' ? NOW + 95_000 : null,
    from: index === 2 ? 'stock' : null,
    holder: null,
    error: null,
    reason: null,
    acts: ['cancel'],
  }
}

const ended: TaskRow = {
  ...taskOf(7),
  id: idOf(40),
  name: 'send invoice',
  state: 'failed',
  startedAt: NOW - 61_000,
  endedAt: NOW - 60_200,
  runAt: null,
  attempt: 3,
  error: { name: 'Error', message: 'the mail server said 451', code: null },
  reason: 'threw',
  acts: ['retry'],
}

export const TASK_ROWS: readonly TaskRow[] = [...TASKS.map((_, index) => taskOf(index)), ended]

const SCHEDULES: readonly ScheduleRow[] = [
  {
    name: 'stock',
    of: 'supervisor',
    task: 'check stock',
    state: 'waiting',
    times: 'every 30 s',
    timezone: null,
    nextAt: NOW + 12_000,
    laterAt: [NOW + 42_000, NOW + 72_000],
    lastEndedAt: NOW - 18_000,
    acts: ['trigger', 'pause'],
  },
  {
    name: 'nightly report',
    of: 'supervisor',
    task: 'report',
    state: 'waiting',
    times: '30 2 * * *',
    timezone: 'Europe/Berlin',
    nextAt: NOW + 37_000_000,
    laterAt: [NOW + 123_400_000],
    lastEndedAt: NOW - 49_000_000,
    acts: ['trigger', 'pause'],
  },
]

/** What the server of the scene answers. */
export function answerScene(message: PageMessage): unknown {
  if (message.type === 'login') return 'act'
  if (message.type !== 'ask') return null
  if (message.ask === 'tasks') {
    const { states = [], text = '' } = message
    const tasks = TASK_ROWS.filter(
      ({ name, state }) => (states.length === 0 || states.includes(state)) && name.includes(text),
    )
    return { tasks, next: null }
  }
  if (message.ask === 'task') {
    const row = TASK_ROWS.find(({ id }) => id === message.task)
    return row && { ...row, log: [{ at: NOW - 9_000, what: 'created', by: 'web-1' }], values: null }
  }
  return message.ask === 'schedules' ? SCHEDULES : []
}
