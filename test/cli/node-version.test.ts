import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { nodeRefusal } from '../../src/runtime/cli/node-version.ts'

test.each(['22.18', '22.18.0', '22.20.1', '24.0.0', '100.1.0'])('Node %s will do', (version) => {
  expect(nodeRefusal('>=22.18', version)).toBe(undefined)
})

test.each(['22.17.9', '22.9.0', '20.20.2', '8.0.0'])('Node %s is too old, which is said', (version) => {
  expect(nodeRefusal('>=22.18', version)).toContain(`needs Node 22.18 or newer, and this is Node ${version}`)
})

test('package.json says it in the form that is read', () => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { engines } = JSON.parse(manifest) as { engines: { node: string } }
  expect(engines.node).toMatch(/^>=\d+\.\d+$/)
})
