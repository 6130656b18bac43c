/** What the supervisors that are shown answer to a page, and what they do for one. */
import type { Clock } from '../../actors/clock.ts'
import type { TaskRun } from '../../actors/task-run.ts'
import { OptionError } from '../errors.ts'
import type {
  Act,
  Ask,
  Retried,
  ScheduleRow,
  TaskDetail,
  TaskPage,
  TaskQuery,
  WorkerRow,
} from './messages.ts'
import type { ShownSupervisor } from './shown-supervisor.ts'
import type { Supervisors } from './supervisors.ts'
import { TaskAnswers } from './task-answers.ts'
import { WorkerAnswers } from './worker-answers.ts'

/** What is known already, of each supervisor by its prefix: the position of its oldest run on the pages so far. */
type Known = Readonly<Record<string, number>>

interface Found {
  readonly run: TaskRun
  readonly at: number
  readonly shown: ShownSupervisor
}

export class SupervisorAnswers {
  readonly #supervisors: Supervisors

  constructor(supervisors: Supervisors) {
    this.#supervisors = supervisors
  }

  /** Of all of them, the newest first. */
  tasks(query: TaskQuery): TaskPage {
    const { after, limit = 50 } = query
    const known = after === undefined ? {} : toKnown(after)
    const originOf = origins()
    const found = this.#supervisors.all.flatMap((shown): Found[] => {
      const before = known[shown.ids.prefix] ?? Number.POSITIVE_INFINITY
      const origin = originOf(shown.supervisor.parts.clock)
      return new TaskAnswers(shown)
        .matching({ ...query, limit: limit + 1 }, before)
        .map((run) => ({ run, at: run.submittedMono + origin, shown }))
    })
    if (this.#supervisors.all.length > 1) found.sort((one, other) => other.at - one.at)
    const page = found.slice(0, limit)
    const last = page.map(({ run, shown }) => [shown.ids.prefix, run.order] as const)
    return {
      tasks: page.map(({ run, shown }) => new TaskAnswers(shown).row(run)),
      next: found.length <= limit ? null : JSON.stringify({ ...known, ...Object.fromEntries(last) }),
    }
  }

  task(ask: Extract<Ask, { ask: 'task' }>): TaskDetail {
    return new TaskAnswers(this.#at(ask.within)).task(ask)
  }

  workers(): WorkerRow[] {
    return this.#supervisors.all.flatMap((shown) => new WorkerAnswers(shown).workers())
  }

  schedules(): ScheduleRow[] {
    return this.#supervisors.all.flatMap((shown) => new WorkerAnswers(shown).schedules())
  }

  /** @throws OptionError (`ERR_CHILD_UNKNOWN` and what the answers of one throw), and what the call itself throws */
  act(act: Act): Retried | undefined {
    const shown = this.#at(act.within)
    if ('task' in act) return new TaskAnswers(shown).act(act)
    if ('worker' in act) new WorkerAnswers(shown).tell(act.worker, act.act)
    else if (act.act === 'hold') shown.supervisor.pause()
    else shown.supervisor.resume()
    return undefined
  }

  /** @throws OptionError */
  #at(within: string | undefined): ShownSupervisor {
    const shown = this.#supervisors.at(within)
    if (shown !== undefined) return shown
    throw new OptionError(`There is no supervisor "${within}" (any more).`, { code: 'ERR_CHILD_UNKNOWN' })
  }
}

/** What makes epoch ms of monotonic instants: of one clock always the same, so that what is within a millisecond has its order. */
function origins(): (clock: Clock) => number {
  const known = new Map<Clock, number>()
  return (clock) => {
    const origin = known.get(clock) ?? clock.now() - clock.monotonic()
    known.set(clock, origin)
    return origin
  }
}

/** A page says it: it may be anything. */
function toKnown(after: string): Known {
  try {
    return Object(JSON.parse(after))
  } catch (cause) {
    throw new OptionError('Expected `after` to be the `next` of a page.', {
      code: 'ERR_OPTION_INVALID',
      cause,
    })
  }
}
