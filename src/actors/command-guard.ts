/**
 * Kills the commands of this process when it dies, however that happens: commands are no Node programs that could watch
 * their parent themselves.
 *
 * A small shell of its own session knows which groups live, by a pipe whose other end only this process holds. The pipe
 * closes with this process, and the shell then kills what it knows. It is started with the first command, does not keep
 * this process alive, and ends with `close`. Where there is no such shell (Windows), nothing is guarded.
 *
 * The shell is authoritative for nothing: were it killed, the commands would go on unguarded until the next `watch`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/** `+ pid` and `- pid` keep the list; the end of the input kills who is on it. */
const SCRIPT = `
live=" "
while read -r op pid; do
  case $op in
    +) live="$live$pid " ;;
    -) live="\${live%% $pid *} \${live#* $pid }" ;;
  esac
done
for pid in $live; do kill -s KILL -- "-$pid" 2>/dev/null; done
exit 0`

export class CommandGuard {
  #shell: ChildProcess | undefined
  readonly #watched: Set<number> = new Set()

  watch(pid: number): void {
    this.#watched.add(pid)
    if (this.#shell === undefined) this.#start()
    else this.#write(`+ ${pid}\n`)
  }

  /** The group is gone. */
  forget(pid: number): void {
    if (this.#watched.delete(pid)) this.#write(`- ${pid}\n`)
  }

  /** Resolves when the shell has ended. No group may live any more. */
  close(): Promise<void> {
    const shell = this.#shell
    if (shell === undefined) return Promise.resolve()
    this.#shell = undefined
    const { promise, resolve } = Promise.withResolvers<void>()
    shell.ref()
    shell.once('close', () => resolve())
    shell.stdin?.end()
    return promise
  }

  #start(): void {
    if (process.platform === 'win32') return
    let shell: ChildProcess
    try {
      shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    } catch {
      return
    }
    this.#shell = shell
    const gone = (): void => {
      if (this.#shell === shell) this.#shell = undefined
    }
    shell.on('error', gone)
    shell.on('exit', gone)
    shell.stdin?.on('error', () => {})
    shell.unref()
    ;(shell.stdin as Socket | null)?.unref()
    for (const pid of this.#watched) this.#write(`+ ${pid}\n`)
  }

  #write(line: string): void {
    this.#shell?.stdin?.write(line)
  }
}
