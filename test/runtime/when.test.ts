import { describe, expect, test } from 'vitest'
import { daily, retry, within } from '../../src/index.ts'
import { whenOf } from '../../src/runtime/when.ts'
import { echoTask } from '../support/harness.ts'

const open = within('day', { after: '08:00' })

describe('when', () => {
  test('of a group, a definition and a worker hold together', () => {
    const group = { prefix: 'reports.', when: open }
    expect(whenOf(echoTask())).toBeUndefined()
    expect(whenOf(echoTask({ group }))).toBe(open)
    const own = echoTask({ group, when: daily() })
    expect(whenOf(own)).toEqual({ kind: 'all', conditions: [open, daily()] })
    expect(whenOf(own, retry(2))).toEqual({ kind: 'all', conditions: [whenOf(own), retry(2)] })
    expect(whenOf(echoTask(), retry(2))).toEqual(retry(2))
  })

  test('of a definition may be a function, which stays the same condition', () => {
    const task = echoTask({ when: () => true })
    expect(whenOf(task)).toMatchObject({ kind: 'function', recheckMs: 1_000 })
    expect(whenOf(task)).toBe(whenOf(task))
  })
})
