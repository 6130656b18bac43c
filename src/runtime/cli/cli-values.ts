/** Texts of a command line as values. Each throws a sentence for the option or argument that it stands in. */
import { InvalidArgumentError } from 'commander'
import { MIN_LEASE_MS } from '../durable/daemon-options.ts'
import { hasRealDay } from '../iso-instant.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `1500`, `90s`, `10m`, `2h`, `1d` as ms. */
export function toDurationMs(text: string): number {
  const [, amount, unit = 'ms'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('Write a duration: 1500 (ms), 90s, 10m, 2h or 1d.')
  return Number(amount) * (UNITS[unit] as number)
}

export function toLeaseMs(text: string): number {
  const ms = toDurationMs(text)
  if (Number.isInteger(ms) && ms >= MIN_LEASE_MS) return ms
  throw new InvalidArgumentError(`Write a duration of whole milliseconds, ${MIN_LEASE_MS} or more.`)
}

/** The name of a daemon to be. */
export function toDaemonName(text: string): string {
  if (text !== '' && !text.includes('/')) return text
  throw new InvalidArgumentError('Write a name that is not empty and has no "/" in it.')
}

/** An ISO date or epoch ms as epoch ms. */
export function toInstantMs(text: string): number {
  const at = /^-?\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isNaN(at) || !hasRealDay(text))
    throw new InvalidArgumentError('Write an instant: 2027-01-31T08:00:00Z, or epoch milliseconds.')
  return at
}

export function toWholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}

/** 0: any that is free. */
export function toPort(text: string): number {
  const port = toWholeNumber(text)
  if (port > 65_535) throw new InvalidArgumentError('Write a port: 0 to 65535.')
  return port
}

export function toJson(text: string): unknown {
  let problem: string
  try {
    return JSON.parse(text)
  } catch (error) {
    problem = (error as Error).message
  }
  throw new InvalidArgumentError(`Write JSON: ${problem}. Texts need quotes: '"text"'.`)
}

export function toJsonObject(text: string): Readonly<Record<string, unknown>> {
  const value = toJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidArgumentError('Write a JSON object.')
  return value as Record<string, unknown>
}

/** `user=5` and the like, collected; what is no JSON is a text. */
export function addMember(
  text: string,
  others: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const [, key, value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key === undefined) throw new InvalidArgumentError('Write member=value.')
  try {
    return { ...others, [key]: JSON.parse(value) }
  } catch {
    return { ...others, [key]: value }
  }
}
