/** Reads directories: the names first, then what they are, a bounded number at a time. */
import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { type BytePath, join, toBytePath, toBytes } from './byte-path.ts'
import { type Finding, findingOf } from './finding.ts'

/** A regular file as it was when it was listed. */
export interface ListedFile {
  readonly path: BytePath
  readonly bytes: number
  readonly mtimeMs: number
  readonly inode: number
}

/** What is in a directory, or in a part of it. */
export interface Entries {
  readonly files: ListedFile[]
  readonly directories: BytePath[]
  readonly findings: Finding[]
  /** Symbolic links: counted, never followed. */
  links: number
  /** Fifos, sockets and devices: counted, never opened. */
  special: number
  /** Directories where another file system begins: counted, never entered. */
  mounts: number
}

/** How many files are looked at together. */
const TOGETHER = 64

/** The names in a directory. Rejects with the file system's error. */
export async function namesIn(directory: BytePath): Promise<BytePath[]> {
  const names = await readdir(toBytes(directory), { encoding: 'buffer' })
  return names.map(toBytePath)
}

/** What the names in a directory stand for. */
export async function entriesOf(
  directory: BytePath,
  names: readonly BytePath[],
  device: number,
): Promise<Entries> {
  const entries: Entries = { files: [], directories: [], findings: [], links: 0, special: 0, mounts: 0 }
  for (let at = 0; at < names.length; at += TOGETHER) {
    const paths = names.slice(at, at + TOGETHER).map((name) => join(directory, name))
    const looks = await Promise.allSettled(paths.map((path) => lstat(toBytes(path))))
    for (const [index, look] of looks.entries()) {
      const path = paths[index] as BytePath
      if (look.status === 'fulfilled') sort(entries, path, look.value, device)
      else entries.findings.push(findingOf(path, look.reason))
    }
  }
  return entries
}

function sort(entries: Entries, path: BytePath, stats: Stats, device: number): void {
  if (stats.isFile()) {
    entries.files.push({ path, bytes: stats.size, mtimeMs: stats.mtimeMs, inode: stats.ino })
  } else if (stats.isSymbolicLink()) entries.links += 1
  else if (!stats.isDirectory()) entries.special += 1
  else if (stats.dev === device) entries.directories.push(path)
  else entries.mounts += 1
}
