/** Where a command reads and writes: the process's own streams, or those of a test. */

export interface Output {
  write(text: string): unknown
  /** Whether somebody looks at it, who can be shown lines that change. */
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export interface CliIo {
  readonly stdin: AsyncIterable<Buffer | string>
  readonly stdout: Output
  readonly stderr: Output
  /** From then on Ctrl-C and SIGTERM abort the signal; before they end the process at once. */
  interruptible(): AbortSignal
}

export async function readAll(input: CliIo['stdin']): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of input) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString('utf8')
}
