/** What is published on the diagnostics channels of events. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { onTestFinished } from 'vitest'
import { EVENT_NAMES } from '../../src/index.ts'

/** From now on to the end of the test: names of events and their payloads, of all supervisors of this process. */
export function recordChannels(): { readonly type: string; readonly payload: object }[] {
  const heard: { readonly type: string; readonly payload: object }[] = []
  for (const type of EVENT_NAMES) {
    const tell = (payload: unknown): void => void heard.push({ type, payload: payload as object })
    subscribe(`stateward:${type}`, tell)
    onTestFinished(() => void unsubscribe(`stateward:${type}`, tell))
  }
  return heard
}
