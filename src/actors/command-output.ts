/** The end of what a stream brought, and its lines while they come. Memory is bounded, however much it is. */
import { StringDecoder } from 'node:string_decoder'

/** A line longer than this is told in parts. */
const MAX_LINE_CHARS = 64 * 1024

/** Keeps the last `max` bytes. */
export class OutputTail {
  readonly #max: number
  readonly #chunks: Buffer[] = []
  #kept = 0
  #seen = 0

  constructor(max: number) {
    this.#max = max
  }

  get truncated(): boolean {
    return this.#seen > this.#max
  }

  push(chunk: Buffer): void {
    this.#seen += chunk.length
    this.#kept += chunk.length
    this.#chunks.push(chunk)
    // Small chunks would cost more than what they hold.
    if (this.#kept > 2 * this.#max || this.#chunks.length > 1_024) this.#shrink()
  }

  /** As UTF-8; a character that was cut in two at the beginning is left out. */
  get text(): string {
    this.#shrink()
    const [bytes = Buffer.alloc(0)] = this.#chunks
    let start = 0
    if (this.truncated) while (start < 4 && isContinuation(bytes[start])) start += 1
    return bytes.toString('utf8', start)
  }

  #shrink(): void {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    const tail = all.length > this.#max ? Buffer.from(all.subarray(all.length - this.#max)) : all
    this.#chunks.length = 0
    this.#chunks.push(tail)
    this.#kept = tail.length
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000
}

/** Cuts text into lines, without their ends. */
export class OutputLines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #tell: (line: string) => void
  #rest = ''

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#tell(line.endsWith('\r') ? line.slice(0, -1) : line)
    while (this.#rest.length > MAX_LINE_CHARS) {
      this.#tell(this.#rest.slice(0, MAX_LINE_CHARS))
      this.#rest = this.#rest.slice(MAX_LINE_CHARS)
    }
  }

  /** What stands after the last line end. */
  end(): void {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (rest !== '') this.#tell(rest)
  }
}
