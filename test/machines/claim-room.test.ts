import fc from 'fast-check'
import { expect, test } from 'vitest'
import { askedRoom } from '../../src/machines/claim-room.ts'
import { PRIORITIES } from '../../src/machines/model.ts'

test('where there is plenty for all bands, all ask for as much, in round numbers', () => {
  const room = { critical: 1_000, high: 640, normal: 620, low: 613 }
  expect(askedRoom(room)).toEqual({ critical: 600, high: 600, normal: 600, low: 600 })
})

test('little room, and a reserve of its own, is asked for as it is', () => {
  const few = { critical: 1_000, high: 8, normal: 6, low: 4 }
  expect(askedRoom(few)).toEqual(few)
  const reserve = { critical: 1_000, high: 200, normal: 150, low: 60 }
  expect(askedRoom(reserve)).toEqual(reserve)
  const full = { critical: 1_000, high: 40, normal: 20, low: 0 }
  expect(askedRoom(full)).toEqual(full)
})

test('no band is asked for more than it has room, and none that has some is left out', () => {
  const places = fc.nat(1_000)
  fc.assert(
    fc.property(places, places, places, places, (low, more, reserve, rest) => {
      const room = {
        low,
        normal: low + more,
        high: low + more + reserve,
        critical: low + more + reserve + rest,
      }
      const asked = askedRoom(room)
      for (const band of PRIORITIES) {
        expect(asked[band]).toBeLessThanOrEqual(room[band])
        expect(asked[band] > 0).toBe(room[band] > 0)
      }
    }),
  )
})
