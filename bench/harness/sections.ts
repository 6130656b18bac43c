/** bench/RESULTS.md by its sections: each begins with a line of its own, `## …`, and ends where the next one begins. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

export const FILE: URL = new URL('../RESULTS.md', import.meta.url)

export function readResults(): string {
  return existsSync(FILE) ? readFileSync(FILE, 'utf8') : ''
}

/** The section as it stands there, without its head; `''`: there is none. */
export function sectionOf(text: string, title: string): string {
  const found = boundsOf(text, title)
  return found === undefined ? '' : text.slice(found.body, found.to).trim()
}

/** Puts a section in the place of the old one, else before the last one, which is people's. */
export function writeSection(title: string, write: (old: string) => string): void {
  writeFileSync(FILE, withSection(readResults(), title, write))
}

function withSection(text: string, title: string, write: (old: string) => string): string {
  const found = boundsOf(text, title) ?? placeOf(text)
  const section = `## ${title}\n\n${write(sectionOf(text, title)).trim()}`
  const after = text.slice(found.to).trimStart()
  return `${[text.slice(0, found.from).trimEnd(), section, after.trimEnd()].filter(Boolean).join('\n\n')}\n`
}

interface Bounds {
  readonly from: number
  readonly body: number
  readonly to: number
}

function boundsOf(text: string, title: string): Bounds | undefined {
  const head = `\n## ${title}\n`
  const at = `\n${text}`.indexOf(head)
  if (at < 0) return undefined
  const body = at + head.length - 1
  const next = text.indexOf('\n## ', body - 1)
  return { from: at, body, to: next < 0 ? text.length : next + 1 }
}

function placeOf(text: string): Bounds {
  const last = text.lastIndexOf('\n## ')
  const from = last < 0 ? text.length : last + 1
  return { from, body: from, to: from }
}
