import { defineTask } from '../../src/task.ts'

export interface Mail {
  to: string
  text: string
}

export const sendMail = defineTask(
  {
    name: 'mail.send',
    module: import.meta.url, // a daemon finds the handler by name
    retry: { attempts: 5, backoff: { kind: 'exponential', initialMs: 1_000 } },
    runTimeoutMs: 30_000,
    description: ({ to }: Mail) => `mail to ${to}`, // stored: lists need no code
    metadata: ({ to }) => ({ to }), // stored: find tasks by it
  },
  async ({ to, text }: Mail, ctx) => {
    ctx.log.info({ to }, 'sending')
    return { to, characters: text.length }
  },
)
