import { expect, test } from 'vitest'
import { durationText } from '../../src/runtime/duration-text.ts'

test.each([
  [0, '0 ms'],
  [250, '250 ms'],
  [1_000, '1 s'],
  [1_500, '1.5 s'],
  [60_000, '1 min'],
  [150_000, '2 min 30 s'],
  [3_600_000, '1 h'],
  [3_600_500, '1 h 0.5 s'],
  [129_600_000, '1 d 12 h'],
])('%d ms are %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})
