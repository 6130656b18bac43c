/** The operations log where its clock cannot tell what was first. */
import { expect, test } from 'vitest'
import type { LogEntry } from '../../src/actors/store/records.ts'
import { historyOf } from '../../src/actors/store/task-history.ts'
import type { TaskRecord } from '../../src/actors/store/task-record.ts'

const told = (at: number, act: LogEntry['act']): LogEntry => ({ at, by: 'holder', act, detail: null })

const record = (given: Partial<TaskRecord>): TaskRecord =>
  ({ createdAt: 1, createdBy: 'web', startedAt: 5, holder: 'holder', ...given }) as TaskRecord

test.each<[string, Partial<TaskRecord>, LogEntry[], string[]]>([
  [
    'an attempt that failed in the millisecond in which it began',
    { state: 'pending' },
    [told(5, 'attemptFailed')],
    ['created', 'started', 'attemptFailed'],
  ],
  [
    'one that began and failed when the one before it failed',
    { state: 'pending' },
    [told(5, 'attemptFailed'), told(5, 'attemptFailed')],
    ['created', 'attemptFailed', 'started', 'attemptFailed'],
  ],
  [
    'one that runs, begun when the one before it failed',
    { state: 'running' },
    [told(5, 'attemptFailed')],
    ['created', 'attemptFailed', 'started'],
  ],
  [
    'one that has finished, begun when the one before it failed',
    { state: 'finished', endedAt: 5 },
    [told(5, 'attemptFailed')],
    ['created', 'attemptFailed', 'started', 'finished'],
  ],
  [
    'an attempt that failed later',
    { state: 'pending' },
    [told(4, 'attemptFailed'), told(6, 'attemptFailed')],
    ['created', 'attemptFailed', 'started', 'attemptFailed'],
  ],
])('%s', (_, given, noted, expected) => {
  expect(historyOf(record(given), noted).map(({ act }) => act)).toEqual(expected)
})
