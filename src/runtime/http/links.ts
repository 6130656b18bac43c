/** Where things are: paths as a client of the API sees them. */

/** Whoever mounts the API below a path says so, since a framework may or may not take it off before. */
export class Links {
  readonly #base: string

  /** @param base - `''`, or a path that begins with a slash and does not end with one */
  constructor(base: string) {
    this.#base = base
  }

  task(id: string): string {
    return `${this.#base}/tasks/${encodeURIComponent(id)}`
  }

  schedule(name: string): string {
    return `${this.#base}/schedules/${encodeURIComponent(name)}`
  }

  /** The path within the API of what a request asks for, still encoded. */
  within(url: string): string {
    const { pathname } = new URL(url)
    const isBelow = this.#base !== '' && (pathname === this.#base || pathname.startsWith(`${this.#base}/`))
    const path = isBelow ? pathname.slice(this.#base.length) : pathname
    return path === '' ? '/' : path
  }
}

/** @returns without the slash at its end */
export function basePathOf(given: string): string {
  return given.replace(/\/+$/, '')
}
