/**
 * The inspectors of one supervisor. The code of an inspector is loaded when the first one is asked for; the end of the
 * supervisor's life ends them all.
 */
import { SupervisorStateError } from '../errors.ts'
import type { LiveSupervisor } from '../live-supervisor.ts'
import type { Inspector, InspectorOptions } from './inspector.ts'

export class Inspectors {
  readonly #open = new Set<Inspector>()
  /** Lives of the supervisor that have ended. */
  #ends = 0
  #closed: Promise<unknown> = Promise.resolve()

  /** @throws as `serveInspector` does */
  async serve(supervisor: LiveSupervisor, options: InspectorOptions): Promise<Inspector> {
    const ends = this.#ends
    const { checkInspectorOptions, inspectSupervisor } = await import('./serve.ts')
    checkInspectorOptions('serveInspector()', options)
    const inspector = await inspectSupervisor(supervisor, options)
    if (ends !== this.#ends) {
      await inspector.close()
      throw new SupervisorStateError(`Supervisor ${supervisor.id} has stopped: it shows no inspector.`, {
        code: 'ERR_SUPERVISOR_STOPPED',
      })
    }
    this.#open.add(inspector)
    return inspector
  }

  /** The supervisor has stopped, or failed. */
  end(): void {
    this.#ends += 1
    this.#closed = Promise.all([...this.#open].map((inspector) => inspector.close()))
    this.#open.clear()
  }

  /** Resolves when those that were to end have. */
  async ended(): Promise<void> {
    await this.#closed
  }
}
