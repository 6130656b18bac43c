/** The operations log where its clock cannot tell what was first. */
import { expect, test } from 'vitest'
import type { LogEntry } from '../../src/actors/store/records.ts'
import { historyOf } from '../../src/actors/store/task-history.ts'
import type { TaskRecord } from '../../src/actors/store/task-record.ts'

const told = (at: number, act: LogEntry['act']): LogEntry => ({ at, by: 'holder', act, detail: null })

/** As stores note it. */
const failed = (startedAt: number, at: number): LogEntry[] => [
  told(startedAt, 'started'),
  told(at, 'attemptFailed'),
]

const record = (given: Partial<TaskRecord>): TaskRecord =>
  ({ createdAt: 1, createdBy: 'web', startedAt: 5, holder: 'holder', ...given }) as TaskRecord

test.each<[string, Partial<TaskRecord>, LogEntry[], string[]]>([
  [
    'an attempt that failed in the millisecond in which it began',
    { state: 'pending' },
    failed(5, 5),
    ['created', 'started', 'attemptFailed'],
  ],
  [
    'one that began and failed when the one before it failed',
    { state: 'pending' },
    [...failed(3, 5), ...failed(5, 5)],
    ['created', 'started', 'attemptFailed', 'started', 'attemptFailed'],
  ],
  [
    'one that runs, begun when the one before it began and failed',
    { state: 'running' },
    failed(5, 5),
    ['created', 'started', 'attemptFailed', 'started'],
  ],
  [
    'one that has finished, begun when the one before it began and failed',
    { state: 'finished', endedAt: 5 },
    failed(5, 5),
    ['created', 'started', 'attemptFailed', 'started', 'finished'],
  ],
  [
    'one that failed later',
    { state: 'pending' },
    [...failed(3, 4), ...failed(5, 6)],
    ['created', 'started', 'attemptFailed', 'started', 'attemptFailed'],
  ],
  [
    'something that was done while an attempt went on',
    { state: 'cancelled', endedAt: 7, startedAt: 5 },
    [told(6, 'cancelAsked'), ...failed(5, 7)],
    ['created', 'started', 'cancelAsked', 'attemptFailed', 'cancelled'],
  ],
])('%s', (_, given, noted, expected) => {
  expect(historyOf(record(given), noted).map(({ act }) => act)).toEqual(expected)
})
