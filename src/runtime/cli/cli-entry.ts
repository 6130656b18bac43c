#!/usr/bin/env node
/**
 * The program `stateward`.
 *
 * - at work: a signal ends it at once, like any program.
 * - interruptible: from when a command asks for it; the first SIGINT or SIGTERM is the command's to answer, the second one
 *   ends the process.
 */
import { createRequire } from 'node:module'
import { nodeRefusal } from './node-version.ts'

const { engines } = createRequire(import.meta.url)('../../../package.json') as { engines: { node: string } }
const refusal = nodeRefusal(engines.node, process.versions.node)
if (refusal !== undefined) {
  process.stderr.write(`${refusal}\n`)
  process.exit(1)
}
// Only now: an older Node has not all that is imported there.
const [{ EXIT }, { runCli }] = await Promise.all([import('./exit-codes.ts'), import('./run-cli.ts')])

const interruption = new AbortController()

function interrupt(): void {
  if (interruption.signal.aborted) process.exit(EXIT.interrupted)
  interruption.abort()
}

// Whoever reads has closed the pipe: `stateward list | head`.
process.stdout.on('error', () => process.exit())

process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interruptible() {
    if (process.listenerCount('SIGINT', interrupt) === 0)
      for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, interrupt)
    return interruption.signal
  },
})
