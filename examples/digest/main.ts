/** `npm start [-- DIR] [--report FILE] [--quiet]`: digests a directory tree. See job.ts, tasks.ts, report.ts. */
import { digestTree } from './job.ts'
import { type Options, readOptions, USAGE, UsageError } from './options.ts'

// A reader that has left (`npm start | head`) does not stop the job: the report is still wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
}

const options = readCommandLine()
if (options !== undefined) {
  process.exitCode = await digestTree(options, { out: process.stdout, err: process.stderr })
}

/** Prints what is to be printed; there may be nothing else to do. */
function readCommandLine(): Options | undefined {
  try {
    const read = readOptions(process.argv.slice(2))
    if (read === undefined) process.stdout.write(`${USAGE}\n`)
    return read
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
    return undefined
  }
}
