/** Columns that every store has alike: the band, and what somebody asked of a task. */
import { PRIORITIES, type Priority } from '../../machines/model.ts'
import type { EndRequest } from './task-record.ts'

/** Bands are stored by urgency. */
export function bandOf(priority: Priority): number {
  return PRIORITIES.indexOf(priority)
}

export function priorityOf(band: number): Priority {
  return PRIORITIES[band] as Priority
}

export interface RequestColumns {
  readonly asked: 'cancel' | 'replace' | null
  readonly asked_at: number | null
  readonly asked_by: string | null
  readonly asked_reason: string | null
}

export function requestOf(row: RequestColumns): EndRequest | null {
  if (row.asked === null) return null
  return {
    at: Number(row.asked_at),
    by: row.asked_by as string,
    reason: row.asked_reason,
    replaced: row.asked === 'replace',
  }
}
