import { expect, test } from 'vitest'
import { OVERLAPS, onOverlap } from '../../src/machines/index.ts'

test.each(OVERLAPS)('overlap %s: what nothing is in the way of runs', (policy) => {
  expect(onOverlap(policy, 0, false)).toBe('run')
})

test.each([
  ['skip', 'skip', 'skip'],
  ['bufferOne', 'buffer', 'skip'],
  ['allow', 'run', 'run'],
  ['cancelOther', 'cancel', 'skip'],
  ['terminateOther', 'terminate', 'skip'],
] as const)('overlap %s: beside a live run %s, with one that waits %s', (policy, first, then) => {
  expect([onOverlap(policy, 1, false), onOverlap(policy, 1, true)]).toEqual([first, then])
})
