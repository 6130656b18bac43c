/**
 * Debug mode of a supervisor: a line for every event and for every step of every machine, at level `debug`, whatever the level
 * of the logger is.
 *
 * - `off`: nobody listens, so nothing is made: neither payloads nor lines.
 * - `on`: it listens to all events and to the tracer that all machines of the supervisor report to.
 */
import type { Logger } from 'pino'
import type { SupervisorActor } from '../actors/supervisor-actor.ts'
import type { Step, Tracer } from '../actors/tracer.ts'
import type { EventHub, EventName } from './events.ts'
import { say } from './logger.ts'
import { type Reporter, toLogFields } from './reporter.ts'

export interface DebugOptions {
  /** Of the supervisor. */
  readonly id: string
  readonly logger: Logger
  readonly hub: EventHub
  readonly actor: SupervisorActor
  readonly tracer: Tracer
  readonly reporter: Reporter
}

export class Debug {
  readonly #options: DebugOptions
  /** While it is on: takes its listeners away. */
  #quit: (() => void) | undefined

  constructor(options: DebugOptions) {
    this.#options = options
  }

  turn(on: boolean): void {
    if (on) this.#quit ??= this.#listen()
    else {
      this.#quit?.()
      this.#quit = undefined
    }
  }

  #listen(): () => void {
    const { id, hub, actor, tracer, reporter, logger } = this.#options
    const verbose = verboseOf(logger)
    const off = hub.on('*', (name: EventName, payload: object) => {
      // What the logger writes anyway is not written twice.
      if (!reporter.logs(name, payload)) say(verbose, 'debug', toLogFields(payload), name)
    })
    const tell = (step: Step): void => say(verbose, 'debug', toStepFields(step), 'step')
    const untrace = tracer.add(tell)
    const leave = actor.follow((event, from, to) => tell({ machine: 'supervisor', id, event, from, to }))
    return () => {
      off()
      leave()
      untrace()
    }
  }
}

/** A pino child has a level of its own; a logger of another kind has the level it has. */
function verboseOf(logger: Logger): Logger {
  return logger.child({}, { level: logger.isLevelEnabled('debug') ? logger.level : 'debug' })
}

function toStepFields({ machine, id, from, to, event }: Step): object {
  return { machine, id, event, from, to }
}
