import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OutputLines, OutputTail } from '../../src/actors/command-output.ts'

const chunks = fc.array(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)))

describe('OutputTail', () => {
  test('keeps the last bytes, however they come', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 }).map(ascii)), fc.nat(50), (parts, max) => {
        const tail = new OutputTail(max)
        for (const part of parts) tail.push(Buffer.from(part))
        const all = parts.join('')
        expect(tail.text).toBe(max === 0 ? '' : all.slice(-max))
        expect(tail.truncated).toBe(all.length > max)
      }),
    )
  })

  test('begins with no part of a character', () => {
    const tail = new OutputTail(5)
    tail.push(Buffer.from('ab€€'))
    expect(tail.text).toBe('€')
  })

  test('may be read while more comes', () => {
    const tail = new OutputTail(3)
    tail.push(Buffer.from('abcd'))
    expect(tail.text).toBe('bcd')
    tail.push(Buffer.from('e'))
    expect([tail.text, tail.text]).toEqual(['cde', 'cde'])
  })
})

describe('OutputLines', () => {
  test('tells every line once, however it is cut', () => {
    fc.assert(
      fc.property(chunks, fc.array(fc.string()), (noise, words) => {
        const text = words.map(ascii).join('\n')
        const bytes = Buffer.from(text)
        const lines: string[] = []
        const splitter = new OutputLines((line) => lines.push(line))
        let at = 0
        for (const { length } of noise) {
          splitter.push(bytes.subarray(at, at + length))
          at += length
        }
        splitter.push(bytes.subarray(at))
        splitter.end()
        const expected = text
          .split('\n')
          .map((line, i, all) => (i < all.length - 1 ? line.replace(/\r$/, '') : line))
        if (expected.at(-1) === '') expected.pop()
        expect(lines).toEqual(expected)
      }),
    )
  })

  test('a line without end is told in parts', () => {
    const lengths: number[] = []
    const splitter = new OutputLines((line) => lengths.push(line.length))
    splitter.push(Buffer.from('x'.repeat(150_000)))
    splitter.end()
    expect(lengths).toEqual([65_536, 65_536, 18_928])
  })

  test('characters that are cut in two are put together', () => {
    const lines: string[] = []
    const splitter = new OutputLines((line) => lines.push(line))
    for (const byte of Buffer.from('€uro\r\nähm')) splitter.push(Buffer.from([byte]))
    splitter.end()
    expect(lines).toEqual(['€uro', 'ähm'])
  })
})

function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e\r]/g, '.')
}
