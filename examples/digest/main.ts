/** `npm start [-- DIR] [--report FILE] [--state DIR] [--fresh] [--quiet] [--keep]`: digests a directory tree. See job.ts, tasks.ts, report.ts. */
import { digestTree } from './job.ts'
import { readOptions, USAGE, UsageError } from './options.ts'

// A reader that has left (`npm start | head`) does not stop the job: the report is still wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) process.stdout.write(`${USAGE}\n`)
  else process.exitCode = await digestTree(options, { out: process.stdout, err: process.stderr })
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
