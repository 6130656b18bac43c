/** Joins a daemon to its queue and its supervisor. */
import { hostname } from 'node:os'
import type {
  DaemonIdentity,
  DaemonPorts,
  DaemonSettings,
  DaemonStore,
} from '../../actors/daemon/daemon-ports.ts'
import type { HeldTask } from '../../actors/daemon/held-task.ts'
import type { AnyDefinition, TaskCall } from '../../actors/definition.ts'
import type { Verdict } from '../../actors/store/operations.ts'
import type { TaskRun } from '../../actors/task-run.ts'
import type { TaskDefinition } from '../define-task.ts'
import type { LiveSupervisor } from '../live-supervisor.ts'
import { say } from '../logger.ts'
import { percentWithin } from './chain-levels.ts'
import { fromMessageText } from './daemon-message.ts'
import { endSchedule, occurrenceAbove } from './end-schedule.ts'
import { ALL_NAME, childIds, forkOf, JOIN_NAME, type JoinInput } from './fork.ts'
import { type JoinWork, joinTask } from './join.ts'
import { Occurrences } from './occurrences.ts'
import type { QueueStore } from './queue-store.ts'
import { fromStoredCall } from './stored-call.ts'
import { expiryOf, optionsFromJson, type StoredChain, type StoredRunOptions } from './stored-options.ts'
import { handOn } from './traced-verdict.ts'
import { failed, refused, verdictDespite, verdictOf } from './verdict.ts'

export interface DaemonWiring {
  readonly name: string
  readonly queue: QueueStore
  readonly store: DaemonStore
  readonly supervisor: LiveSupervisor
  readonly tasks: ReadonlyMap<string, AnyDefinition>
  readonly settings: DaemonSettings
  /** It was told to stop. */
  shutdown(): void
}

let lives = 0

