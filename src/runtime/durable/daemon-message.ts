/** What a client tells a daemon through the store: one message at a time, the last one counts. */

/** `reason`: why, for its log. */
export interface DaemonMessage {
  readonly type: 'shutdown'
  readonly reason: string | undefined
}

export function toMessageText(message: DaemonMessage): string {
  return JSON.stringify(message)
}

/** `undefined` for what a newer client says, and for what is no message at all. */
export function fromMessageText(text: string): DaemonMessage | undefined {
  try {
    const { type, reason } = JSON.parse(text) as Partial<DaemonMessage>
    return type === 'shutdown' ? { type, reason } : undefined
  } catch {
    return undefined
  }
}
