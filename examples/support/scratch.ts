/** A folder for an example that writes files. It is gone when the program ends. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const scratch: string = mkdtempSync(join(tmpdir(), 'stateward-example-'))
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
process.chdir(scratch)