export function daemonPorts({
  name,
  queue,
  store,
  supervisor,
  tasks,
  settings,
  shutdown,
}: DaemonWiring): DaemonPorts {
  const { pool, clock, ports, reporter } = supervisor.parts
  const { logger, random } = ports
  const find = (wanted: string): AnyDefinition | undefined => tasks.get(wanted)
  const now = (): number => queue.now()
  const schedules = new Occurrences(queue)
  const percentOf = ({ definition, input }: Pick<TaskCall, 'definition' | 'input'>): number | undefined => {
    const { percent } = (definition as TaskDefinition).options ?? {}
    if (percent === undefined) return undefined
    try {
      const value = Number(percent(input as never))
      return Number.isNaN(value) ? undefined : Math.min(100, Math.max(0, value))
    } catch (error) {
      say(logger, 'error', { err: error, task: definition.name }, 'percent() threw')
      return undefined
    }
  }
  const callOf = ({ task }: HeldTask): TaskCall => {
    if (task.name !== JOIN_NAME) return fromStoredCall(task, find)
    const ids = childIds(task.id, JSON.parse(task.input as string) as JoinInput)
    return {
      definition: joinTask as AnyDefinition,
      input: { ids, read: (wanted) => queue.read((store) => store.get(wanted)) } satisfies JoinWork,
      // Nothing of what holds for the whole: its calls had it, and their values are not thrown away for being late.
      options: undefined,
    }
  }
  return {
    settings,
    store,
    pool,
    clock,
    now,
    random,
    identify() {
      lives += 1
      const startedAt = now()
      const [host, { pid }] = [hostname(), process]
      const id = `${name}@${host}:${pid}-${startedAt.toString(36)}${lives.toString(36)}`
      return { id, name, host, pid, startedAt }
    },
    begin(held) {
      try {
        if (held.task.name === ALL_NAME)
          return handOn(
            forkOf(held.task, { now: now(), maxBytes: queue.maxBytes, find }),
            held,
            ports.tracing,
          )
        return begin(supervisor, held, callOf(held), now())
      } catch (error) {
        return refused(error, now())
      }
    },
    verdictOf(held, outcome): Verdict | undefined {
      const at = now()
      const leaseUntil = at + settings.leaseMs
      try {
        const verdict = verdictOf(held, outcome, {
          now: at,
          maxBytes: queue.maxBytes,
          leaseUntil,
          hasLapsed: held.hasLapsed(clock.monotonic()),
          find,
          chain: chainOf(held),
          percentOf,
        })
        return verdict && handOn(verdict, held, ports.tracing)
      } catch (error) {
        const { name: task, id: runId } = held.task
        say(logger, 'error', { err: error, task, runId }, 'the end of a task could not be put into words')
        return verdictDespite(outcome, error)
      }
    },
    unstorable: (error) => failed('unserializable', error),
    occurrences(schedule, at, by) {
      const { operations, problem } = schedules.look(schedule, at, by)
      if (problem !== undefined) say(logger, 'error', { daemon: name, schedule: schedule.name }, problem)
      return operations
    },
    async endSchedule(identity, task) {
      const made = await occurrenceAbove(queue, task)
      if (made === undefined) return false
      if (await endSchedule(queue, made, identity.id)) {
        const { id: runId, schedule } = made
        reporter.emit('schedule.ended', { ...baseOf(identity), schedule, reason: 'asked', runId })
      }
      return true
    },
    scheduleExhausted: (identity, schedule) =>
      reporter.emit('schedule.ended', {
        ...baseOf(identity),
        schedule,
        reason: 'exhausted',
        runId: undefined,
      }),
    percentOf(held, reported) {
      const { run } = held
      // Its children have all ended.
      if (held.task.name === JOIN_NAME) return undefined
      const percent = reported ?? (run && percentOf(run))
      const chain = chainOf(held)
      return chain === undefined || chain.levels.length === 0
        ? percent
        : percentWithin(chain.levels, percent ?? 0)
    },
    announce(identity, fact, error) {
      const base = baseOf(identity)
      if (fact === 'storeLost') reporter.emit('daemon.storeLost', { ...base, error })
      else reporter.emit(`daemon.${fact}`, base)
    },
    stopped: (identity, held, untold) =>
      reporter.emit('daemon.stopped', { ...baseOf(identity), held, untold }),
    leaseLost: (identity, { task }) =>
      reporter.emit('daemon.leaseLost', { ...baseOf(identity), runId: task.id, name: task.name }),
    renewalFailed: (identity, held, error) =>
      reporter.emit('daemon.renewalFailed', { ...baseOf(identity), error, held }),
    renewalWorks: (identity, held) => reporter.emit('daemon.renewalWorks', { ...baseOf(identity), held }),
    fenced: (identity, runId) => reporter.emit('daemon.fenced', { ...baseOf(identity), runId }),
    overdue: (identity, { id: runId, name: task, state, reason }) =>
      reporter.emit('daemon.overdue', { ...baseOf(identity), runId, name: task, state, reason }),
    told(identity, text) {
      const message = fromMessageText(text)
      if (message === undefined) return
      reporter.emit('daemon.told', { ...baseOf(identity), reason: message.reason })
      shutdown()
    },
    onError: (error, what) => say(logger, 'error', { err: error, daemon: name }, `${what} threw`),
  }
}

/** Read once: progress may be reported often. */
const chains = new WeakMap<HeldTask, StoredChain>()

function chainOf(held: HeldTask): StoredChain | undefined {
  const { options } = held.task
  if (options === null || !options.includes('"chain"')) return undefined
  const chain = chains.get(held) ?? optionsFromJson(options, held.task).chain
  if (chain !== undefined) chains.set(held, chain)
  return chain
}

const baseOf = ({ id, name }: DaemonIdentity): { daemon: string; daemonId: string } => ({
  daemon: name,
  daemonId: id,
})

/** @throws CallRefusal, OptionError, SupervisorStateError */
function begin(supervisor: LiveSupervisor, held: HeldTask, call: TaskCall, now: number): TaskRun {
  const { task } = held
  const { stepAgeMs = 0 } = chainOf(held) ?? {}
  const { expiresAt, ...options } = (call.options ?? {}) as StoredRunOptions
  const hasBegun = task.attempt > 1 || task.step > 0
  const isBounded = expiresAt !== undefined && !hasBegun
  const kept = expiresAt === undefined ? call : { ...call, options }
  return supervisor.submitKept(kept, {
    id: task.id,
    attempt: task.attempt - 1,
    priority: task.priority,
    ageMs: Math.max(0, now - task.createdAt - stepAgeMs),
    expiresInMs: isBounded ? expiryOf({ expiresAt }) - now : Number.POSITIVE_INFINITY,
    waitedMs: Math.max(0, now - task.runAt),
    run: held,
  })
}
