/** Entries of a task's log as HTTP shows them: what the store keeps as one text has a member for each thing that it says. */
import type { LogAct, LogEntry } from '../../actors/store/records.ts'
import { readStoredError } from '../durable/stored-task.ts'
import { errorView } from './task-view.ts'

export interface LogView {
  readonly at: number
  readonly by: string
  readonly act: LogAct
  readonly error?: object
  readonly reason?: string
  readonly runAt?: number
  readonly holder?: string
  readonly task?: string
  readonly children?: number
  readonly replacedBy?: string
}

/** @param withStack - whether errors have their stacks */
export function logView({ at, by, act, detail }: LogEntry, withStack: boolean): LogView {
  return { at, by, act, ...(detail === null ? {} : saidBy(act, detail, withStack)) }
}

function saidBy(act: LogAct, detail: string, withStack: boolean): Partial<LogView> {
  switch (act) {
    case 'failed':
    case 'attemptFailed':
    case 'terminated':
      return endedBy(detail, withStack)
    case 'moved':
    case 'snoozed':
      return { runAt: Number(detail) }
    case 'leaseLost':
      return { holder: detail }
    case 'stepped':
      return { task: detail }
    case 'forked':
      return { children: Number(detail) }
    case 'replaced':
      return { replacedBy: detail }
    default:
      return { reason: detail }
  }
}

/** An error where there was one, else a word. */
function endedBy(detail: string, withStack: boolean): Partial<LogView> {
  const error = detail.startsWith('{') ? readStoredError(detail) : undefined
  return error === undefined ? { reason: detail } : { error: errorView(error, withStack) }
}
