/** Sources whose `on` returns how to unsubscribe, like the supervisor's. */
export interface Subscribable<Events> {
  on<Type extends keyof Events>(type: Type, listener: (payload: Events[Type]) => void): () => void
}

/** Sources of Node's kind. */
export interface NodeEmitter {
  once(type: string, listener: (...args: never[]) => void): unknown
}

/**
 * The payload of the next event of `type`. Unlike `node:events`' `once`, an `error` event is no rejection
 * (await `'error'` to get it), and of several arguments the first is taken.
 */
export function once<Events, Type extends keyof Events>(
  emitter: Subscribable<Events>,
  type: Type,
): Promise<Events[Type]>
export function once<Payload = unknown>(emitter: NodeEmitter, type: string): Promise<Payload>
export function once(
  emitter: NodeEmitter | Subscribable<Record<string, unknown>>,
  type: string,
): Promise<unknown> {
  return new Promise((resolve) => {
    if ('once' in emitter) {
      emitter.once(type, resolve)
      return
    }
    // `off` may be called before `on` has returned, by a source that replays.
    let done = false
    const off = emitter.on(type, (payload) => {
      done = true
      off?.()
      resolve(payload)
    })
    if (done) off()
  })
}
