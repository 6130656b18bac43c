/**
 * One stream of server-sent events, pulled by whoever reads it: nothing is kept for a slow reader, who gets what is true when
 * there is room again. Frames that are there together go out in one piece, since each piece costs its reader's connection far
 * more than a frame does.
 *
 * - open: frames go out as long as there is room, and a comment when there was none for a while, so that both ends notice
 *   when the other one is gone.
 * - stalled: there is no room. Too long, or when the server stops, and its connection ends with all that is buffered for it.
 * - ended: the source has no more, the reader has left, or the server stops. No timer is left.
 *
 * The source is authoritative for what comes next.
 */
import type { Clock } from '../../actors/clock.ts'
import { connectionOf } from './stream-connection.ts'

/** Where the frames of a stream come from. */
export interface FrameSource {
  /** The next frame; `undefined` when there is none now. */
  take(): string | undefined
  /** Nothing comes any more. */
  readonly isOver: boolean
  /** Nobody reads any more. */
  leave(): void
}

export interface FeedTimes {
  /** Of silence, before a comment. */
  readonly heartbeatMs: number
  /** Without any room, before it ends. */
  readonly stallMs: number
}

const HEARTBEAT = ':\n\n'
/** A piece that is so long takes no further frame. */
const PIECE_CHARACTERS = 16_384
const encoder = new TextEncoder()

/**
 * @param id - what a reader that comes again says it has seen
 * @param data - JSON, in one line
 */
export function frameOf(event: string, id: string, data: string): string {
  return `event: ${event}\nid: ${id}\ndata: ${data}\n\n`
}

export class EventFeed {
  readonly stream: ReadableStream<Uint8Array>
  readonly #source: FrameSource
  readonly #clock: Clock
  readonly #times: FeedTimes
  readonly #ended: () => void
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #phase: 'open' | 'stalled' = 'open'
  #timer: unknown

  /** @param ended - called once, when it is over */
  constructor(source: FrameSource, clock: Clock, times: FeedTimes, ended: () => void) {
    this.#source = source
    this.#clock = clock
    this.#times = times
    this.#ended = ended
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
          this.#arm(controller)
        },
        pull: () => this.poke(),
        cancel: () => this.#end(),
      },
      { highWaterMark: 1 },
    )
  }

  /** The source may have something. */
  poke(): void {
    const controller = this.#controller
    if (controller === undefined) return
    let sent = false
    while (hasRoom(controller)) {
      const piece = this.#piece()
      if (piece === '') break
      controller.enqueue(encoder.encode(piece))
      sent = true
    }
    // What is told of room asks for more at once, and may have ended it.
    if (this.#controller !== controller) return
    if (sent || this.#phase !== phaseOf(controller)) this.#arm(controller)
    if (!this.#source.isOver || !hasRoom(controller)) return
    this.#end()
    controller.close()
  }

  /** The server stops: its reader gets what was sent before, unless it has not taken what was sent before that. */
  close(): void {
    const controller = this.#controller
    if (controller === undefined) return
    const connection = connectionOf(this.stream)
    const isHeldUp = this.#phase === 'stalled' || connection?.writableNeedDrain === true
    this.#end()
    if (connection !== undefined && isHeldUp) connection.destroy()
    else controller.close()
  }

  #piece(): string {
    let piece = ''
    while (piece.length < PIECE_CHARACTERS) {
      const frame = this.#source.take()
      if (frame === undefined) break
      piece += frame
    }
    return piece
  }

  /** Waits for silence, or for a reader that takes nothing. */
  #arm(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const { heartbeatMs, stallMs } = this.#times
    this.#phase = phaseOf(controller)
    this.#clock.clearTimeout(this.#timer)
    this.#timer =
      this.#phase === 'open'
        ? this.#clock.setTimeout(() => this.#onSilence(controller), heartbeatMs)
        : this.#clock.setTimeout(() => this.#onStall(controller), stallMs)
  }

  #onSilence(controller: ReadableStreamDefaultController<Uint8Array>): void {
    controller.enqueue(encoder.encode(HEARTBEAT))
    if (this.#controller === controller) this.#arm(controller)
  }

  #onStall(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const connection = connectionOf(this.stream)
    this.#end()
    if (connection === undefined) controller.error(new Error('Nobody reads this stream.'))
    else connection.destroy()
  }

  #end(): void {
    if (this.#controller === undefined) return
    this.#controller = undefined
    this.#clock.clearTimeout(this.#timer)
    this.#source.leave()
    this.#ended()
  }
}

function phaseOf(controller: ReadableStreamDefaultController<Uint8Array>): 'open' | 'stalled' {
  return hasRoom(controller) ? 'open' : 'stalled'
}

function hasRoom({ desiredSize }: ReadableStreamDefaultController<Uint8Array>): boolean {
  return desiredSize !== null && desiredSize > 0
}
