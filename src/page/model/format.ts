/** Numbers and times as people read them. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `3 ms`, `1.4 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  const value = Math.max(0, ms)
  if (value < SECOND) return `${Math.round(value)} ms`
  if (value < 10 * SECOND) return `${(Math.floor(value / 100) / 10).toFixed(1)} s`
  if (value < MINUTE) return `${Math.floor(value / SECOND)} s`
  if (value < HOUR) return pair(value, MINUTE, 'min', SECOND, 's')
  if (value < DAY) return pair(value, HOUR, 'h', MINUTE, 'min')
  return pair(value, DAY, 'd', HOUR, 'h')
}

function pair(ms: number, unit: number, name: string, smaller: number, smallerName: string): string {
  const rest = Math.floor((ms % unit) / smaller)
  const whole = `${Math.floor(ms / unit)} ${name}`
  return rest === 0 ? whole : `${whole} ${rest} ${smallerName}`
}

/** `12`, `1,234`, `12.3k`, `1.2M`. */
export function count(value: number): string {
  if (value < 10_000) return Math.round(value).toLocaleString('en')
  if (value < 1_000_000) return `${trim(value / 1_000)}k`
  return `${trim(value / 1_000_000)}M`
}

/** Per second: whole from 10 on. */
export function rate(value: number): string {
  return value >= 10 || value === 0 ? count(value) : value.toFixed(1)
}

function trim(value: number): string {
  return (Math.floor(value * 10) / 10).toFixed(1).replace(/\.0$/, '')
}

/** `14:05:09.123`, in the browser's time zone. */
export function clockTime(at: number): string {
  const time = new Date(at)
  const [h, m, s] = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  )
  return `${h}:${m}:${s}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

/** `14:05:09` today, else `2026-03-29 14:05`. */
export function instant(at: number, now: number): string {
  const time = new Date(at)
  const pad = (value: number): string => String(value).padStart(2, '0')
  const hour = `${pad(time.getHours())}:${pad(time.getMinutes())}`
  if (time.toDateString() === new Date(now).toDateString()) return `${hour}:${pad(time.getSeconds())}`
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} ${hour}`
}

/** `in 3 min`, `4 s ago`, `now`. */
export function relative(at: number, now: number): string {
  const ms = at - now
  if (Math.abs(ms) < SECOND) return 'now'
  return ms > 0 ? `in ${coarse(ms)}` : `${coarse(-ms)} ago`
}

function coarse(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`
  return `${Math.floor(ms / DAY)} d`
}

/** What is in a nested supervisor, behind the path of that: `mail › send`. */
export function placed(name: string, within: string | undefined): string {
  return within === undefined ? name : `${within} › ${name}`
}

/** What is said with a question or an act about a row. */
export function placeOf({ within }: { readonly within?: string | undefined }): { readonly within?: string } {
  return within === undefined ? {} : { within }
}

/** An actor of which nothing is known but its id. */
export function nameOfId(id: string): string {
  return id.replace(/^in:(.*?)\/\//s, '$1 › ')
}

/** The start of an id and its end: ids of version 7 begin alike. */
export function shortId(id: string): string {
  return id.length > 14 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id
}
