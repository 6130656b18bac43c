/** Where the files are that run inside threads and processes: beside this one, unbuilt or built. */
import { fileURLToPath } from 'node:url'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

export type EntryName =
  | 'thread-entry'
  | 'loop-entry'
  | 'process-entry'
  | 'watchdog-entry'
  | '../store/sqlite-check-entry'

/** Absolute path of an entry file. */
export function entryFile(name: EntryName): string {
  return fileURLToPath(new URL(`./${name}.${extension}`, import.meta.url))
}
