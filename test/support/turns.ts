// Taken at load: tests may fake the globals.
const { setImmediate } = globalThis

/** Lets `count` turns of the event loop go by: enough for promise jobs, not for I/O or threads. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(() => resolve())
    })
  }
}
