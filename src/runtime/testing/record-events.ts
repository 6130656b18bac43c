/** Keeps what an event source emitted, and waits for what it will emit: without any timer. */
import { check } from '../check.ts'

/** One emission as the arguments of a wildcard listener. */
export type EventPair = [type: PropertyKey, payload: unknown]

/**
 * Anything with mitt's wildcard subscription that returns how to unsubscribe, as the supervisor does.
 * Payloads are told apart by type when `Pair` is a union of pairs, one for each type of event.
 */
export interface RecordableSource<Pair extends EventPair> {
  on(type: '*', listener: (...event: Pair) => void): () => void
}

/** The table of events, type to payload, behind a union of pairs. */
export type EventTable<Pair extends EventPair> = { [Each in Pair as Each[0]]: Each[1] }

/** One emitted event: a union over the table `Events`, told apart by `type`. */
export type RecordedEvent<Events, Type extends keyof Events = keyof Events> = {
  [Key in Type]: { readonly type: Key; readonly payload: Events[Key] }
}[Type]

/** Which event is meant: its type, or a function that knows it when it sees it. */
export type EventMatch<Events, Type extends keyof Events> = Type | ((event: RecordedEvent<Events>) => boolean)

/** What {@link recordEvents} returns. `using` stops it at the end of the block. */
export interface EventRecorder<Events> extends Disposable {
  /** Everything emitted since the recording began, in order. */
  readonly events: readonly RecordedEvent<Events>[]
  /** The types of `events`, in order. */
  types(): (keyof Events)[]
  /** The first recorded match, or `undefined`. */
  seen<Type extends keyof Events>(match: EventMatch<Events, Type>): RecordedEvent<Events, Type> | undefined
  /** The first match from now on; what was recorded before does not count. */
  next<Type extends keyof Events>(match: EventMatch<Events, Type>): Promise<RecordedEvent<Events, Type>>
  /** The first match, recorded already or yet to come: `seen`, else `next`. */
  until<Type extends keyof Events>(match: EventMatch<Events, Type>): Promise<RecordedEvent<Events, Type>>
  /**
   * Unsubscribes and rejects every pending wait, and every `next` from now on, with an Error that lists
   * what was seen instead. The record stays. A second call does nothing.
   */
  stop(): void
}

interface Wait<Events> {
  readonly match: EventMatch<Events, keyof Events>
  resolve(event: RecordedEvent<Events>): void
  reject(error: unknown): void
}

/**
 * Records all events of `source` from now on.
 *
 * ```ts
 * using recorder = recordEvents(supervisor)
 * supervisor.submit(task, input)
 * await recorder.until('task.finished')
 * ```
 *
 * Waits are bounded by the test's own time limit and by `stop()`. A wait that `stop()` rejects while
 * nobody awaits it is no unhandled rejection. A predicate that throws rejects its own wait only.
 */
export function recordEvents<Pair extends EventPair>(
  source: RecordableSource<Pair>,
): EventRecorder<EventTable<Pair>> {
  type Events = EventTable<Pair>
  check.having('a source of events', 'on')('the source of recordEvents()', source)
  const events: RecordedEvent<Events>[] = []
  const waits = new Set<Wait<Events>>()
  let stopped = false

  const off = source.on('*', (...[type, payload]) => {
    if (stopped) return
    const event = { type, payload } as RecordedEvent<Events>
    events.push(event)
    for (const wait of waits) {
      try {
        if (!matches(event, wait.match)) continue
        wait.resolve(event)
      } catch (error) {
        wait.reject(error)
      }
      waits.delete(wait)
    }
  })

  const stopError = (match: EventMatch<Events, keyof Events>): Error => {
    const wanted = typeof match === 'function' ? 'a matching event' : `'${String(match)}'`
    const seen = events.length === 0 ? 'none at all' : summary(events.map((event) => String(event.type)))
    return new Error(`The recording was stopped before ${wanted} was emitted. Seen: ${seen}.`)
  }

  const next = (match: EventMatch<Events, keyof Events>): Promise<RecordedEvent<Events>> => {
    const { promise, resolve, reject } = Promise.withResolvers<RecordedEvent<Events>>()
    promise.catch(() => {})
    if (stopped) reject(stopError(match))
    else waits.add({ match, resolve, reject })
    return promise
  }

  const seen = (match: EventMatch<Events, keyof Events>): RecordedEvent<Events> | undefined =>
    events.find((event) => matches(event, match))

  const until = (match: EventMatch<Events, keyof Events>): Promise<RecordedEvent<Events>> => {
    try {
      const event = seen(match)
      return event === undefined ? next(match) : Promise.resolve(event)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  const stop = (): void => {
    if (stopped) return
    stopped = true
    off()
    for (const wait of waits) wait.reject(stopError(wait.match))
    waits.clear()
  }

  const recorder: EventRecorder<Events> = {
    events,
    types: () => events.map((event) => event.type),
    seen: seen as EventRecorder<Events>['seen'],
    next: next as EventRecorder<Events>['next'],
    until: until as EventRecorder<Events>['until'],
    stop,
    [Symbol.dispose]: stop,
  }
  return recorder
}

function matches<Events>(event: RecordedEvent<Events>, match: EventMatch<Events, keyof Events>): boolean {
  return typeof match === 'function' ? match(event) : event.type === match
}

/** The last few types, so that the message of a long recording stays readable. */
function summary(types: readonly string[]): string {
  const shown = types.slice(-20)
  return `${shown.length < types.length ? `… ${types.length - shown.length} more, ` : ''}${shown.join(', ')}`
}
