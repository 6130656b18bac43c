/** Asks the machine of a stored task what an event makes of a row. For all but the hottest statements of a store. */
import { compile } from '../../machines/compile.ts'
import {
  type StoredLife,
  type StoredPhase,
  type StoredState,
  type StoredTaskEvent,
  storedTaskMachine,
} from '../../machines/stored-task.ts'

/** The part of a row that the machine decides about. */
export interface LifeRow extends StoredLife {
  readonly state: StoredState | 'removed'
  readonly phase: StoredPhase | null
}

const logic = compile(storedTaskMachine)
const ignore = (): void => {}
/** By position in `logic.states`. */
const names = logic.states.map((path) => {
  const [state, phase] = path.split('.') as [LifeRow['state'], StoredPhase?]
  return { state, phase: phase ?? null }
})

/** @returns `undefined` when the event changes nothing: it is not allowed, or done already */
export function nextLife(row: LifeRow, event: StoredTaskEvent): LifeRow | undefined {
  const { state, phase, runAt, attempt, lost, fence, leaseUntil } = row
  const path = phase === null ? state : `${state}.${phase}`
  const from = logic.resume(path, { runAt, attempt, lost, fence, leaseUntil })
  const to = logic.step(from, event, ignore)
  if (to === from) return undefined
  return { ...(names[logic.indexOf(to)] as (typeof names)[number]), ...to.context }
}
